//! Test processes that do the same thing at the same moment, and end when they are told to.
//!
//! Each writes `waiting-PID` when it is about to begin, and whatever else it has to say under its number, too.

use std::io::{self, PipeWriter};
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use super::round::{PACE, Round};

pub(super) struct Crowd {
    processes: Vec<Child>,
    /// They begin when it is closed.
    start: PipeWriter,
    /// They end when it is closed.
    end: PipeWriter,
}

/// A crowd that has begun.
pub(super) struct Begun {
    processes: Vec<Child>,
    end: PipeWriter,
}

impl Crowd {
    /// Starts so many processes of the round, which all run one test, and waits until all are about to begin.
    pub(super) fn gather(
        round: &Round,
        executable: &Path,
        test: &str,
        count: usize,
    ) -> Result<Self> {
        let (start, held_until_start) = io::pipe()?;
        let (end, held_until_end) = io::pipe()?;
        let mut processes = Vec::new();
        for _ in 0..count {
            let mut command = Command::new(executable);
            command.args([test, "--exact", "--ignored"]);
            round.prepare(&mut command)?;
            command
                // Whoever opens that has another descriptor of the pipe.
                .env(
                    "SOAK_END",
                    format!("/proc/{}/fd/{}", std::process::id(), end.as_raw_fd()),
                )
                .stdin(start.try_clone()?);
            processes.push(command.spawn().context("cannot run the test executable")?);
        }
        wait_for(round, "waiting-", &mut processes)?;
        Ok(Self {
            processes,
            start: held_until_start,
            end: held_until_end,
        })
    }

    /// Has them begin.
    pub(super) fn begin(self) -> Begun {
        drop(self.start);
        Begun {
            processes: self.processes,
            end: self.end,
        }
    }
}

impl Begun {
    /// Waits until every process that was not killed has written its record.
    pub(super) fn wait_for(&mut self, round: &Round, prefix: &str) -> Result<()> {
        wait_for(round, prefix, &mut self.processes)
    }

    /// Fails where a process has ended that was not killed.
    pub(super) fn check_alive(&mut self) -> Result<()> {
        check_alive(&mut self.processes)
    }

    /// Kills the process of this number, and waits until it is dead.
    pub(super) fn kill(&mut self, process: &str) -> Result<()> {
        let mut processes = self.processes.iter();
        let position = processes.position(|it| it.id().to_string() == process);
        let position = position.with_context(|| format!("there is no process {process}"))?;
        let mut process = self.processes.swap_remove(position);
        let sent = process.kill();
        let status = process.wait()?;
        sent?;
        ensure!(
            status.signal() == Some(libc::SIGKILL),
            "a process ended with {status} before it was killed"
        );
        Ok(())
    }

    /// Has all end that were not killed. Their tests must pass.
    pub(super) fn end(mut self, round: &Round) -> Result<()> {
        drop(self.end);
        let mut failed = 0;
        for process in &mut self.processes {
            failed += usize::from(!round.ended(process)?.success());
        }
        ensure!(failed == 0, "{failed} processes failed");
        Ok(())
    }
}

fn wait_for(round: &Round, prefix: &str, processes: &mut [Child]) -> Result<()> {
    let begun = Instant::now();
    loop {
        let written = round.records(prefix);
        let missing = processes
            .iter()
            .filter(|it| !written.contains(&it.id().to_string()))
            .count();
        if missing == 0 {
            return Ok(());
        }
        check_alive(processes)
            .with_context(|| format!("{missing} have not written `{prefix}..`"))?;
        round.check_time(begun)?;
        thread::sleep(PACE);
    }
}

fn check_alive(processes: &mut [Child]) -> Result<()> {
    for process in processes {
        if let Some(status) = process.try_wait()? {
            bail!("a process ended with {status}");
        }
    }
    Ok(())
}
