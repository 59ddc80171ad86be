//! Starting cargo, to see what becomes of tests as their users run them.

use std::process::{Command, Stdio};

/// Says that the tests which need cargo-nextest are not wanted where it is not installed.
const WITHOUT_NEXTEST: &str = "SEATRIAL_TESTS_WITHOUT_NEXTEST";

/// The cargo that runs this process, or the usual one, in the directory of this package.
pub fn cargo() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null());
    command
}

/// `cargo nextest run`; `None` where that is not installed and need not be.
///
/// # Panics
///
/// Where it is not installed, and nobody has said that it need not be.
#[track_caller]
pub fn nextest() -> Option<Command> {
    let mut version = cargo();
    version
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if !version.status().is_ok_and(|status| status.success()) {
        assert!(
            std::env::var_os(WITHOUT_NEXTEST).is_some(),
            "cargo-nextest is not installed: run `cargo install cargo-nextest --locked`, or set {WITHOUT_NEXTEST}=1"
        );
        return None;
    }
    let mut command = cargo();
    command.args(["nextest", "run"]);
    Some(command)
}
