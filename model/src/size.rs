//! Sizes as text: `64m`, `512MiB`, `1g`. Units are those of engines: 1k is 1024 bytes.

use std::fmt;

use crate::message::invalid;

/// Parses a whole number of bytes with an optional unit, upper or lower case: `b`, `k`, `m`, `g`, `t`, the last four
/// with or without `b` or `ib` behind them.
///
/// ```
/// assert_eq!(seatrial_model::size::parse("64m"), Ok(64 << 20));
/// assert_eq!(seatrial_model::size::parse("64 MiB"), Ok(64 << 20));
/// assert!(seatrial_model::size::parse("1.5g").is_err());
/// ```
///
/// # Errors
///
/// Text that is not a size, or one beyond 2^63 - 1 bytes, the engine's own limit.
pub fn parse(text: &str) -> Result<u64, SizeError> {
    let error = |kind| SizeError {
        text: text.to_owned(),
        kind,
    };
    let trimmed = text.trim();
    let digits = trimmed
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(digits);
    if number.is_empty() {
        return Err(error(Kind::Malformed));
    }
    if unit.starts_with(['.', ',']) {
        return Err(error(Kind::Fraction));
    }
    let shift = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(error(Kind::Malformed)),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(1 << shift))
        .filter(|bytes| i64::try_from(*bytes).is_ok())
        .ok_or_else(|| error(Kind::TooLarge))
}

/// Text that is not a size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SizeError {
    text: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Malformed,
    Fraction,
    TooLarge,
}

impl fmt::Display for SizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.kind {
            Kind::Malformed => "expected a number and a unit, such as \"64m\", \"512k\" or \"1g\"",
            Kind::Fraction => {
                "fractions are not supported; write a whole number of a smaller unit, such as \"1536m\""
            }
            Kind::TooLarge => "too large; write less than 2^63 bytes, such as \"1g\"",
        };
        f.write_str(&invalid("size", &self.text, reason))
    }
}

impl std::error::Error for SizeError {}
