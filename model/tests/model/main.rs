//! The model's grammars, graph and plan: tables of cases, and properties that hold for any input.
//!
//! One executable, so that it links once.

mod dockerfile;
mod graph;
mod image;
mod placeholder;
mod plan;
mod secret;
mod text;
mod variables;
