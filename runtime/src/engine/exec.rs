//! Commands in containers, and the output of commands and containers.

use crate::answers::ExecOutput;
use crate::output::{self, End, OUTPUT_MAX, REPORT_MAX};

/// A piece of output. Pieces end anywhere, also inside a line or a character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    /// Whether the piece is of standard error. The output of a terminal counts as standard output.
    pub(crate) stderr: bool,
    pub(crate) bytes: Vec<u8>,
}

/// A command to run in a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExecSpec {
    /// The purpose of the output.
    pub(crate) output: OutputUse,
    pub(crate) command: Vec<String>,
    /// `NAME=value`.
    pub(crate) env: Vec<String>,
    pub(crate) user: Option<String>,
    pub(crate) workdir: Option<String>,
}

/// The purpose of a command's output, which decides how much of it is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OutputUse {
    /// An error may show its last lines.
    #[default]
    Report,
    /// The caller wants the output.
    Answer,
}

/// How a command ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExecResult {
    pub(crate) code: i64,
    /// Only the end of it if it is long.
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// How many bytes were dropped at the beginning of standard output.
    pub(crate) stdout_dropped: u64,
    pub(crate) stderr_dropped: u64,
}

impl ExecResult {
    /// What a handle is answered with.
    pub(crate) fn into_answer(self) -> ExecOutput {
        ExecOutput {
            code: self.code,
            stdout: output::text(self.stdout, self.stdout_dropped),
            stderr: output::text(self.stderr, self.stderr_dropped),
            truncated: self.stdout_dropped + self.stderr_dropped,
        }
    }
}

/// Collects a command's output.
#[derive(Debug)]
pub(crate) struct Collected {
    stdout: End,
    stderr: End,
}

impl Collected {
    pub(crate) fn new(output: OutputUse) -> Self {
        let max = match output {
            OutputUse::Report => REPORT_MAX,
            OutputUse::Answer => OUTPUT_MAX,
        };
        Self {
            stdout: End::of(max),
            stderr: End::of(max),
        }
    }

    pub(crate) fn push(&mut self, piece: &Output) {
        match piece.stderr {
            true => self.stderr.push(&piece.bytes),
            false => self.stdout.push(&piece.bytes),
        }
    }

    /// The result of a command that has ended with this exit code.
    pub(crate) fn ended(self, code: i64) -> ExecResult {
        let (stdout, stdout_dropped) = self.stdout.finish();
        let (stderr, stderr_dropped) = self.stderr.finish();
        ExecResult {
            code,
            stdout,
            stderr,
            stdout_dropped,
            stderr_dropped,
        }
    }
}
