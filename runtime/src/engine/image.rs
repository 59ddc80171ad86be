//! Images: what an engine is asked about them, and what it answers.

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
    /// What its containers run unless they are told otherwise: its entrypoint and its command.
    pub(crate) command: Vec<String>,
    /// The command of the image's `HEALTHCHECK`, with `CMD`, `CMD-SHELL` or `NONE` as its first word. Empty without
    /// one.
    pub(crate) healthcheck: Vec<String>,
    /// The user that `USER` names. Empty for root.
    pub(crate) user: String,
    /// The directory that `WORKDIR` names. Empty for the root.
    pub(crate) workdir: String,
    pub(crate) labels: BTreeMap<String, String>,
}

/// What to pull.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PullSpec<'a> {
    pub(crate) image: &'a ImageRef,
    pub(crate) platform: Option<&'a str>,
    pub(crate) credentials: Option<&'a Credentials>,
}

/// The credentials of a pull.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// User name and password.
    Password { user: String, password: String },
    /// An identity token of the registry.
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

/// An image to build.
#[derive(Debug)]
pub(crate) struct BuildSpec<'a> {
    /// Path of the Dockerfile in the context.
    pub(crate) dockerfile: &'a str,
    /// The stage to build; `None` for the last one.
    pub(crate) target: Option<&'a str>,
    /// Whether only BuildKit can build it, on an engine that has another builder, too.
    pub(crate) needs_buildkit: bool,
    pub(crate) platform: Option<&'a str>,
    /// Values for the Dockerfile's `ARG`s.
    pub(crate) args: &'a BTreeMap<String, String>,
    pub(crate) tag: &'a str,
    pub(crate) labels: &'a BTreeMap<String, String>,
}

/// Receives an engine's reports during a pull or a build.
pub(crate) type ProgressSink<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// A report during a pull or a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Progress {
    /// The progress of a layer.
    Layer {
        /// The layer's id.
        id: String,
        /// The engine's status: `Downloading`, `Extracting`, `Pull complete`.
        status: String,
        /// Bytes so far, if known.
        current: Option<u64>,
        /// Bytes in total, if known.
        total: Option<u64>,
    },
    /// A line of a build's output, or the status of a pull.
    Line(String),
    /// The id of an image that a step of this build has made. Images that existed before are not reported.
    Made(String),
}
