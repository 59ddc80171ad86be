//! What an engine's words mean: one table from what it says to our kinds of failure, for all calls.
//!
//! Engines give status codes that say little (a missing executable is a 400, a taken port a 500), so their words come
//! first. They differ between versions and between Docker and Podman; every difference belongs here.

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;

use bollard::errors::Error;

use crate::engine::error::{EngineError, EngineErrorKind};

/// What was being done when words came, as far as it decides what they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum During {
    Pull,
    Build,
    Create,
    Start,
    Exec,
    Network,
    RemoveImage,
    Other,
}

/// Words that mean `kind` in a call that is one of `during`.
struct Rule {
    /// Empty for every call.
    during: &'static [During],
    kind: EngineErrorKind,
    /// One of these, in lower case. Where a text has parts with ` .. ` between them, all of them must be there.
    words: &'static [&'static str],
}

/// The first rule that holds decides.
const RULES: &[Rule] = &[
    Rule {
        during: &[],
        kind: EngineErrorKind::NoSpace,
        words: &["no space left on device", "disk quota exceeded"],
    },
    // A mount that the kernel still holds, of a container that is being removed.
    Rule {
        during: &[During::Other],
        kind: EngineErrorKind::Busy,
        words: &["device or resource busy"],
    },
    // Of a step of a build that was cut short, until the engine has removed it.
    Rule {
        during: &[During::RemoveImage],
        kind: EngineErrorKind::Busy,
        words: &[
            "image is being used by",
            "image used by",
            "image is in use by",
        ],
    },
    // The image and the machine.
    Rule {
        during: &[During::Pull, During::Create, During::Start, During::Exec],
        kind: EngineErrorKind::Platform,
        words: &[
            "image operating system",
            "does not match the specified platform",
            "does not provide the specified platform",
            "no matching manifest",
            "no image found in .. for architecture",
            "exec format error",
        ],
    },
    // Creating and starting. What is said of mounts ends like what is said of executables, so it comes before.
    Rule {
        during: &[During::Create, During::Start],
        kind: EngineErrorKind::MountMissing,
        words: &[
            "bind source path does not exist",
            "error mounting .. no such file or directory",
            "statfs .. no such file or directory",
        ],
    },
    Rule {
        during: &[During::Create, During::Start],
        kind: EngineErrorKind::Failed,
        words: &["error mounting"],
    },
    Rule {
        during: &[During::Create, During::Start],
        kind: EngineErrorKind::PortTaken,
        words: &[
            "port is already allocated",
            "ports are not available",
            "bind: address already in use",
        ],
    },
    // Without "bind" it is a fixed address on a network, not a port.
    Rule {
        during: &[During::Create, During::Start],
        kind: EngineErrorKind::Conflict,
        words: &["address already in use"],
    },
    Rule {
        during: &[During::Start, During::Exec],
        kind: EngineErrorKind::NotFound,
        words: &["chdir to cwd"],
    },
    Rule {
        during: &[During::Start, During::Exec],
        kind: EngineErrorKind::CommandNotFound,
        words: &[
            "executable file not found",
            "executable file .. not found in $path",
            "exec: \" .. no such file or directory",
            "exec: \" .. not a directory",
            "exec: \" .. is a directory",
            "exec: \" .. permission denied",
            "no such file or directory: unknown",
            "permission denied: unknown",
            "command that was not found",
            "command that cannot be invoked",
        ],
    },
    // The state of a container.
    Rule {
        during: &[],
        kind: EngineErrorKind::NotFound,
        words: &["marked for removal"],
    },
    Rule {
        during: &[],
        kind: EngineErrorKind::Conflict,
        words: &["is not running", "is not paused", "is already paused"],
    },
    // Docker; Podman, with the driver's name in between.
    Rule {
        during: &[During::Other],
        kind: EngineErrorKind::LogUnreadable,
        words: &[
            "logging driver does not support reading",
            "log driver, cannot read logs",
        ],
    },
    // Registries. A host that does not resolve is "not found" to some, so the connection comes before the image.
    Rule {
        during: &[During::Pull],
        kind: EngineErrorKind::Network,
        words: &[
            "connection refused",
            "connection reset",
            "no such host",
            "server misbehaving",
            "network is unreachable",
            "no route to host",
            "i/o timeout",
            "tls handshake",
            "x509:",
            "http response to https client",
            "client.timeout exceeded",
            "deadline exceeded",
            "request canceled",
            "unexpected http status: 5",
            "layer verification failed",
            "eof",
        ],
    },
    Rule {
        during: &[During::Pull],
        kind: EngineErrorKind::Unauthorized,
        words: &[
            "unauthorized",
            "no basic auth credentials",
            "authentication required",
            "toomanyrequests",
            "denied",
        ],
    },
    Rule {
        during: &[During::Pull],
        kind: EngineErrorKind::NotFound,
        words: &["manifest unknown", "not found"],
    },
    Rule {
        during: &[During::Network],
        kind: EngineErrorKind::Conflict,
        words: &[
            "pool overlaps",
            "overlapping ipv4",
            "is already used",
            "address already in use",
            "already exists",
            "active endpoints",
            "is not connected",
        ],
    },
];

impl Rule {
    /// Whether it holds for a message in lower case.
    fn holds(&self, during: During, message: &str) -> bool {
        (self.during.is_empty() || self.during.contains(&during))
            && self
                .words
                .iter()
                .any(|words| words.split(" .. ").all(|part| message.contains(part)))
    }
}

/// What kind of failure an engine's words are, with the answer's status where there is one.
pub(super) fn classify(during: During, status: Option<u16>, message: &str) -> EngineErrorKind {
    let message = message.to_lowercase();
    let found = RULES.iter().find(|rule| rule.holds(during, &message));
    match (found, during, status) {
        (Some(rule), ..) => rule.kind,
        // A Dockerfile that does not parse is refused before any step.
        (None, During::Build, _) => EngineErrorKind::Build,
        (None, During::Pull, Some(401 | 403)) => EngineErrorKind::Unauthorized,
        (None, _, Some(404)) => EngineErrorKind::NotFound,
        (None, _, Some(409)) => EngineErrorKind::Conflict,
        _ => EngineErrorKind::Failed,
    }
}

/// Turns an error of bollard's into ours; for `map_err`. `attempt` fits behind "cannot".
pub(super) fn failed(
    during: During,
    attempt: impl fmt::Display,
) -> impl FnOnce(Error) -> EngineError {
    move |error| {
        let (kind, message) = explain(during, &error);
        EngineError {
            kind,
            attempt: attempt.to_string(),
            message,
        }
    }
}

/// What the parts of an engine that a message came through put around it: it tells nobody anything.
const WRAPPINGS: &[&str] = &[
    "failed to create task for container: ",
    "failed to create shim task: ",
    "OCI runtime create failed: ",
    "OCI runtime exec failed: ",
    "runc create failed: ",
    "exec failed: ",
    "unable to start container process: ",
    "error during container init: ",
];

/// A message without its wrappings.
pub(super) fn unwrapped(message: &str) -> &str {
    let mut message = message.trim();
    while let Some(inner) = WRAPPINGS
        .iter()
        .find_map(|wrapping| message.strip_prefix(wrapping))
    {
        message = inner;
    }
    // What containerd ends each message with that is of no kind it knows.
    message.strip_suffix(": unknown").unwrap_or(message)
}

fn explain(during: During, error: &Error) -> (EngineErrorKind, String) {
    match error {
        Error::DockerResponseServerError {
            status_code,
            message,
        } => {
            let kind = classify(during, Some(*status_code), message);
            let message = match unwrapped(message) {
                "" => format!("the engine answers with status {status_code}"),
                message => message.to_owned(),
            };
            (kind, message)
        }
        Error::DockerStreamError { error } => {
            (classify(during, None, error), error.trim().to_owned())
        }
        Error::RequestTimeoutError => (
            EngineErrorKind::Unreachable,
            "the engine does not answer".to_owned(),
        ),
        Error::SocketNotFoundError(path) => (
            EngineErrorKind::Unreachable,
            format!("there is no socket {path}"),
        ),
        Error::HyperLegacyError { .. }
        | Error::HyperResponseError { .. }
        | Error::IOError { .. } => broken(error),
        Error::JsonDataError { .. } | Error::JsonSerdeError { .. } => (
            EngineErrorKind::Failed,
            format!("the engine's answer is not understood: {error}"),
        ),
        _ => (EngineErrorKind::Failed, error.to_string()),
    }
}

/// The connection could not be made, or broke. The innermost cause says why; those around it only repeat it.
fn broken(error: &Error) -> (EngineErrorKind, String) {
    let mut next: Option<&(dyn std::error::Error + 'static)> = match error {
        // These show their cause as themselves and leave it out of their sources.
        Error::IOError { err } => Some(err),
        Error::HyperResponseError { err } => Some(err),
        _ => Some(error),
    };
    let mut causes = Vec::new();
    while let Some(cause) = next {
        causes.push(cause);
        next = cause.source();
    }
    let denied = causes
        .iter()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::PermissionDenied);
    let message = causes.last().map(ToString::to_string).unwrap_or_default();
    let kind = if denied {
        EngineErrorKind::PermissionDenied
    } else if message.starts_with("invalid HTTP") {
        // Something answers, but it is no engine.
        EngineErrorKind::Failed
    } else {
        EngineErrorKind::Unreachable
    };
    (kind, message)
}
