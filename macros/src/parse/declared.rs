//! The attribute that declares what a field or parameter is: `#[service(..)]` or `#[job(..)]`.

use syn::{Attribute, Ident, Meta};

use super::arguments;
use super::keys::{self, Table};
use super::placement::{is_job, is_service};
use super::{job, service};
use crate::message;
use crate::report::Report;
use crate::syntax::{JobSyntax, OriginSyntax, ScopeSyntax, Service, Spanned};

/// The attributes that declare a container.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Service,
    Job,
}

impl Kind {
    fn of(attribute: &Attribute) -> Option<Self> {
        if is_service(attribute) {
            Some(Self::Service)
        } else if is_job(attribute) {
            Some(Self::Job)
        } else {
            None
        }
    }

    fn table(self) -> &'static Table<Service> {
        match self {
            Self::Service => &service::TABLE,
            Self::Job => &job::TABLE,
        }
    }
}

/// Reads the service or job that `attributes` declare on a field or parameter. `None` without a `#[service]` and a `#[job]`.
pub(super) fn declared(
    ident: &Ident,
    attributes: &[Attribute],
    report: &mut Report,
) -> Option<Service> {
    let mut own = attributes
        .iter()
        .filter_map(|attribute| Some((attribute, Kind::of(attribute)?)));
    let (attribute, kind) = own.next()?;
    let mut service = Service::new(ident.clone());
    service.job = (kind == Kind::Job).then(JobSyntax::default);
    for (more, other) in own {
        service.ports_unknown = true;
        service.checks_unknown = true;
        service.scope = ScopeSyntax::Unreadable;
        let message = match (kind, other) {
            (Kind::Service, Kind::Service) => message::duplicate_attribute("#[service(..)]"),
            (Kind::Job, Kind::Job) => message::duplicate_attribute("#[job(..)]"),
            _ => "a service keeps running, and a job runs to its end; remove `#[service(..)]` or `#[job(..)]`".to_owned(),
        };
        report.error_on(more, message);
    }
    let Meta::List(list) = &attribute.meta else {
        let message = match kind {
            Kind::Service => message::malformed("`#[service]`", service::FORM),
            Kind::Job => message::malformed("`#[job]`", job::FORM),
        };
        report.error_on(attribute, message);
        let job = service.job;
        return Some(Service {
            job,
            ..Service::unreadable(ident.clone())
        });
    };
    let arguments = arguments::arguments(list.tokens.clone(), report);
    let given = keys::read(&mut service, &arguments, kind.table(), report);
    service.checks_unknown |= !given.is_complete();
    service.ports_unknown |= given.may_be_misread("port") || given.may_be_misread("ports");
    if given.may_be_misread("scope") {
        service.scope = service.scope.or(ScopeSyntax::Unreadable);
    }
    if service.origins.is_empty()
        && ["image", "bin", "build"]
            .iter()
            .any(|key| given.may_be_misread(key))
    {
        let origin = OriginSyntax::Unreadable;
        service.origins.push(Spanned::new(origin, ident.span()));
    }
    Some(service)
}
