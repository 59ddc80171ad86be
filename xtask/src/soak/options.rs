//! The options that all soaks have.
//!
//! It knows no soak: each says how many rounds it plays by default and at most, and whether it takes a seed.

use anyhow::{Result, bail, ensure};

/// What `--rounds` and `--seed` say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) rounds: u32,
    pub(super) seed: Option<u64>,
}

/// Whether a soak chooses something at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seed {
    Taken,
    Refused,
}

impl Options {
    /// Reads a soak's arguments.
    pub(super) fn read(arguments: &[String], default: u32, most: u32, seed: Seed) -> Result<Self> {
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
}
