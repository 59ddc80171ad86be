//! A binary of the workspace that cargo is asked for: which one, built as the tests were, and the command that builds it.
//!
//! It is plain data. It must not start cargo: the supervisor does, once for a run.

mod environment;
mod layout;
mod wanted;

pub(crate) use self::environment::environment;
pub(crate) use self::layout::Layout;
pub(crate) use self::wanted::Wanted;
