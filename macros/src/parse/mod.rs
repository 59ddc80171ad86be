//! Parsing: tokens in, [`crate::syntax`] out. Knows the form of each attribute and the grammar of each value.
//! Records mistakes and goes on. Must not know how services relate.

mod arguments;
mod bin;
mod build;
mod completion;
mod conditions;
mod container;
mod declared;
mod function;
mod habits;
mod job;
mod keys;
mod parameter;
mod placement;
mod ports;
mod ready;
mod service;
mod settings;
mod setup;
mod structure;
mod values;
mod variables;

#[cfg(test)]
pub(crate) use habits::{Habit, OF_COMPOSITIONS, OF_JOBS, OF_READINESS, OF_SERVICES, OF_TESTS};

pub(crate) use completion::{Completion, completions_of_struct, completions_of_test};
pub(crate) use conditions::{Conditional, conditional};
pub(crate) use function::{Function, Runtime, function};
pub(crate) use parameter::{Instances, Parameter};
pub(crate) use structure::structure;
