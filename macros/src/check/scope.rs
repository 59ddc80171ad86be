//! Rules about the lifetimes of services: of their dependencies, their volumes and their time to live.

use seatrial_model::Scope;

use super::graph::edge_span;
use crate::message;
use crate::model::Model;
use crate::report::Report;
use crate::syntax::ScopeSyntax;

/// The key that `keep` modifies.
const SCOPE: &str = "scope = keep";

const FORM: &str = "scope = keep, keep = \"2h\"";

pub(super) fn check_needed_live_as_long(model: &Model, report: &mut Report) {
    for (from, service) in model.plan.services.iter().enumerate() {
        for &to in &service.needs {
            let needed = &model.plan.services[to];
            let cannot_be_kept = needed.job.is_some() && service.scope == Scope::Keep;
            if needed.scope < service.scope
                && !cannot_be_kept
                && is_scope_known(model, from)
                && is_scope_known(model, to)
            {
                report.error(
                    edge_span(model, from, to),
                    format!(
                        "`{}` (one per {}) cannot depend on `{}` (one per {}), which ends earlier; write `scope = {}` on `{}`, or `scope = {}` on `{}`",
                        service.field,
                        unit_of(service.scope),
                        needed.field,
                        unit_of(needed.scope),
                        service.scope.as_str(),
                        needed.field,
                        needed.scope.as_str(),
                        service.field,
                    ),
                );
            }
        }
    }
}

/// Only kept instances have a time to live: other scopes end by themselves.
pub(super) fn check_keep_has_its_scope(model: &Model, report: &mut Report) {
    let services = &model.declaration.services;
    let is_kept = |position: usize| model.plan.services[position].scope == Scope::Keep;
    for (position, service) in services.iter().enumerate() {
        if let Some(keep) = &service.keep
            && is_scope_known(model, position)
            && !is_kept(position)
        {
            report.error(keep.span, message::lone_modifier("keep", SCOPE, FORM));
        }
    }
    let none_is_kept = !services.is_empty()
        && (0..services.len())
            .all(|position| is_scope_known(model, position) && !is_kept(position));
    if let Some(keep) = &model.declaration.settings.keep
        && none_is_kept
    {
        report.error(
            keep.span,
            "`keep` is only valid with `scope = keep`, which no service of this composition has; write `scope = keep` on one, or remove `keep`",
        );
    }
}

/// The volume of a kept service outlives the run. A service with a shorter scope would find in it what earlier runs wrote.
pub(super) fn check_volumes_are_kept_by_all(model: &Model, report: &mut Report) {
    let services = &model.plan.services;
    let keeps = |position: usize, name: &str| {
        let mut volumes = services[position].volumes.iter();
        services[position].scope == Scope::Keep
            && is_scope_known(model, position)
            && volumes.any(|volume| volume.name.as_deref() == Some(name))
    };
    for (position, service) in services.iter().enumerate() {
        if service.scope == Scope::Keep || !is_scope_known(model, position) {
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
                        unit_of(service.scope),
                        services[kept].field,
                        service.field,
                    ),
                );
            }
        }
    }
}

fn unit_of(scope: Scope) -> &'static str {
    match scope {
        Scope::Test => "test",
        Scope::Binary => "test process",
        Scope::Run => "run",
        Scope::Keep => "machine",
    }
}

/// Whether a service's scope was read, rather than a stand-in for a malformed one.
pub(super) fn is_scope_known(model: &Model, position: usize) -> bool {
    let declaration = &model.declaration;
    let scope = declaration.services[position].scope;
    scope.or(declaration.settings.scope) != ScopeSyntax::Unreadable
}
