//! `cargo xtask soak memory`: an endless line, gigabytes of lines that are read slowly, of a command's output and of files
//! pass through a test process and its supervisor. Neither may hold more than a bounded part of it.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::options::{Options, Seed};
use super::package;
use super::round::Round;
use crate::api::Api;
use crate::steps::Steps;
use crate::{images, install};

/// Rounds, where no number is given.
const ROUNDS: u32 = 1;
const MOST_ROUNDS: u32 = 1000;

/// The test, and its executable.
const TEST: &str = "floods";
const EXECUTABLE: &str = "memory";

/// How long a round may take: far more than it does.
const ENDS_WITHIN: Duration = Duration::from_secs(60 * 60);

/// How soon everything must be gone after the process has ended.
const GONE_WITHIN: Duration = Duration::from_secs(10);

const MEBI: u64 = 1024 * 1024;

/// The most memory that each of the two processes may use. A log or a command's output is handed out as a text of up to
/// 16 MiB, which is there some times over while it is on its way; nothing else is held.
const MOST: u64 = 96 * MEBI;

/// The most bytes that both processes had used by the end of a step.
#[derive(Debug, PartialEq, Eq)]
struct Peak {
    step: String,
    test: u64,
    supervisor: u64,
}

/// `cargo xtask soak memory`: prints how much memory the two processes used, and fails where that is too much.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let options = Options::read(arguments, ROUNDS, MOST_ROUNDS, Seed::Refused)?;
    let api = install::engine()?.api;
    images::ensure_tools(&api)?;
    let mut steps = Steps::new();
    let executable = steps.check("build", || package::build(EXECUTABLE))?;
    for number in 1..=options.rounds {
        let round = Round::new("memory", number)?.within(ENDS_WITHIN);
        let mut command = Command::new(&executable);
        command.args([TEST, "--exact", "--ignored"]);
        let begun = Instant::now();
        let peaks = match play(&api, &round, command) {
            Ok(peaks) => peaks,
            Err(error) => {
                println!("round {number}: FAILED: {error:#}\n{}", round.story());
                round.kill_all();
                bail!("round {number} failed");
            }
        };
        println!("round {number}, {:.0?}:", begun.elapsed());
        for peak in &peaks {
            println!("  {}", peak.describe());
        }
        round.remove();
        for peak in &peaks {
            ensure!(
                peak.test <= MOST && peak.supervisor <= MOST,
                "more than {} MiB: {}",
                MOST / MEBI,
                peak.describe()
            );
        }
    }
    Ok(())
}

fn play(api: &Api, round: &Round, mut command: Command) -> Result<Vec<Peak>> {
    round.prepare(&mut command)?;
    let mut process = command.spawn().context("cannot run the test executable")?;
    let status = round.ended(&mut process)?;
    ensure!(status.success(), "the test ended with {status}");
    let gone = round.gone(api, Instant::now(), GONE_WITHIN, || round.left(api))?;
    if let Some(late) = gone.late {
        bail!("left after {GONE_WITHIN:?}: {late}");
    }
    let record = round.record("peaks")?;
    record.lines().map(Peak::read).collect()
}

impl Peak {
    /// Reads a line of the test's record.
    fn read(line: &str) -> Result<Self> {
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().with_context(|| format!("`{line}`"));
        Ok(Self {
            test: word()?.parse()?,
            supervisor: word()?.parse()?,
            step: word()?.to_owned(),
        })
    }

    fn describe(&self) -> String {
        let mebi = |bytes: u64| bytes.div_ceil(MEBI);
        format!(
            "{}: test process {} MiB, supervisor {} MiB",
            self.step,
            mebi(self.test),
            mebi(self.supervisor)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read() {
        let peak = Peak::read("1048577 2097152 a log that is read").expect("a peak");
        let said = "a log that is read: test process 2 MiB, supervisor 2 MiB";
        assert_eq!(peak.describe(), said);
        assert!(Peak::read("7 8").is_err());
    }
}
