//! What `cargo xtask test` is asked for.

use anyhow::{Result, bail};

/// How the command is called.
pub(crate) const USAGE: &str = "test [--full | --quick] [--strict]";

/// The variable that says how often `--full` runs the tests that use the engine.
pub(super) const ROUNDS: &str = "ROUNDS";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) extent: Extent,
    /// Whether a test that fails once fails the run.
    pub(super) strict: bool,
}

/// How much is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// What needs no engine.
    Quick,
    /// What CI checks.
    Gate,
    /// Everything under both harnesses and on every engine.
    Full { rounds: u32 },
}

impl Options {
    /// Reads the arguments, and what [`ROUNDS`] holds.
    ///
    /// # Errors
    ///
    /// What is wrong with them, and the usage.
    pub(super) fn parse(arguments: &[String], rounds: Option<&str>) -> Result<Self> {
        let (mut quick, mut full, mut strict) = (false, false, false);
        for argument in arguments {
            match argument.as_str() {
                "--quick" => quick = true,
                "--full" => full = true,
                "--strict" => strict = true,
                other => bail!("unknown argument `{other}`\n\n{}", usage()),
            }
        }
        if quick && full {
            bail!("specify at most one of `--full`, `--quick`\n\n{}", usage());
        }
        if quick && strict {
            bail!(
                "`--quick` repeats no test: leave out `--strict`\n\n{}",
                usage()
            );
        }
        let extent = match rounds {
            None if full => Extent::Full { rounds: 1 },
            Some(rounds) if full => Extent::Full {
                rounds: self::rounds(rounds)?,
            },
            Some(_) => bail!("`{ROUNDS}` is only valid with `--full`\n\n{}", usage()),
            None if quick => Extent::Quick,
            None => Extent::Gate,
        };
        Ok(Self { extent, strict })
    }
}

fn rounds(text: &str) -> Result<u32> {
    match text.parse() {
        Ok(rounds) if rounds > 0 => Ok(rounds),
        _ => bail!("invalid `{ROUNDS}={text}`: expected a number from 1"),
    }
}

fn usage() -> String {
    format!("usage: cargo xtask {USAGE}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &str, rounds: Option<&str>) -> Result<Options> {
        let arguments: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
        Options::parse(&arguments, rounds)
    }

    #[test]
    fn options_say_how_much_is_checked_and_whether_a_test_is_tried_again() {
        let options = |extent, strict| Options { extent, strict };
        assert_eq!(parse("", None).unwrap(), options(Extent::Gate, false));
        assert_eq!(
            parse("--strict", None).unwrap(),
            options(Extent::Gate, true)
        );
        assert_eq!(
            parse("--quick", None).unwrap(),
            options(Extent::Quick, false)
        );
        assert_eq!(
            parse("--strict --full", None).unwrap(),
            options(Extent::Full { rounds: 1 }, true)
        );
        assert_eq!(
            parse("--full", Some("20")).unwrap(),
            options(Extent::Full { rounds: 20 }, false)
        );
    }

    #[test]
    fn what_is_refused_is_named_with_the_usage() {
        for (arguments, rounds, named) in [
            ("--ful", None, "`--ful`"),
            ("full", None, "`full`"),
            ("--quick --full", None, "`--full`, `--quick`"),
            ("--quick --strict", None, "leave out `--strict`"),
            ("", Some("2"), "`ROUNDS` is only valid with `--full`"),
        ] {
            let error = parse(arguments, rounds).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
            assert!(error.ends_with(&usage()), "{error}");
        }
        for rounds in ["0", "-1", "many", ""] {
            let error = parse("--full", Some(rounds)).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("invalid `ROUNDS={rounds}`: expected a number from 1")
            );
        }
    }
}
