//! The meaning of an engine's error for the user, by its kind.

use crate::engine::{EngineError, EngineErrorKind};
use crate::{Error, ErrorKind};

/// An engine's error with the next step, if its kind suggests one. The engine's message is not redacted.
pub(in crate::supervisor) fn engine_error(kind: ErrorKind, error: &EngineError) -> Error {
    let kind = match error.kind {
        EngineErrorKind::Unreachable | EngineErrorKind::PermissionDenied => ErrorKind::Engine,
        EngineErrorKind::Occupied => ErrorKind::Files,
        _ => kind,
    };
    let help = match error.kind {
        EngineErrorKind::Unreachable => {
            "the engine went away or hangs; check that it answers (`docker info`), and run the tests again; if it is \
             only slow, raise `timeouts.engine` in seatrial.toml"
        }
        EngineErrorKind::PortTaken => {
            "choose another range of host ports with `ports = \"20000-29999\"` in seatrial.toml"
        }
        EngineErrorKind::CommandNotFound => {
            "check `command`, `entrypoint` and `bin`: the executable must be in the image, and executable"
        }
        EngineErrorKind::Occupied => {
            "name another path, or remove what is there first; links in the container are not followed"
        }
        EngineErrorKind::MountMissing => {
            "check that the path exists, and that the engine sees this machine's files (a remote engine does not)"
        }
        EngineErrorKind::Platform => {
            "use an image for this engine's platform, or ask for one with `platform = \"linux/amd64\"`"
        }
        EngineErrorKind::LogUnreadable => {
            "set the engine's log driver to one that it can read: `json-file`, `local` or `journald`"
        }
        EngineErrorKind::PermissionDenied
        | EngineErrorKind::NoSpace
        | EngineErrorKind::NotFound
        | EngineErrorKind::Conflict
        | EngineErrorKind::Unauthorized
        | EngineErrorKind::Network
        | EngineErrorKind::Dockerfile
        | EngineErrorKind::Build
        | EngineErrorKind::Busy
        | EngineErrorKind::Failed => error.kind.next_step().unwrap_or_default(),
    };
    Error::new(kind, error.to_string())
        .with(|report| report.help = (!help.is_empty()).then(|| help.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_has_the_same_advice_as_in_every_other_call() {
        for kind in [EngineErrorKind::NoSpace, EngineErrorKind::PermissionDenied] {
            let error = EngineError {
                kind,
                attempt: "create the container".to_owned(),
                message: "no".to_owned(),
            };
            let error = engine_error(ErrorKind::Start, &error);
            assert_eq!(error.report().help.as_deref(), kind.next_step());
            assert!(error.report().help.is_some());
        }
    }
}
