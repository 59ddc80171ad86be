//! Tests of the stages, without a compiler: the plan of a declaration, its mistakes, and that no attribute makes a stage
//! panic.

mod arbitrary;
mod completion;
mod environment;
mod expansion;
mod habits;
mod mistakes;
mod plan;
mod report;
mod scopes;

use proc_macro2::TokenStream;
use quote::quote;
use seatrial_model::Plan;
use syn::DeriveInput;

use crate::environment::Environment;
use crate::report::Report;
use crate::{check, model, parse};

/// The plan of `struct Shop { fields }`, or the messages of its mistakes.
fn plan_of(fields: TokenStream) -> Result<Plan, Vec<String>> {
    composition(quote!(struct Shop { #fields }), &Environment::default())
}

fn composition(item: TokenStream, environment: &Environment) -> Result<Plan, Vec<String>> {
    let input: DeriveInput = syn::parse2(item).expect("the test's item is malformed");
    let mut report = Report::new();
    let structure = parse::structure(&input, &mut report);
    let model = model::model(structure.declaration, environment, &mut report);
    check::services(&model, environment, &mut report);
    report.finish().map_err(|mistakes| mistakes.messages())?;
    Ok(model.plan)
}
