//! Texts and progress for people, as data, so that a process without a terminal can have another process show them.
//!
//! It must not show anything itself: `terminal` and `images` do.

use serde::{Deserialize, Serialize};

use crate::engine::Progress;

/// Something for people to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Shown {
    /// A text, whole lines.
    Text(String),
    /// The progress of work on an image or a binary.
    Progress(ProgressReport),
}

/// The progress of work on an image, from the process that does it to one that people see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ProgressReport {
    /// A notice that is not about progress.
    Note(String),
    /// Work has begun. The other reports refer to it by its number.
    Begun {
        task: u64,
        work: Work,
        image: String,
    },
    /// A report of the engine.
    Engine {
        task: u64,
        progress: Progress,
    },
    /// The number of further bytes of an image that is made here.
    Bytes {
        task: u64,
        more: u64,
    },
    Done {
        task: u64,
    },
    Failed {
        task: u64,
    },
}

impl ProgressReport {
    /// The number of the work that the report begins (`true`) or ends (`false`).
    pub(crate) fn begins_or_ends(&self) -> Option<(u64, bool)> {
        match self {
            Self::Begun { task, .. } => Some((*task, true)),
            Self::Done { task } | Self::Failed { task } => Some((*task, false)),
            Self::Note(_) | Self::Engine { .. } | Self::Bytes { .. } => None,
        }
    }
}

/// How an image is obtained, or a binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Work {
    Pull,
    Build,
    Script,
    /// Cargo builds a binary.
    Compile,
}
