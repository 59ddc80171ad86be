//! Expansion: a checked model in, tokens out. Cannot fail and decides nothing.
//!
//! Every path in the tokens is absolute, and everything of Seatrial's goes through `__private` or a public trait. Errors of
//! the compiler point at the user's own tokens.

mod completion;
mod composition;
mod declaration;
mod names;
pub(crate) mod stand_in;
mod test;

pub(crate) use completion::completions;
pub(crate) use composition::composition;
pub(crate) use test::{test, versions};
