//! Modelling: from [`crate::syntax`] to the plan. Resolves names, applies defaults, and numbers what the generated code
//! binds. Records names that cannot be resolved: the plan then has a stand-in, and the error keeps it from being used.

mod bindings;
mod ports;
mod service;
mod steps;

pub(crate) use bindings::{Bindings, Edge};
use seatrial_model::Plan;
use service::Modeller;

use crate::environment::Environment;
use crate::report::Report;
use crate::syntax::Declaration;

/// A declaration and its plan. The plan's services are the declaration's, position by position.
pub(crate) struct Model {
    pub(crate) declaration: Declaration,
    pub(crate) plan: Plan,
    /// For each service, its needs of other services, with their spans.
    pub(crate) edges: Vec<Vec<Edge>>,
    pub(crate) bindings: Bindings,
    /// The package's path in its workspace.
    pub(crate) in_workspace: String,
}

/// Makes the plan of a declaration.
pub(crate) fn model(
    declaration: Declaration,
    environment: &Environment,
    report: &mut Report,
) -> Model {
    let mut bindings = Bindings::default();
    let (services, edges) = (0..declaration.services.len())
        .map(|own| Modeller::new(&declaration, own, &mut bindings, report).service())
        .unzip();
    let plan = Plan {
        name: declaration.name.clone(),
        services,
    };
    Model {
        declaration,
        plan,
        edges,
        bindings,
        in_workspace: environment.package_in_workspace(),
    }
}
