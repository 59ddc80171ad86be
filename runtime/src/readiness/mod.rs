//! Waiting for a container to be ready.
//!
//! Owns the checks and the timing of their attempts. It starts nothing and removes nothing: a probe container and the
//! user's function are run by whoever waits, through [`ProbeRunner`]. Nothing here prints. What a check quotes from
//! outside or from a declaration passes the redactor before it goes into a sentence.
//!
//! What can be followed (the log, the container's end) is followed; the rest is attempted at once, then at a pace that
//! begins fast. A single attempt is bounded where it could hang on a connection, so that it does not use up the
//! time of the whole wait.

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
