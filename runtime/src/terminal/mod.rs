//! What people see on their terminal, but for the progress of images: the text of each kind of message, and the way to
//! standard error.
//!
//! A text is made in one place and shown in another: what makes one writes nothing. How errors read is the error's own matter.

mod failed_test;
mod kept;
mod launch;
mod stderr;

pub(crate) use self::failed_test::{
    given_back, log_of_failed_test, still_launching, test_is_stuck,
};
pub(crate) use self::kept::{Stay, dropped, kept, replaced};
pub(crate) use self::launch::launched;
pub(crate) use self::stderr::{
    interrupted, is_seen, not_removed, redirect, say, say_on, show, show_progress, warn,
};
pub(crate) use crate::shown::Shown;
pub(crate) use crate::wording::{bytes, duration};
