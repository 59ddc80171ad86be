//! What generated code names, from wherever it is. Not part of the public API: it changes without notice.

pub use crate::composition::{FromService, next_service};
pub use crate::declaration::{Declaration, Hook, HookFuture};
pub use crate::failure::{
    Failure, FailureByDisplay, FailureByError, FailureOfAnotherType, HookError,
};
pub use crate::package::Package;
pub use crate::test_run::{Launches, Ready, Test, run, run_async};
