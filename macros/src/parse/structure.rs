//! The struct under `#[derive(Composition)]`.

use proc_macro2::Span;
use syn::{Attribute, Data, DeriveInput, Field, Fields, Ident, Type};

use super::declared::declared;
use super::settings::settings;
use super::{job, placement, service};
use crate::message;
use crate::report::Report;
use crate::syntax::{Declaration, ScopeSyntax, Service, is_named};

/// A struct with named fields, each a service.
pub(crate) struct Structure {
    pub(crate) declaration: Declaration,
    /// The fields' types, in the order of the declaration's services.
    pub(crate) types: Vec<Type>,
}

/// Reads the struct. Any other item is an error and has no services.
pub(crate) fn structure(input: &DeriveInput, report: &mut Report) -> Structure {
    let mut structure = Structure {
        declaration: Declaration {
            name: input.ident.to_string(),
            settings: settings(&input.attrs, report),
            services: Vec::new(),
        },
        types: Vec::new(),
    };
    refuse_planned(&input.attrs, report);
    if placement::on_struct(&input.attrs, report) {
        let settings = &mut structure.declaration.settings;
        settings.scope = settings.scope.or(ScopeSyntax::Unreadable);
    }
    if !input.generics.params.is_empty() {
        report.error_on(
            &input.generics.params,
            "a composition cannot have generic parameters; write concrete types",
        );
    }
    for field in fields(input, report) {
        let Some(ident) = &field.ident else {
            continue;
        };
        refuse_planned(&field.attrs, report);
        let misplaced = placement::on_field(&field.attrs, report);
        let mut service = declared(ident, &field.attrs, report).unwrap_or_else(|| {
            if !misplaced && !field.attrs.iter().any(is_planned) {
                report.error(ident.span(), missing(ident, &field.ty));
            }
            Service::unreadable(ident.clone())
        });
        if misplaced {
            service.scope = service.scope.or(ScopeSyntax::Unreadable);
        }
        structure.declaration.services.push(service);
        structure.types.push(field.ty.clone());
    }
    structure
}

/// The message about a field without `#[service(..)]`. An alias of `Service` has another name, so no type is refused.
fn missing(ident: &Ident, ty: &Type) -> String {
    let form = service::FORM;
    if is_named(ty, "Job") {
        format!(
            "missing `#[job(..)]` on the field `{ident}`; write `{}` above it",
            job::FORM
        )
    } else if is_named(ty, "Service") {
        format!("missing `#[service(..)]` on the field `{ident}`; write `{form}` above it")
    } else {
        format!(
            "missing `#[service(..)]` on the field `{ident}`: each field of a composition is a service; write `{form} {ident}: Service`, or remove the field"
        )
    }
}

fn fields<'a>(input: &'a DeriveInput, report: &mut Report) -> Vec<&'a Field> {
    let (span, what): (Span, &str) = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return fields.named.iter().collect(),
            Fields::Unnamed(_) => (input.ident.span(), "a tuple struct"),
            Fields::Unit => (input.ident.span(), "a unit struct"),
        },
        Data::Enum(data) => (data.enum_token.span, "an enum"),
        Data::Union(data) => (data.union_token.span, "a union"),
    };
    report.error(
        span,
        format!(
            "expected a struct with named fields, found {what}; write one field for each service"
        ),
    );
    Vec::new()
}

/// Whether it is an attribute of a later version.
pub(super) fn is_planned(attribute: &Attribute) -> bool {
    attribute.path().is_ident("compose")
}

/// Refuses the attributes of later versions.
pub(super) fn refuse_planned(attributes: &[Attribute], report: &mut Report) {
    for attribute in attributes.iter().filter(|attribute| is_planned(attribute)) {
        let instead = "write the services of the other composition here, or take both compositions as parameters of the test";
        report.error_on(
            attribute.path(),
            message::unsupported("`#[compose]`", instead),
        );
    }
}
