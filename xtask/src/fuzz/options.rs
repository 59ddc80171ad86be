//! What `cargo xtask fuzz` is asked for.

use std::time::Duration;

use anyhow::{Context, Result, bail};

/// How the command is called.
pub(crate) const USAGE: &str = "fuzz [TARGET..] [--minutes N]";

/// For how long each target runs unless something else is asked for.
const MINUTES: u64 = 20;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// Which to run; all where none is named.
    pub(super) targets: Vec<String>,
    /// For how long each.
    pub(super) time: Duration,
}

impl Options {
    /// Reads the arguments; `known` are the targets that there are.
    ///
    /// # Errors
    ///
    /// What is wrong with them, and the usage.
    pub(super) fn parse(arguments: &[String], known: &[String]) -> Result<Self> {
        let mut targets = Vec::new();
        let mut minutes = MINUTES;
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            if word == "--minutes" {
                let number = words
                    .next()
                    .with_context(|| format!("`--minutes` needs a number\n\n{}", usage(known)))?;
                minutes = match number.parse() {
                    Ok(minutes @ 1..=1440) => minutes,
                    _ => bail!("invalid number of minutes `{number}`: expected 1 to 1440"),
                };
            } else if word.starts_with('-') {
                bail!("unknown argument `{word}`\n\n{}", usage(known));
            } else if !known.contains(word) {
                bail!("unknown target `{word}`\n\n{}", usage(known));
            } else if !targets.contains(word) {
                targets.push(word.clone());
            }
        }
        if targets.is_empty() {
            targets = known.to_vec();
        }
        Ok(Self {
            targets,
            time: Duration::from_secs(minutes * 60),
        })
    }
}

fn usage(known: &[String]) -> String {
    format!("usage: cargo xtask {USAGE}\ntargets: {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        let words =
            |line: &str| -> Vec<String> { line.split_whitespace().map(str::to_owned).collect() };
        Options::parse(&words(line), &words("config frames"))
    }

    #[test]
    fn all_targets_run_unless_some_are_named() {
        let options = |targets: &[&str], minutes: u64| Options {
            targets: targets.iter().map(|target| (*target).to_owned()).collect(),
            time: Duration::from_secs(minutes * 60),
        };
        assert_eq!(parse("").unwrap(), options(&["config", "frames"], 20));
        assert_eq!(
            parse("frames --minutes 3 frames").unwrap(),
            options(&["frames"], 3)
        );
    }

    #[test]
    fn what_is_refused_is_named() {
        for (line, part) in [
            ("frame", "unknown target `frame`"),
            ("--minute 3", "unknown argument `--minute`"),
            ("--minutes", "`--minutes` needs a number"),
            ("--minutes 0", "expected 1 to 1440"),
            ("--minutes frames", "invalid number of minutes `frames`"),
        ] {
            let error = parse(line).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let error = parse("frame").unwrap_err().to_string();
        assert!(error.ends_with("targets: config, frames"), "{error}");
    }
}
