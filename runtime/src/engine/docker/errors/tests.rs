//! Messages of engines, and the kind of failure that each is.

use super::*;

/// Messages that engines really send, and their kinds.
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
        During::Other,
        Some(500),
        "container f6cd: driver \"overlay2\" failed to remove root filesystem: unlinkat /var/lib/docker/overlay2/9b/merged: device or resource busy",
        EngineErrorKind::Busy,
    ),
    (
        During::RemoveImage,
        Some(409),
        "conflict: unable to delete 6a9e58b1e9d3 (cannot be forced) - image is being used by running container 38b6bb6b30b1",
        EngineErrorKind::Busy,
    ),
    (
        During::RemoveImage,
        Some(409),
        "conflict: unable to delete 6a9e58b1e9d3 (cannot be forced) - image has dependent child images",
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
        Some(501),
        "configured logging driver does not support reading",
        EngineErrorKind::LogUnreadable,
    ),
    (
        During::Other,
        Some(500),
        "this container is using the 'none' log driver, cannot read logs: this container does not have logs",
        EngineErrorKind::LogUnreadable,
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
        During::Other,
        Some(409),
        "can not get logs from container which is dead or marked for removal",
        EngineErrorKind::NotFound,
    ),
    (
        During::Start,
        Some(400),
        "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: \"/etc\": is a directory",
        EngineErrorKind::CommandNotFound,
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
        EngineErrorKind::Dockerfile,
    ),
    (
        During::Build,
        None,
        "failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse error line 2: Unknown flag: link",
        EngineErrorKind::Dockerfile,
    ),
    (
        During::Build,
        None,
        "executor failed running [/bin/sh -c make]: exit code: 2",
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
    // Two processes that create networks at one moment.
    (
        During::Network,
        Some(403),
        "cannot create network 2f1a (br-2f1a): conflicts with network 9c0d (br-9c0d): networks have overlapping IPv4",
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
fn messages_of_engines_are_classified() {
    for (during, status, message, kind) in SAID {
        assert_eq!(classify(*during, *status, message), *kind, "{message}");
    }
}

#[test]
fn phrases_are_in_lower_case_as_they_are_compared() {
    for rule in RULES {
        for phrase in rule.phrases {
            assert_eq!(*phrase, phrase.to_lowercase());
        }
    }
}

#[test]
fn a_status_without_a_message_is_reported() {
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
fn a_broken_connection_is_classified_by_its_cause() {
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

#[test]
fn prefixes_are_removed_and_the_rest_stays() {
    for (message, inner) in [
        (
            "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"nope\": executable file not found in $PATH: unknown",
            "exec: \"nope\": executable file not found in $PATH",
        ),
        (
            "unable to find user captain: no matching entries in passwd file",
            "unable to find user captain: no matching entries in passwd file",
        ),
        ("  \n", ""),
    ] {
        assert_eq!(without_prefixes(message), inner);
    }
}
