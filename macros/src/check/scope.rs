//! Rules about how long services live, beside those about which needs which.

use seatrial_model::Scope;

use super::graph::instance_of;
use crate::message;
use crate::model::Model;
use crate::report::Report;
use crate::syntax::ScopeSyntax;

/// What `keep` needs beside it.
const SCOPE: &str = "scope = keep";

const FORM: &str = "scope = keep, keep = \"2h\"";

/// A time to live is that of kept instances: other scopes have an end of their own.
pub(super) fn check_keep_has_its_scope(model: &Model, report: &mut Report) {
    let services = &model.declaration.services;
    let is_kept = |position: usize| model.plan.services[position].scope == Scope::Keep;
    for (position, service) in services.iter().enumerate() {
        if let Some(keep) = &service.keep
            && has_scope(model, position)
            && !is_kept(position)
        {
            report.error(keep.span, message::stands_alone("keep", SCOPE, FORM));
        }
    }
    let none_is_kept = !services.is_empty()
        && (0..services.len()).all(|position| has_scope(model, position) && !is_kept(position));
    if let Some(keep) = &model.declaration.settings.keep
        && none_is_kept
    {
        report.error(
            keep.span,
            "`keep` is only valid with `scope = keep`, which no service of this composition has; write `scope = keep` on one, or remove `keep`",
        );
    }
}

/// The volume of a kept service outlives the run. A service that does not would write to it in every run, and find there what
/// those before have written.
pub(super) fn check_volumes_are_kept_by_all(model: &Model, report: &mut Report) {
    let services = &model.plan.services;
    let keeps = |position: usize, name: &str| {
        let mut volumes = services[position].volumes.iter();
        services[position].scope == Scope::Keep
            && has_scope(model, position)
            && volumes.any(|volume| volume.name.as_deref() == Some(name))
    };
    for (position, service) in services.iter().enumerate() {
        if service.scope == Scope::Keep || !has_scope(model, position) {
            continue;
        }
        for volume in &model.declaration.services[position].volumes {
            if let Some(name) = &volume.value.name
                && let Some(kept) = (0..services.len()).find(|other| keeps(*other, name))
            {
                report.error(
                    volume.span,
                    format!(
                        "`{}` (one per {}) cannot share the volume `{name}` with `{}` (one per machine), which outlives it; write `scope = keep` on `{}`, or use a volume of another name",
                        service.field,
                        instance_of(service.scope),
                        services[kept].field,
                        service.field,
                    ),
                );
            }
        }
    }
}

/// Whether a service's scope is what the user meant, rather than a stand-in for what could not be read.
pub(super) fn has_scope(model: &Model, position: usize) -> bool {
    let declaration = &model.declaration;
    let scope = declaration.services[position].scope;
    scope.or(declaration.settings.scope) != ScopeSyntax::Unreadable
}
