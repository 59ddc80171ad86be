//! Waiting for a container to be ready.
//!
//! Owns the checks and the timing of their attempts. Must not start, remove or print anything: the caller runs
//! probe containers and the user's functions through [`ProbeRunner`]. Every quote from outside or from a declaration
//! passes the redactor before it becomes part of a message.
//!
//! The log and the end of the container are followed. All other checks are attempted at once, then with pauses that
//! begin short. An attempt that could hang on a connection has a deadline, so that it does not use up the time of the
//! whole wait.

mod check;
mod exec;
mod http;
mod log;
mod not_ready;
mod outcome;
mod output_position;
mod pace;
mod probe;
mod protocol;
pub(crate) mod reach;
pub(crate) mod sockets;
mod subject;
mod tcp;
#[cfg(test)]
mod tests;
mod timing;
mod wait;
mod watch;

pub(crate) use self::check::Check;
pub(crate) use self::exec::shown;
#[cfg(any(test, fuzzing))]
pub(crate) use self::log::fuzzing;
pub(crate) use self::not_ready::{NotReady, NotReadyReason};
pub(crate) use self::output_position::OutputPosition;
#[cfg(any(test, fuzzing))]
pub(crate) use self::protocol::fuzzing::conversations;
pub(crate) use self::subject::{ProbeRunner, Run, Subject};
pub(crate) use self::timing::PreparedTiming;
pub(crate) use self::wait::{wait, wait_again};
