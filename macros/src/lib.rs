//! Seatrial's macros. Use them through the `seatrial` crate, which re-exports them and is the only one that
//! understands what they generate.
//!
//! Each goes through the same stages: parse, model, check, expand. Begin to read in `pipeline`.

mod check;
mod environment;
mod expand;
mod message;
mod model;
mod parse;
mod pipeline;
mod report;
mod syntax;
#[cfg(test)]
mod tests;

use environment::Environment;
use proc_macro::TokenStream;

#[doc = include_str!("../docs/composition.md")]
#[proc_macro_derive(Composition, attributes(service, composition, job, compose))]
pub fn composition(item: TokenStream) -> TokenStream {
    pipeline::composition(item.into(), &Environment::of_this_compilation()).into()
}

#[doc = include_str!("../docs/test.md")]
#[proc_macro_attribute]
pub fn test(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let environment = Environment::of_this_compilation();
    pipeline::test(attribute.into(), item.into(), &environment).into()
}
