//! The plain values that operations return: a line of a log, the output of a command, a kept service.
//!
//! None of them is serializable, so that they can grow. `protocol` has the forms in which messages carry them.

use std::time::Duration;

/// A line of a service's output.
///
/// A line longer than 64 KiB is cut, so that a line without an end does not fill the memory. Its first 64 KiB are handed out
/// as soon as they have arrived, followed by ` [.. the rest of this line is cut]`. When the line ends, another line of the same
/// stream says how much is missing: `[.. 1048576 more bytes of this line are cut]`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLine {
    /// Whether it was written to standard error.
    pub stderr: bool,
    /// The line, without the line break. Bytes that are not UTF-8 are replaced.
    pub text: String,
}

impl std::fmt::Display for LogLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// The exit code and the output of a command that was run in a service's container.
///
/// Each of the two outputs is limited to its last 16 MiB. A longer output begins with a line that says how much is missing,
/// such as `[.. 1048576 bytes before this are cut]`, and [`truncated`](Self::truncated) is not 0. For more output, have the
/// command write a file, and copy that with [`Service::copy_out`](crate::Service::copy_out).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExecOutput {
    /// The exit code. 0 is success.
    pub code: i64,
    /// The standard output of the command. Bytes that are not UTF-8 are replaced.
    pub stdout: String,
    /// The standard error of the command. Bytes that are not UTF-8 are replaced.
    pub stderr: String,
    /// How many bytes are missing at the beginnings of the two outputs together. 0 if both are complete.
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
    /// The image of its container, as declared.
    pub image: String,
    /// The id of its container. Empty until the container is created.
    pub container: String,
    /// How long the service has been unused. `None` while it is in use.
    pub idle: Option<Duration>,
    /// How long the service stays when nobody uses it.
    pub stays: Duration,
}
