//! Parsing: tokens in, [`crate::syntax`] out. Knows what each attribute looks like and what each single value may be;
//! knows nothing of how services relate. Records mistakes and goes on.

mod arguments;
mod completion;
mod conditions;
mod container;
mod function;
mod habits;
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
pub(crate) use habits::{Habit, OF_COMPOSITIONS, OF_READINESS, OF_SERVICES, OF_TESTS};

pub(crate) use completion::{Completion, completions_of_struct, completions_of_test};
pub(crate) use conditions::{Conditional, conditional};
pub(crate) use function::{Function, Runtime, function};
pub(crate) use parameter::{Instances, Parameter};
pub(crate) use structure::structure;
