//! Rules about which service needs which.

use proc_macro2::Span;
use seatrial_model::{Scope, graph};

use super::scope::has_scope;
use crate::model::Model;
use crate::report::Report;

/// Each cycle once, with its whole path.
pub(super) fn check_no_cycle(model: &Model, report: &mut Report) {
    let mut needs: Vec<Vec<usize>> = model
        .plan
        .services
        .iter()
        .map(|service| service.needs.clone())
        .collect();
    while let Some(path) = graph::cycle(&needs) {
        let (Some(&from), Some(&to)) = (path.first(), path.get(1)) else {
            return;
        };
        let names: Vec<&str> = path
            .iter()
            .map(|&position| model.plan.services[position].field.as_str())
            .collect();
        report.error(
            edge(model, from, to),
            format!(
                "services that need each other in a circle can never start: {}; remove one of these uses",
                names.join(" -> ")
            ),
        );
        // Without this edge another cycle may show.
        needs[from].retain(|need| *need != to);
    }
}

pub(super) fn check_needed_live_as_long(model: &Model, report: &mut Report) {
    for (from, service) in model.plan.services.iter().enumerate() {
        for &to in &service.needs {
            let needed = &model.plan.services[to];
            if needed.scope < service.scope && has_scope(model, from) && has_scope(model, to) {
                report.error(
                    edge(model, from, to),
                    format!(
                        "`{}` (one per {}) cannot need `{}` (one per {}), which is gone earlier; write `scope = {}` on `{}`, or `scope = {}` on `{}`",
                        service.field,
                        instance_of(service.scope),
                        needed.field,
                        instance_of(needed.scope),
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

pub(super) fn instance_of(scope: Scope) -> &'static str {
    match scope {
        Scope::Test => "test",
        Scope::Binary => "test process",
        Scope::Run => "run",
        Scope::Keep => "machine",
    }
}

/// Where `from` says that it needs `to`.
fn edge(model: &Model, from: usize, to: usize) -> Span {
    model.edges[from]
        .iter()
        .find(|edge| edge.to == to)
        .map_or_else(
            || model.declaration.services[from].ident.span(),
            |edge| edge.span,
        )
}
