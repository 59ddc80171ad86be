//! The items that generated code uses. They are not part of the public API, and change without notice.

pub use crate::composition::{FromJob, FromService, Member, NamedService, next_job, next_service};
pub use crate::declaration::{Declaration, Hook, HookFuture};
pub use crate::failure::{
    Failure, FailureByDisplay, FailureByError, FailureOfAnotherType, HookError,
};
pub use crate::package::Package;
pub use crate::test_run::{Launches, Ready, Test, run, run_async};
