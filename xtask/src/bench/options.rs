//! The command line of the benchmark.

use anyhow::{Result, bail, ensure};

use super::scenario::{self, SCENARIOS, Scenario};

pub(crate) const USAGE: &str = "bench [SCENARIO..] [--rounds N] [--update]";

const MOST_ROUNDS: u32 = 1000;

#[derive(Debug)]
pub(super) enum Request {
    Help,
    Run(Options),
}

/// What is measured, and what becomes of the figures.
#[derive(Debug)]
pub(super) struct Options {
    /// In the order of the table of scenarios.
    pub(super) scenarios: Vec<&'static Scenario>,
    pub(super) rounds: Option<u32>,
    /// Whether README gets the table and the chart.
    pub(super) update: bool,
}

impl Request {
    /// Reads the arguments.
    ///
    /// # Errors
    ///
    /// Where one of them is unknown, or malformed.
    pub(super) fn read(arguments: &[String]) -> Result<Self> {
        let mut names = Vec::new();
        let mut rounds = None;
        let mut update = false;
        let mut words = arguments.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match word {
                "help" | "-h" | "--help" => return Ok(Self::Help),
                "--update" => update = true,
                "--rounds" => {
                    let Some(number) = words.next() else {
                        bail!("`--rounds` needs a number");
                    };
                    rounds = match number.parse() {
                        Ok(rounds) if (1..=MOST_ROUNDS).contains(&rounds) => Some(rounds),
                        _ => bail!(
                            "invalid number of rounds `{number}`: expected 1 to {MOST_ROUNDS}"
                        ),
                    };
                }
                option if option.starts_with('-') => {
                    bail!(
                        "unknown option `{option}`: expected `--rounds N`, `--update` or `--help`"
                    )
                }
                name => {
                    ensure!(
                        scenario::find(name).is_some(),
                        "unknown scenario `{name}`: expected one of {}",
                        scenario::names()
                    );
                    names.push(name);
                }
            }
        }
        ensure!(
            !update || names.is_empty(),
            "`--update` needs every scenario: README has the figures of one run"
        );
        let is_wanted = |it: &&Scenario| names.is_empty() || names.contains(&it.name);
        Ok(Self::Run(Options {
            scenarios: SCENARIOS.iter().filter(is_wanted).collect(),
            rounds,
            update,
        }))
    }
}

/// The usage, with all scenarios.
pub(super) fn help() -> String {
    let mut text = format!(
        "usage: cargo xtask {USAGE}\n\n\
         Measures Seatrial, testcontainers and raw calls of the engine's API in turn, on the same engine and images.\n\
         All scenarios, unless some are named:\n"
    );
    for scenario in SCENARIOS {
        text += &format!(
            "\n  {:<10} {} ({} rounds)",
            scenario.name, scenario.about, scenario.rounds
        );
    }
    text + "\n\n  --rounds N  play N rounds of each scenario\n  \
            --update    write the table and the chart into README.md"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Ok(match Request::read(&words)? {
            Request::Help => "help".to_owned(),
            Request::Run(options) => format!(
                "{:?} {:?} {}",
                options.scenarios, options.rounds, options.update
            ),
        })
    }

    #[test]
    fn scenarios_and_options_are_read_in_any_order() {
        let all = format!("[{}]", scenario::names());
        assert_eq!(read("").unwrap(), format!("{all} None false"));
        assert_eq!(read("--update").unwrap(), format!("{all} None true"));
        assert_eq!(
            read("chain --rounds 3 one").unwrap(),
            "[one, chain] Some(3) false"
        );
        assert_eq!(read("one --help").unwrap(), "help");
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for (line, part) in [
            ("two", "unknown scenario `two`: expected one of one, twenty"),
            ("one --round 3", "unknown option `--round`"),
            ("--rounds", "`--rounds` needs a number"),
            ("--rounds 0", "invalid number of rounds `0`"),
            ("--rounds 1001", "expected 1 to 1000"),
            ("--rounds one", "invalid number of rounds `one`"),
            ("one --update", "`--update` needs every scenario"),
        ] {
            let error = read(line).expect_err(line).to_string();
            assert!(error.contains(part), "{line}: {error}");
        }
    }

    #[test]
    fn the_help_lists_every_scenario() {
        let help = help();
        for scenario in SCENARIOS {
            assert!(help.contains(&format!("\n  {}", scenario.name)), "{help}");
        }
    }
}
