//! The meaning of an engine's messages: one table from message to kind of failure, for all calls.
//!
//! Status codes of engines say little (a missing executable is a 400, a taken port a 500), so the messages come first.
//! The messages differ between versions and between Docker and Podman. Every difference belongs here.

mod occupied;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;

use bollard::errors::Error;

use crate::engine::error::{EngineError, EngineErrorKind};

pub(super) use self::occupied::occupied;

/// The call that failed, as far as it decides the meaning of the message.
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

/// Messages that mean `kind` in a call of `during`.
struct Rule {
    /// Empty for every call.
    during: &'static [During],
    kind: EngineErrorKind,
    /// The message contains one of these, in lower case. All parts between ` .. ` must be in the message.
    phrases: &'static [&'static str],
}

/// The first rule that matches decides.
const RULES: &[Rule] = &[
    Rule {
        during: &[],
        kind: EngineErrorKind::NoSpace,
        phrases: &["no space left on device", "disk quota exceeded"],
    },
    // The kernel still holds a mount of a container that is being removed.
    Rule {
        during: &[During::Other],
        kind: EngineErrorKind::Busy,
        phrases: &["device or resource busy"],
    },
    // A step of an aborted build uses the image until the engine has removed the step.
    Rule {
        during: &[During::RemoveImage],
        kind: EngineErrorKind::Busy,
        phrases: &[
            "image is being used by",
            "image used by",
            "image is in use by",
        ],
    },
    // The image does not fit the machine.
    Rule {
        during: &[During::Pull, During::Create, During::Start, During::Exec],
        kind: EngineErrorKind::Platform,
        phrases: &[
            "image operating system",
            "does not match the specified platform",
            "does not provide the specified platform",
            "no matching manifest",
            "no image found in .. for architecture",
            "exec format error",
        ],
    },
    // Creating and starting. Messages about mounts end like messages about executables, so they come first.
    Rule {
        during: &[During::Create, During::Start],
        kind: EngineErrorKind::MountMissing,
        phrases: &[
            "bind source path does not exist",
            "error mounting .. no such file or directory",
            "statfs .. no such file or directory",
        ],
    },
    Rule {
        during: &[During::Create, During::Start],
        kind: EngineErrorKind::Failed,
        phrases: &["error mounting"],
    },
    Rule {
        during: &[During::Create, During::Start],
        kind: EngineErrorKind::PortTaken,
        phrases: &[
            "port is already allocated",
            "ports are not available",
            "bind: address already in use",
        ],
    },
    // Without "bind" the message is about a fixed address on a network, not about a port.
    Rule {
        during: &[During::Create, During::Start],
        kind: EngineErrorKind::Conflict,
        phrases: &["address already in use"],
    },
    Rule {
        during: &[During::Start, During::Exec],
        kind: EngineErrorKind::NotFound,
        phrases: &["chdir to cwd"],
    },
    Rule {
        during: &[During::Start, During::Exec],
        kind: EngineErrorKind::CommandNotFound,
        phrases: &[
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
    // Unpacking an archive: Docker's messages, and Podman's. Before "is not running", as they have a path of the user.
    Rule {
        during: &[During::Other],
        kind: EngineErrorKind::Occupied,
        phrases: &[
            "cannot overwrite directory \" .. with non-directory",
            "cannot overwrite non-directory \" .. with directory",
            "copier: put: error creating \" .. file exists",
        ],
    },
    // The state of a container.
    Rule {
        during: &[],
        kind: EngineErrorKind::NotFound,
        phrases: &["marked for removal"],
    },
    Rule {
        during: &[],
        kind: EngineErrorKind::Conflict,
        phrases: &["is not running", "is not paused", "is already paused"],
    },
    // Docker's message, and Podman's with the name of the driver inside.
    Rule {
        during: &[During::Other],
        kind: EngineErrorKind::LogUnreadable,
        phrases: &[
            "logging driver does not support reading",
            "log driver, cannot read logs",
        ],
    },
    // Docker's first builder, BuildKit, and Podman's builder.
    Rule {
        during: &[During::Build],
        kind: EngineErrorKind::Dockerfile,
        phrases: &[
            "dockerfile parse error",
            "unknown instruction",
            "unknown flag",
        ],
    },
    // Registries. Some report an unknown host as "not found", so the connection comes before the image.
    Rule {
        during: &[During::Pull],
        kind: EngineErrorKind::Network,
        phrases: &[
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
        phrases: &[
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
        phrases: &["manifest unknown", "not found"],
    },
    Rule {
        during: &[During::Network],
        kind: EngineErrorKind::Conflict,
        phrases: &[
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
    /// Whether the rule matches a message in lower case.
    fn holds(&self, during: During, message: &str) -> bool {
        (self.during.is_empty() || self.during.contains(&during))
            && self
                .phrases
                .iter()
                .any(|phrase| phrase.split(" .. ").all(|part| message.contains(part)))
    }
}

/// The kind of failure of an engine's message, with the status of the answer if known.
pub(super) fn classify(during: During, status: Option<u16>, message: &str) -> EngineErrorKind {
    let message = message.to_lowercase();
    let found = RULES.iter().find(|rule| rule.holds(during, &message));
    match (found, during, status) {
        (Some(rule), ..) => rule.kind,
        // What a Dockerfile names may be missing before any step.
        (None, During::Build, _) => EngineErrorKind::Build,
        (None, During::Pull, Some(401 | 403)) => EngineErrorKind::Unauthorized,
        (None, _, Some(404)) => EngineErrorKind::NotFound,
        (None, _, Some(409)) => EngineErrorKind::Conflict,
        _ => EngineErrorKind::Failed,
    }
}

/// Turns an error of bollard into ours; for `map_err`. `attempt` fits behind "cannot".
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

/// Prefixes that the parts of an engine put before a message. They do not help the user.
const PREFIXES: &[&str] = &[
    "failed to create task for container: ",
    "failed to create shim task: ",
    "OCI runtime create failed: ",
    "OCI runtime exec failed: ",
    "runc create failed: ",
    "exec failed: ",
    "unable to start container process: ",
    "error during container init: ",
    // BuildKit's.
    "failed to solve: ",
    "failed to solve with frontend dockerfile.v0: ",
    "failed to solve with frontend gateway.v0: ",
    "failed to create LLB definition: ",
    "rpc error: code = Unknown desc = ",
];

/// A message without these prefixes.
pub(super) fn without_prefixes(message: &str) -> &str {
    let mut message = message.trim();
    while let Some(inner) = PREFIXES
        .iter()
        .find_map(|wrapping| message.strip_prefix(wrapping))
    {
        message = inner;
    }
    // containerd's suffix for a message of unknown kind.
    message.strip_suffix(": unknown").unwrap_or(message)
}

fn explain(during: During, error: &Error) -> (EngineErrorKind, String) {
    match error {
        Error::DockerResponseServerError {
            status_code,
            message,
        } => {
            let kind = classify(during, Some(*status_code), message);
            let message = match without_prefixes(message) {
                "" => format!("the engine answers with status {status_code}"),
                message => message.to_owned(),
            };
            (kind, message)
        }
        Error::DockerStreamError { error } => (
            classify(during, None, error),
            without_prefixes(error).to_owned(),
        ),
        Error::RequestTimeoutError => (
            EngineErrorKind::Unreachable,
            "the engine does not answer".to_owned(),
        ),
        Error::SocketNotFoundError(path) => (
            EngineErrorKind::Unreachable,
            format!("the socket {path} does not exist"),
        ),
        Error::HyperLegacyError { .. }
        | Error::HyperResponseError { .. }
        | Error::IOError { .. } => broken_connection(error),
        Error::JsonDataError { .. } | Error::JsonSerdeError { .. } => (
            EngineErrorKind::Failed,
            format!("cannot read the engine's answer: {error}"),
        ),
        _ => (EngineErrorKind::Failed, error.to_string()),
    }
}

/// An error of a connection that was not made, or that broke. The innermost cause has the reason, and the others repeat
/// it.
fn broken_connection(error: &Error) -> (EngineErrorKind, String) {
    let mut next: Option<&(dyn std::error::Error + 'static)> = match error {
        // These errors display their cause themselves and leave it out of their sources.
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
        // The server that answers is not an engine.
        EngineErrorKind::Failed
    } else {
        EngineErrorKind::Unreachable
    };
    (kind, message)
}
