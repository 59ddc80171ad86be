//! Everything that people see on their terminal, except the progress of images: the text of each kind of message, and writing to
//! standard error.
//!
//! A function that makes a text must not show it. The text of an error belongs to the error.

mod failed_test;
mod kept;
mod launch;
mod stderr;

pub(crate) use self::failed_test::{
    LOG_LINE, NUMBER_OF_LINES, given_back, log_of_failed_test, still_launching, test_is_stuck,
    waited_for,
};
pub(crate) use self::kept::{Stay, dropped, kept, replaced};
pub(crate) use self::launch::launched;
pub(crate) use self::stderr::{
    interrupted, is_seen, not_removed, redirect, say, say_on, show, show_progress, warn,
};
pub(crate) use crate::shown::Shown;
pub(crate) use crate::wording::{bytes, duration};
