//! Images: what is asked of an engine about them, and what it says.

use std::collections::BTreeMap;
use std::fmt;

use seatrial_model::ImageRef;
use serde::{Deserialize, Serialize};

/// An image in the engine's store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ImageInfo {
    pub(crate) id: String,
    pub(crate) os: String,
    pub(crate) arch: String,
    pub(crate) command: Vec<String>,
    /// The `HEALTHCHECK`'s command as the image has it, its first word `CMD`, `CMD-SHELL` or `NONE`; empty without one.
    pub(crate) healthcheck: Vec<String>,
    /// Who runs it, as `USER` has it; empty for root.
    pub(crate) user: String,
    pub(crate) labels: BTreeMap<String, String>,
}

/// What to pull.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PullSpec<'a> {
    pub(crate) image: &'a ImageRef,
    pub(crate) platform: Option<&'a str>,
    pub(crate) credentials: Option<&'a Credentials>,
}

/// Who pulls.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// User name and password.
    Password { user: String, password: String },
    /// An identity token of the registry's.
    Token(String),
}

/// Never shows a password.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { user, .. } => write!(f, "password of {user}"),
            Self::Token(_) => f.write_str("token"),
        }
    }
}

/// What to build.
#[derive(Debug)]
pub(crate) struct BuildSpec<'a> {
    /// The context, a tar.
    pub(crate) context: Vec<u8>,
    /// Path of the Dockerfile in the context.
    pub(crate) dockerfile: &'a str,
    /// Values for the Dockerfile's `ARG`s.
    pub(crate) args: &'a BTreeMap<String, String>,
    pub(crate) tag: &'a str,
    pub(crate) labels: &'a BTreeMap<String, String>,
}

/// Takes what an engine reports while it pulls or builds.
pub(crate) type ProgressSink<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// A report while an image is pulled or built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Progress {
    /// A layer is on its way.
    Layer {
        /// The layer's id.
        id: String,
        /// In the engine's words: `Downloading`, `Extracting`, `Pull complete`.
        status: String,
        /// Bytes done, where known.
        current: Option<u64>,
        /// Bytes in all, where known.
        total: Option<u64>,
    },
    /// A line of a build's output, or a status of the whole.
    Line(String),
    /// The id of an image that a step of a build has made; not of one that was there already.
    Made(String),
}
