//! The dependency graph: it has no cycle. Also finds the place that declares an edge. Must not know of scopes.

use proc_macro2::Span;
use seatrial_model::graph;

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
            edge_span(model, from, to),
            format!(
                "dependency cycle: {}; remove one of these dependencies",
                names.join(" -> ")
            ),
        );
        // Without this edge another cycle may show.
        needs[from].retain(|need| *need != to);
    }
}

/// The span of the declaration by which `from` needs `to`.
pub(super) fn edge_span(model: &Model, from: usize, to: usize) -> Span {
    model.edges[from]
        .iter()
        .find(|edge| edge.to == to)
        .map_or_else(
            || model.declaration.services[from].ident.span(),
            |edge| edge.span,
        )
}
