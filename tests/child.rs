//! Running tests of this very executable in a process of its own: with other variables, as another user, or to see
//! what the test harness makes of them. Such tests are marked `#[ignore = "run by .."]`, so that nobody else runs them.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output, Stdio};

/// What a child process said, and whether its tests passed.
#[derive(Debug)]
pub struct Verdict {
    /// Whether all tests passed.
    pub passed: bool,
    /// Standard output: the test harness's report and what it captured.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// A command that runs the ignored tests whose names begin with `filter`, captured as usual.
///
/// # Panics
///
/// Where this executable is not known.
pub fn tests(filter: &str) -> Command {
    let executable = std::env::current_exe().expect("the path of this executable");
    let mut command = Command::new(executable);
    command
        .args([filter, "--ignored"])
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null());
    take_signals(&mut command);
    command
}

/// Has the child begin with no signal ignored that asks a process to end. A shell that is not interactive has what it
/// starts in the background ignore SIGINT, as `nohup` does SIGHUP, and their children ignore it, too.
pub fn take_signals(command: &mut Command) {
    // SAFETY: between fork and exec, this calls one function, which is async-signal-safe.
    unsafe {
        command.pre_exec(|| {
            for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
                if libc::signal(signal, libc::SIG_DFL) == libc::SIG_ERR {
                    return Err(io::Error::last_os_error());
                }
            }
            Ok(())
        });
    }
}

/// Has the child begin a run of its own, as it does for users: nothing tells it of the one this process may be part of.
pub fn leave_run(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        // How ports are published, and what is prepared, are choices of whoever runs the tests.
        if !["SEATRIAL_PUBLISH", "SEATRIAL_NAMESPACES", "SEATRIAL_AHEAD"].contains(&&*text)
            && ["NEXTEST", "SEATRIAL_", "RUST_TEST_"]
                .iter()
                .any(|own| text.starts_with(own))
        {
            command.env_remove(&name);
        }
    }
}

/// The processes that were started with this entry (`NAME=value`) in their environment, whoever has started them. One that is dead is
/// not among them, also where nobody has waited for it yet.
///
/// # Panics
///
/// Where the system does not list processes.
pub fn with_in_environment(entry: &str) -> Vec<u32> {
    let has_entry = |pid: &u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|variable| variable == entry.as_bytes())
    };
    let entries = std::fs::read_dir("/proc").expect("a list of processes");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(has_entry).collect()
}

/// Sends a signal to a process, or to a whole group where the number is negative.
pub fn signal(process: libc::pid_t, signal: libc::c_int) {
    // SAFETY: the call takes two numbers and no memory.
    unsafe { libc::kill(process, signal) };
}

/// The number as the system's calls take it.
///
/// # Panics
///
/// Where no process has such a number.
pub fn number(process: u32) -> libc::pid_t {
    libc::pid_t::try_from(process).expect("a process id")
}

/// Whether no process of this number runs any more: it is gone, or dead and its parent has not looked yet.
pub fn is_gone(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"));
    stat.map_or(true, |stat| {
        let after_name = stat.rsplit(')').next();
        after_name.is_some_and(|rest| rest.starts_with(" Z"))
    })
}

/// A command that runs the ignored test named `name`.
pub fn test(name: &str) -> Command {
    let mut command = tests(name);
    command.arg("--exact");
    command
}

/// Runs a command to its end.
///
/// # Panics
///
/// Where it does not start, or ran no test at all.
pub fn run(command: &mut Command) -> Verdict {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("this executable runs again");
    let stdout = String::from_utf8_lossy(&stdout).into_owned();
    assert!(
        !stdout.contains("\nrunning 0 tests"),
        "no test matches: {command:?}\n{stdout}"
    );
    Verdict {
        passed: status.success(),
        stdout,
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// Runs a command to its end, again while `is_too_slow` says that a busy machine has used up the time of a test with
/// services it had not brought up by then.
///
/// # Panics
///
/// As [`run`] does, and where the machine is too slow each time.
pub fn run_in_time(command: &mut Command, is_too_slow: impl Fn(&Verdict) -> bool) -> Verdict {
    let verdicts = std::iter::repeat_with(|| run(command)).take(5);
    let mut in_time = verdicts.skip_while(|verdict| is_too_slow(verdict));
    in_time.next().expect("services that are there in time")
}

/// What the test harness has captured of a test that failed, as its report (standard output) has it.
///
/// # Panics
///
/// Where the report has no such test.
#[track_caller]
pub fn said<'a>(report: &'a str, name: &str) -> &'a str {
    let heading = format!("---- {name} stdout ----\n");
    let (_, rest) = report
        .split_once(&heading)
        .unwrap_or_else(|| panic!("{heading}{report}"));
    rest.split("\n---- ").next().unwrap_or_default()
}
