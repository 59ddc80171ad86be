//! What an engine's error means for whoever runs the tests, by its kind.

use crate::engine::{EngineError, EngineErrorKind};
use crate::{Error, ErrorKind};

/// An engine's error as the user sees it, with the next step where the kind suggests one. Its words are raw.
pub(in crate::supervisor) fn engine_error(kind: ErrorKind, error: &EngineError) -> Error {
    let kind = match error.kind {
        EngineErrorKind::Unreachable | EngineErrorKind::PermissionDenied => ErrorKind::Engine,
        _ => kind,
    };
    let help = match error.kind {
        EngineErrorKind::Unreachable => {
            "the engine went away, or it hangs; see that it answers (`docker info`), and run the tests again; where it just \
             takes long, raise `timeouts.engine` in seatrial.toml"
        }
        EngineErrorKind::PermissionDenied => {
            "let this user use the engine's socket, for Docker by adding it to the group `docker`"
        }
        EngineErrorKind::NoSpace => {
            "make room where the engine keeps its data: `docker system df` shows what takes it"
        }
        EngineErrorKind::PortTaken => {
            "choose another range of host ports with `ports = \"20000-29999\"` in seatrial.toml"
        }
        EngineErrorKind::CommandNotFound => {
            "look at `command`, `entrypoint` and `bin`: the executable must be in the image, and executable"
        }
        EngineErrorKind::MountMissing => {
            "see that the path is there, and that the engine sees this machine's files (a remote engine does not)"
        }
        EngineErrorKind::Platform => {
            "use an image for this engine's platform, or ask for one with `platform = \"linux/amd64\"`"
        }
        EngineErrorKind::LogUnreadable => {
            "have the engine keep logs that it can read: set its log driver to `json-file`, `local` or `journald`"
        }
        EngineErrorKind::NotFound
        | EngineErrorKind::Conflict
        | EngineErrorKind::Unauthorized
        | EngineErrorKind::Network
        | EngineErrorKind::Build
        | EngineErrorKind::Busy
        | EngineErrorKind::Failed => "",
    };
    Error::new(kind, error.to_string())
        .with(|report| report.help = (!help.is_empty()).then(|| help.to_owned()))
}
