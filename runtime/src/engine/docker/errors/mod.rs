//! What an engine's words mean: one table from what it says to our kinds of failure, for all calls.
//!
//! Engines give status codes that say little (a missing executable is a 400, a taken port a 500), so their words come
//! first. They differ between versions and between Docker and Podman; every difference belongs here.

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;

use bollard::errors::Error;

use crate::engine::{EngineError, EngineErrorKind};

/// What was being done when words came, as far as it decides what they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum During {
    Pull,
    Build,
    Create,
    Start,
    Exec,
    Network,
    Other,
}

/// Words that mean `kind`, when all of them are there and the call is one of `during`.
struct Rule {
    /// Empty for every call.
    during: &'static [During],
    /// In lower case.
    words: &'static [&'static str],
    kind: EngineErrorKind,
}

const fn rule(
    during: &'static [During],
    words: &'static [&'static str],
    kind: EngineErrorKind,
) -> Rule {
    Rule {
        during,
        words,
        kind,
    }
}

const ANY: &[During] = &[];
const PULL: &[During] = &[During::Pull];
const NETWORK: &[During] = &[During::Network];
const START: &[During] = &[During::Create, During::Start];
const RUN: &[During] = &[During::Start, During::Exec];
const CHOOSE: &[During] = &[During::Pull, During::Create, During::Start, During::Exec];

/// The first rule that holds decides.
const RULES: &[Rule] = &[
    rule(ANY, &["no space left on device"], EngineErrorKind::NoSpace),
    rule(ANY, &["disk quota exceeded"], EngineErrorKind::NoSpace),
    // The image and the machine.
    rule(
        CHOOSE,
        &["image operating system"],
        EngineErrorKind::Platform,
    ),
    rule(
        CHOOSE,
        &["does not match the specified platform"],
        EngineErrorKind::Platform,
    ),
    rule(
        CHOOSE,
        &["does not provide the specified platform"],
        EngineErrorKind::Platform,
    ),
    rule(CHOOSE, &["no matching manifest"], EngineErrorKind::Platform),
    rule(
        CHOOSE,
        &["no image found in", "for architecture"],
        EngineErrorKind::Platform,
    ),
    rule(CHOOSE, &["exec format error"], EngineErrorKind::Platform),
    // Creating and starting. What is said of mounts ends like what is said of executables, so it comes before.
    rule(
        START,
        &["bind source path does not exist"],
        EngineErrorKind::MountMissing,
    ),
    rule(
        START,
        &["error mounting", "no such file or directory"],
        EngineErrorKind::MountMissing,
    ),
    rule(
        START,
        &["statfs", "no such file or directory"],
        EngineErrorKind::MountMissing,
    ),
    rule(START, &["error mounting"], EngineErrorKind::Failed),
    rule(
        START,
        &["port is already allocated"],
        EngineErrorKind::PortTaken,
    ),
    rule(
        START,
        &["ports are not available"],
        EngineErrorKind::PortTaken,
    ),
    rule(
        START,
        &["bind: address already in use"],
        EngineErrorKind::PortTaken,
    ),
    // Of a fixed address on a network, not of a port.
    rule(
        START,
        &["address already in use"],
        EngineErrorKind::Conflict,
    ),
    rule(RUN, &["chdir to cwd"], EngineErrorKind::NotFound),
    rule(
        RUN,
        &["executable file not found"],
        EngineErrorKind::CommandNotFound,
    ),
    rule(
        RUN,
        &["executable file", "not found in $path"],
        EngineErrorKind::CommandNotFound,
    ),
    rule(
        RUN,
        &["no such file or directory: unknown"],
        EngineErrorKind::CommandNotFound,
    ),
    rule(
        RUN,
        &["not a directory: unknown"],
        EngineErrorKind::CommandNotFound,
    ),
    rule(
        RUN,
        &["is a directory: unknown"],
        EngineErrorKind::CommandNotFound,
    ),
    rule(
        RUN,
        &["permission denied: unknown"],
        EngineErrorKind::CommandNotFound,
    ),
    rule(
        RUN,
        &["command that was not found"],
        EngineErrorKind::CommandNotFound,
    ),
    rule(
        RUN,
        &["command that cannot be invoked"],
        EngineErrorKind::CommandNotFound,
    ),
    // The state of a container.
    rule(ANY, &["is not running"], EngineErrorKind::Conflict),
    rule(ANY, &["is not paused"], EngineErrorKind::Conflict),
    rule(ANY, &["is already paused"], EngineErrorKind::Conflict),
    // Registries. A host that does not resolve is "not found" to some, so the connection comes before the image.
    rule(PULL, &["connection refused"], EngineErrorKind::Network),
    rule(PULL, &["connection reset"], EngineErrorKind::Network),
    rule(PULL, &["no such host"], EngineErrorKind::Network),
    rule(PULL, &["server misbehaving"], EngineErrorKind::Network),
    rule(PULL, &["network is unreachable"], EngineErrorKind::Network),
    rule(PULL, &["no route to host"], EngineErrorKind::Network),
    rule(PULL, &["i/o timeout"], EngineErrorKind::Network),
    rule(PULL, &["tls handshake"], EngineErrorKind::Network),
    rule(PULL, &["x509:"], EngineErrorKind::Network),
    rule(
        PULL,
        &["http response to https client"],
        EngineErrorKind::Network,
    ),
    rule(PULL, &["client.timeout exceeded"], EngineErrorKind::Network),
    rule(PULL, &["deadline exceeded"], EngineErrorKind::Network),
    rule(PULL, &["request canceled"], EngineErrorKind::Network),
    rule(
        PULL,
        &["unexpected http status: 5"],
        EngineErrorKind::Network,
    ),
    rule(
        PULL,
        &["layer verification failed"],
        EngineErrorKind::Network,
    ),
    rule(PULL, &["eof"], EngineErrorKind::Network),
    rule(PULL, &["unauthorized"], EngineErrorKind::Unauthorized),
    rule(
        PULL,
        &["no basic auth credentials"],
        EngineErrorKind::Unauthorized,
    ),
    rule(
        PULL,
        &["authentication required"],
        EngineErrorKind::Unauthorized,
    ),
    rule(PULL, &["toomanyrequests"], EngineErrorKind::Unauthorized),
    rule(PULL, &["denied"], EngineErrorKind::Unauthorized),
    rule(PULL, &["manifest unknown"], EngineErrorKind::NotFound),
    rule(PULL, &["not found"], EngineErrorKind::NotFound),
    // Networks.
    rule(NETWORK, &["pool overlaps"], EngineErrorKind::Conflict),
    rule(NETWORK, &["is already used"], EngineErrorKind::Conflict),
    rule(
        NETWORK,
        &["address already in use"],
        EngineErrorKind::Conflict,
    ),
    rule(NETWORK, &["already exists"], EngineErrorKind::Conflict),
    rule(NETWORK, &["active endpoints"], EngineErrorKind::Conflict),
    rule(NETWORK, &["is not connected"], EngineErrorKind::Conflict),
];

/// What kind of failure an engine's words are, with the answer's status where there is one.
pub(super) fn classify(during: During, status: Option<u16>, message: &str) -> EngineErrorKind {
    let message = message.to_lowercase();
    let found = RULES.iter().find(|rule| {
        (rule.during.is_empty() || rule.during.contains(&during))
            && rule.words.iter().all(|words| message.contains(words))
    });
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

fn explain(during: During, error: &Error) -> (EngineErrorKind, String) {
    match error {
        Error::DockerResponseServerError {
            status_code,
            message,
        } => {
            let message = match message.trim() {
                "" => format!("the engine answers with status {status_code}"),
                message => message.to_owned(),
            };
            (classify(during, Some(*status_code), &message), message)
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
