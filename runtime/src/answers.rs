//! What users are told as plain values: a line of a log, how a command ended, what is kept.
//!
//! None of them is serializable, for whatever users can write down could never change. How the messages carry them is in
//! `protocol`.

use std::time::Duration;

/// A line of a service's output.
///
/// A line of more than 64 KiB is cut, so that one that never ends fills nobody's memory: its first 64 KiB are handed out
/// as soon as they are there, with ` [.. the rest of this line is cut]` behind them. Where it ends after all, another
/// line of the same stream says how much is missing: `[.. 1048576 more bytes of this line are cut]`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLine {
    /// Whether it was written to standard error.
    pub stderr: bool,
    /// The line without its end; bytes that are not UTF-8 are replaced.
    pub text: String,
}

impl std::fmt::Display for LogLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// How a command ended that was run in a service's container.
///
/// Of each of its outputs the last 16 MiB are here. A longer one begins with a line that says how much is missing, such as
/// `[.. 1048576 bytes before this are cut]`, and [`truncated`](Self::truncated) is not 0. What a command writes into a file
/// can be copied whole, with [`Service::copy_out`](crate::Service::copy_out).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExecOutput {
    /// Exit code; 0 is success.
    pub code: i64,
    /// What it wrote to standard output; bytes that are not UTF-8 are replaced.
    pub stdout: String,
    /// What it wrote to standard error; bytes that are not UTF-8 are replaced.
    pub stderr: String,
    /// How many bytes are missing at the beginnings of both outputs; 0 where they are whole.
    pub truncated: u64,
}

impl ExecOutput {
    /// Whether the exit code is 0.
    pub fn success(&self) -> bool {
        self.code == 0
    }
}

/// A service that is kept on this machine: declared with `scope = keep`, and used again by later runs.
///
/// ```no_run
/// for kept in seatrial::kept().wait()? {
///     println!("{}.{} in {}", kept.composition, kept.service, kept.container);
/// }
/// # Ok::<(), seatrial::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptService {
    /// The composition that declares it.
    pub composition: String,
    /// The field that declares it.
    pub service: String,
    /// What its container is made from, as declared.
    pub image: String,
    /// The id of its container; empty until that is there.
    pub container: String,
    /// For how long nobody has used it; `None` while somebody does.
    pub idle: Option<Duration>,
    /// How long it stays when nobody uses it.
    pub stays: Duration,
}
