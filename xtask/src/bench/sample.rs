//! Samples: who measured what, and the lines in which the contenders report them.

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Contender {
    Seatrial,
    Testcontainers,
    /// Plain calls of the engine's API: what any framework has to wait for.
    Floor,
}

impl Contender {
    pub(super) const ALL: [Self; 3] = [Self::Seatrial, Self::Testcontainers, Self::Floor];

    /// Its name in what people read.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Seatrial => "Seatrial",
            Self::Testcontainers => "testcontainers 0.28",
            Self::Floor => "raw API calls",
        }
    }

    /// Its name in what programs read.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Seatrial => "seatrial",
            Self::Testcontainers => "testcontainers",
            Self::Floor => "floor",
        }
    }

    /// Its package in the benchmark's workspace.
    pub(super) fn package(self) -> String {
        format!("startup-{}", self.key())
    }

    /// The contenders in the order in which they take their turn in a round: each is first, and last, equally often.
    pub(super) fn turns(contenders: &[Self], round: u32) -> Vec<Self> {
        let mut turns = contenders.to_vec();
        let first = round as usize % turns.len().max(1);
        turns.rotate_left(first);
        turns
    }
}

/// What a process has reported: for which case, and what.
#[derive(Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) case: String,
    pub(super) reading: Reading,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reading {
    /// A duration in seconds.
    Took(f64),
    /// The time of day of the test's last statement, in seconds: the sample is the time from then to the process's end.
    Ended(f64),
}

/// The samples among what a test process has written.
///
/// # Errors
///
/// Where a line begins like a sample and is not one, or there is no sample.
pub(super) fn read(output: &str) -> Result<Vec<Sample>> {
    let lines = output.lines().filter(|line| line.starts_with("{\"case\":"));
    let samples: Vec<Sample> = lines
        .map(|line| sample(line).with_context(|| format!("invalid sample `{line}`")))
        .collect::<Result<_>>()?;
    if samples.is_empty() {
        bail!("the process has reported no sample");
    }
    Ok(samples)
}

fn sample(line: &str) -> Result<Sample> {
    let value: Value = serde_json::from_str(line)?;
    let case = value["case"].as_str().context("expected a case")?;
    let seconds = |field: &str| value[field].as_u64().map(|it| it as f64 / 1e9);
    let reading = match (seconds("nanoseconds"), seconds("ended")) {
        (Some(took), None) => Reading::Took(took),
        (None, Some(ended)) => Reading::Ended(ended),
        _ => bail!("expected either `nanoseconds` or `ended`, a whole number"),
    };
    Ok(Sample {
        case: case.to_owned(),
        reading,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_found_among_the_words_of_the_harness() {
        let output = "\nrunning 1 test\ntest one ... \n{\"case\":\"cold\",\"nanoseconds\":428500000}\n\n\
                      {\"case\":\"one service\",\"ended\":1764500000500000000}\nok\n{not a sample}\n";
        assert_eq!(
            read(output).unwrap(),
            [
                Sample {
                    case: "cold".to_owned(),
                    reading: Reading::Took(0.4285)
                },
                Sample {
                    case: "one service".to_owned(),
                    reading: Reading::Ended(1_764_500_000.5)
                },
            ]
        );
    }

    #[test]
    fn a_line_that_only_begins_like_a_sample_is_an_error() {
        for (line, part) in [
            ("{\"case\":\"cold\"", "invalid sample `{\"case\":\"cold\"`"),
            ("{\"case\":7,\"nanoseconds\":1}", "expected a case"),
            (
                "{\"case\":\"cold\",\"nanoseconds\":-1}",
                "expected either `nanoseconds` or `ended`",
            ),
            (
                "{\"case\":\"cold\",\"nanoseconds\":1,\"ended\":2}",
                "expected either",
            ),
            ("running 1 test", "no sample"),
        ] {
            let error = format!("{:#}", read(line).expect_err(line));
            assert!(error.contains(part), "{line}: {error}");
        }
    }

    #[test]
    fn everybody_is_first_once_in_as_many_rounds_as_there_are_contenders() {
        let turns = |round| Contender::turns(&Contender::ALL, round);
        let [seatrial, testcontainers, floor] = Contender::ALL;
        assert_eq!(turns(0), [seatrial, testcontainers, floor]);
        assert_eq!(turns(1), [testcontainers, floor, seatrial]);
        assert_eq!(turns(2), [floor, seatrial, testcontainers]);
        assert_eq!(turns(3), turns(0));
    }
}
