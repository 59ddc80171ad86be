//! Modelling: from [`crate::syntax`] to the plan. Resolves names, applies defaults, and numbers what the generated code
//! binds. Records names that cannot be resolved: the plan then has a stand-in, and the error keeps it from being used.

mod bindings;
mod ports;
mod service;
mod steps;

pub(crate) use bindings::{Binary, Bindings, Edge};
use seatrial_model::{Plan, Scope};
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
    let mut plan = Plan {
        name: declaration.name.clone(),
        services,
    };
    for index in 0..plan.services.len() {
        let is_on_demand = plan.is_on_demand(index);
        let service = &mut plan.services[index];
        if is_on_demand {
            // It begins when a test asks for it, and has ended when the test goes on.
            service.scope = Scope::Test;
        } else if service.job.is_some() && service.scope == Scope::Keep {
            // The scope of a composition whose services are kept.
            service.scope = Scope::Run;
        }
    }
    Model {
        declaration,
        plan,
        edges,
        bindings,
        in_workspace: environment.package_in_workspace(),
    }
}
