//! What a process shows to people, as data: so that one that nobody sees can have it shown by another.
//!
//! Nothing here shows anything: `terminal` and `images` do.

use serde::{Deserialize, Serialize};

use crate::engine::Progress;

/// Something for people to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Shown {
    /// A text, whole lines.
    Text(String),
    /// How far work on an image is.
    Progress(ProgressReport),
}

/// How far work on an image is, from the process that does it to one that people see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ProgressReport {
    /// Something to know that is no progress.
    Note(String),
    /// Work has begun. The others tell of it by its number.
    Begun {
        task: u64,
        work: Work,
        image: String,
    },
    /// What an engine reports.
    Engine {
        task: u64,
        progress: Progress,
    },
    /// More bytes of what is made here.
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
    /// The number of the work that it begins (`true`) or ends.
    pub(crate) fn begins_or_ends(&self) -> Option<(u64, bool)> {
        match self {
            Self::Begun { task, .. } => Some((*task, true)),
            Self::Done { task } | Self::Failed { task } => Some((*task, false)),
            Self::Note(_) | Self::Engine { .. } | Self::Bytes { .. } => None,
        }
    }
}

/// What is done to get an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Work {
    Pull,
    Build,
    Script,
}
