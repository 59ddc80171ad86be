//! What an engine's words mean: one table from what it says to our kinds of failure, for all calls.
//!
//! Engines give status codes that say little (a missing executable is a 400, a taken port a 500), so their words come
//! first. They differ between versions and between Docker and Podman; every difference belongs here.

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

#[cfg(test)]
mod tests {
    use super::*;

    /// What engines really say, and what it is.
    const SAID: &[(During, Option<u16>, &str, EngineErrorKind)] = &[
        (
            During::Create,
            Some(404),
            "No such image: redis:7",
            EngineErrorKind::NotFound,
        ),
        (
            During::Create,
            Some(409),
            "Conflict. The container name \"/db\" is already in use by container \"f6cd\". You have to remove (or rename) that container to be able to reuse that name.",
            EngineErrorKind::Conflict,
        ),
        (
            During::Create,
            Some(404),
            "image with reference debian:bookworm-slim was found but does not match the specified platform: wanted linux/s390x, actual: linux/amd64",
            EngineErrorKind::Platform,
        ),
        (
            During::Create,
            Some(400),
            "invalid mount config for type \"bind\": bind source path does not exist: /src",
            EngineErrorKind::MountMissing,
        ),
        (
            During::Start,
            Some(400),
            "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error mounting \"/src\" to rootfs at \"/x\": mount /src:/x (via /proc/self/fd/6), flags: 0x5000: no such file or directory: unknown",
            EngineErrorKind::MountMissing,
        ),
        (
            During::Start,
            Some(400),
            "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error mounting \"/etc/passwd\" to rootfs at \"/etc\": mount /etc/passwd:/etc (via /proc/self/fd/6), flags: 0x5000: not a directory: unknown: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type",
            EngineErrorKind::Failed,
        ),
        (
            During::Start,
            Some(400),
            "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"nope\": executable file not found in $PATH: unknown",
            EngineErrorKind::CommandNotFound,
        ),
        (
            During::Start,
            Some(400),
            "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"/nope\": stat /nope: no such file or directory: unknown",
            EngineErrorKind::CommandNotFound,
        ),
        (
            During::Start,
            Some(400),
            "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"/etc/passwd\": permission denied: unknown",
            EngineErrorKind::CommandNotFound,
        ),
        (
            During::Start,
            Some(500),
            "crun: executable file `nope` not found in $PATH: No such file or directory: OCI runtime attempted to invoke a command that was not found",
            EngineErrorKind::CommandNotFound,
        ),
        (
            During::Start,
            Some(500),
            "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: unable to apply caps: operation not permitted: unknown",
            EngineErrorKind::Failed,
        ),
        (
            During::Start,
            Some(500),
            "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec /app: exec format error: unknown",
            EngineErrorKind::Platform,
        ),
        (
            During::Start,
            Some(500),
            "driver failed programming external connectivity on endpoint db (8f1c): Bind for 127.0.0.1:5432 failed: port is already allocated",
            EngineErrorKind::PortTaken,
        ),
        (
            During::Start,
            Some(500),
            "driver failed programming external connectivity on endpoint db (8f1c): Error starting userland proxy: listen tcp4 127.0.0.1:5432: bind: address already in use",
            EngineErrorKind::PortTaken,
        ),
        (
            During::Start,
            Some(403),
            "Address already in use",
            EngineErrorKind::Conflict,
        ),
        (
            During::Start,
            Some(404),
            "network fleet not found",
            EngineErrorKind::NotFound,
        ),
        (
            During::Start,
            Some(500),
            "error creating overlay mount to /var/lib/docker/overlay2/3e/merged: no space left on device",
            EngineErrorKind::NoSpace,
        ),
        (
            During::Exec,
            None,
            "OCI runtime exec failed: exec failed: unable to start container process: chdir to cwd (\"/nope\") set in config.json failed: no such file or directory: unknown",
            EngineErrorKind::NotFound,
        ),
        (
            During::Exec,
            Some(400),
            "OCI runtime exec failed: exec failed: unable to start container process: exec: \"nope\": executable file not found in $PATH: unknown",
            EngineErrorKind::CommandNotFound,
        ),
        (
            During::Exec,
            Some(400),
            "unable to find user nobodyx: no matching entries in passwd file",
            EngineErrorKind::Failed,
        ),
        (
            During::Other,
            Some(500),
            "Container 9c6b is not paused",
            EngineErrorKind::Conflict,
        ),
        (
            During::Other,
            Some(409),
            "Cannot kill container: db: Container 9c6b is not running",
            EngineErrorKind::Conflict,
        ),
        (
            During::Pull,
            None,
            "Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused",
            EngineErrorKind::Network,
        ),
        (
            During::Pull,
            Some(500),
            "Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io on 10.0.0.53:53: no such host",
            EngineErrorKind::Network,
        ),
        (
            During::Pull,
            Some(500),
            "Get \"https://registry.example/v2/\": net/http: TLS handshake timeout",
            EngineErrorKind::Network,
        ),
        (
            During::Pull,
            None,
            "unexpected EOF",
            EngineErrorKind::Network,
        ),
        (
            During::Pull,
            Some(500),
            "Head \"http://127.0.0.1:5000/v2/x/manifests/1\": no basic auth credentials",
            EngineErrorKind::Unauthorized,
        ),
        (
            During::Pull,
            Some(500),
            "unauthorized: authentication required",
            EngineErrorKind::Unauthorized,
        ),
        (
            During::Pull,
            Some(404),
            "pull access denied for ship, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
            EngineErrorKind::Unauthorized,
        ),
        (
            During::Pull,
            Some(500),
            "toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit",
            EngineErrorKind::Unauthorized,
        ),
        (
            During::Pull,
            Some(404),
            "manifest for 127.0.0.1:5000/x:1 not found: manifest unknown: manifest unknown",
            EngineErrorKind::NotFound,
        ),
        (
            During::Pull,
            None,
            "no matching manifest for linux/arm64/v8 in the manifest list entries",
            EngineErrorKind::Platform,
        ),
        (
            During::Build,
            Some(400),
            "dockerfile parse error line 1: unknown instruction: FORM",
            EngineErrorKind::Build,
        ),
        (
            During::Build,
            None,
            "write /var/lib/dpkg/status: no space left on device",
            EngineErrorKind::NoSpace,
        ),
        (
            During::Network,
            Some(403),
            "Pool overlaps with other one on this address space",
            EngineErrorKind::Conflict,
        ),
        (
            During::Network,
            Some(403),
            "error while removing network: network fleet id 23b4 has active endpoints",
            EngineErrorKind::Conflict,
        ),
        (
            During::Network,
            Some(500),
            "container 863f is not connected to network fleet",
            EngineErrorKind::Conflict,
        ),
        (
            During::Network,
            Some(403),
            "endpoint with name db already exists in network fleet",
            EngineErrorKind::Conflict,
        ),
        (
            During::Other,
            Some(500),
            "the sea is rough",
            EngineErrorKind::Failed,
        ),
    ];

    #[test]
    fn the_engines_words_are_told_apart() {
        for (during, status, words, kind) in SAID {
            assert_eq!(classify(*during, *status, words), *kind, "{words}");
        }
    }

    #[test]
    fn words_are_in_lower_case_as_they_are_compared() {
        for rule in RULES {
            for words in rule.words {
                assert_eq!(*words, words.to_lowercase());
            }
        }
    }

    #[test]
    fn a_status_without_words_is_said() {
        let silent = Error::DockerResponseServerError {
            status_code: 500,
            message: String::new(),
        };
        let error = failed(During::Other, "stop the container")(silent);
        assert_eq!(
            error.to_string(),
            "cannot stop the container: the engine answers with status 500"
        );
    }

    #[test]
    fn a_broken_connection_is_told_by_its_cause() {
        let broken = |kind| Error::IOError {
            err: io::Error::from(kind),
        };
        let kind = |error| failed(During::Other, "look")(error).kind;
        assert_eq!(
            kind(broken(io::ErrorKind::BrokenPipe)),
            EngineErrorKind::Unreachable
        );
        assert_eq!(
            kind(broken(io::ErrorKind::PermissionDenied)),
            EngineErrorKind::PermissionDenied
        );
        assert_eq!(
            kind(Error::RequestTimeoutError),
            EngineErrorKind::Unreachable
        );
    }
}
