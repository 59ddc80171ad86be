//! Expansion: a checked model in, tokens out. Cannot fail and decides nothing.
//!
//! Every path in the tokens is absolute, and everything of Seatrial's goes through `__private` or a public trait. Errors of
//! the compiler point at the user's own tokens.

mod completion;
mod composition;
mod declaration;
mod names;
mod test;

pub(crate) use completion::completions;
pub(crate) use composition::{composition, stand_in};
pub(crate) use test::{function_alone, test, versions};
