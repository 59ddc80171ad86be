//! What a process does that was started as a supervisor.

use super::intercept::Startup;

/// Returns when the run is over. An error is written to the log.
type Supervise = fn(Startup) -> Result<(), String>;

/// The one place that says what a supervisor does.
const SUPERVISE: Supervise = refuse;

/// Becomes the supervisor.
pub(super) fn run(startup: Startup) -> Result<(), String> {
    #[cfg(test)]
    if std::env::var_os(super::tests::SUPERVISOR).is_some() {
        return super::tests::supervisor::run(startup);
    }
    SUPERVISE(startup)
}

fn refuse(startup: Startup) -> Result<(), String> {
    let reason = "this version of Seatrial has its supervisor in the test process";
    startup.fail(reason);
    Err(reason.to_owned())
}
