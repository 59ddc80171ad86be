//! `cargo xtask soak`: what happens rarely, provoked often enough to be counted. By hand only: it takes minutes, and
//! what it looks for is rare.

mod crowd;
mod kill;
mod left;
mod memory;
mod network;
mod next;
mod outage;
mod process;
mod random;
mod round;
mod setup;
mod start;

use std::time::Duration;

use anyhow::{Result, bail, ensure};

use crate::commands::{Command, dispatch};

pub(crate) const USAGE: &str =
    "soak network|kill|beside|outage|start|setup|memory [--rounds N] [--seed S]";

const COMMANDS: &[Command] = &[
    Command {
        name: "network",
        usage: "network [--rounds N]",
        about: "count the networks that an engine of its own cannot remove, with and without our lock",
        run: network::run,
    },
    Command {
        name: "kill",
        usage: "kill [--rounds N] [--seed S]",
        about: "kill any process of a run at any moment, and see that nothing is left",
        run: kill::run,
    },
    Command {
        name: "beside",
        usage: "beside [--rounds N] [--seed S]",
        about: "kill one of two runs at any moment, and see that the other does not notice",
        run: kill::beside::run,
    },
    Command {
        name: "outage",
        usage: "outage [--rounds N] [--seed S]",
        about: "stop an engine of its own in the middle of a run and start it again, and see that tests say so and nothing is left",
        run: outage::run,
    },
    Command {
        name: "start",
        usage: "start [--rounds N]",
        about: "have 64 processes ask for one composition at the same moment, and see that it is started once",
        run: start::run,
    },
    Command {
        name: "setup",
        usage: "setup [--rounds N] [--seed S]",
        about: "kill the process that sets a shared service up, in the middle, and see that the others get it whole",
        run: setup::run,
    },
    Command {
        name: "memory",
        usage: "memory [--rounds N]",
        about: "have gigabytes of log, output and files pass through a test and its supervisor, and see how much memory they use",
        run: memory::run,
    },
];

/// `cargo xtask soak ..`
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    dispatch("cargo xtask soak", COMMANDS, arguments)
}

/// What `--rounds` and `--seed` say.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    rounds: u32,
    seed: Option<u64>,
}

/// Whether a soak chooses something at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seed {
    Taken,
    Refused,
}

impl Options {
    /// Reads a soak's arguments.
    fn read(arguments: &[String], default: u32, most: u32, seed: Seed) -> Result<Self> {
        let mut options = Self {
            rounds: default,
            seed: None,
        };
        let mut words = arguments.iter().map(String::as_str);
        while let Some(name) = words.next() {
            let is_seed = match name {
                "--rounds" => false,
                "--seed" if seed == Seed::Taken => true,
                _ if seed == Seed::Taken => {
                    bail!("unknown argument `{name}`: expected `--rounds N` or `--seed S`")
                }
                _ => bail!("unknown argument `{name}`: expected `--rounds N`"),
            };
            let Some(number) = words.next() else {
                bail!("`{name}` needs a number");
            };
            if is_seed {
                options.seed = number.parse().ok();
                ensure!(
                    options.seed.is_some(),
                    "invalid seed `{number}`: expected a number"
                );
                continue;
            }
            options.rounds = match number.parse() {
                Ok(rounds) if (1..=most).contains(&rounds) => rounds,
                _ => bail!("invalid number of rounds `{number}`: expected 1 to {most}"),
            };
        }
        Ok(options)
    }
}

/// Names the rounds that failed, and fails where there are any.
fn judge(failures: &[String], seed: u64) -> Result<()> {
    for failure in failures {
        println!("  {failure}");
    }
    ensure!(
        failures.is_empty(),
        "{} rounds failed; `--seed {seed}` repeats them",
        failures.len()
    );
    Ok(())
}

/// Durations as people want to know them: `median 0.4 s, longest 1.2 s`.
fn figures(durations: &[Duration]) -> String {
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    let (Some(median), Some(longest)) = (sorted.get(sorted.len() / 2), sorted.last()) else {
        return "none".to_owned();
    };
    format!(
        "median {:.2} s, longest {:.2} s",
        median.as_secs_f64(),
        longest.as_secs_f64()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str, seed: Seed) -> Result<Options, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::read(&words, 50, 1000, seed).map_err(|error| error.to_string())
    }

    #[test]
    fn the_options_are_read() {
        let options = |rounds, seed| Ok(Options { rounds, seed });
        assert_eq!(read("", Seed::Taken), options(50, None));
        assert_eq!(read("--rounds 7", Seed::Refused), options(7, None));
        assert_eq!(
            read("--seed 0 --rounds 7", Seed::Taken),
            options(7, Some(0))
        );
        for (line, seed, part) in [
            ("7", Seed::Taken, "expected `--rounds N` or `--seed S`"),
            ("--seed 7", Seed::Refused, "expected `--rounds N`"),
            ("--rounds", Seed::Taken, "`--rounds` needs a number"),
            (
                "--rounds 0",
                Seed::Taken,
                "invalid number of rounds `0`: expected 1 to 1000",
            ),
            ("--rounds 1001", Seed::Taken, "expected 1 to 1000"),
            ("--seed x", Seed::Taken, "invalid seed `x`"),
        ] {
            let error = read(line, seed).expect_err(line);
            assert!(error.contains(part), "{line}: {error}");
        }
    }

    #[test]
    fn the_figures_are_the_median_and_the_longest() {
        let of = |millis: &[u64]| {
            let durations: Vec<_> = millis.iter().map(|it| Duration::from_millis(*it)).collect();
            figures(&durations)
        };
        assert_eq!(of(&[300, 100, 200]), "median 0.20 s, longest 0.30 s");
        assert_eq!(of(&[]), "none");
    }
}
