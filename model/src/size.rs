//! Sizes as people write them: `64m`, `512MiB`, `1g`, in the engine's meaning: 1k is 1024 bytes.

use std::fmt;

/// Parses a number of bytes with an optional unit, upper or lower case: `b`, `k`, `m`, `g`, with or without `b` or `ib`
/// behind it.
///
/// ```
/// assert_eq!(seatrial_model::size::parse("64m"), Ok(64 << 20));
/// ```
///
/// # Errors
///
/// Text that is no size, or one beyond 2^63 - 1 bytes, the engine's own limit.
pub fn parse(text: &str) -> Result<u64, SizeError> {
    let malformed = || SizeError {
        text: text.to_owned(),
    };
    let trimmed = text.trim();
    let digits = trimmed
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(trimmed.len());
    let number: u64 = trimmed[..digits].parse().map_err(|_| malformed())?;
    let shift = match trimmed[digits..].trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err(malformed()),
    };
    number
        .checked_mul(1 << shift)
        .filter(|bytes| i64::try_from(*bytes).is_ok())
        .ok_or_else(malformed)
}

/// Text that is no size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SizeError {
    text: String,
}

impl fmt::Display for SizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no size; write a number and a unit such as \"64m\", \"512k\" or \"1g\"",
            self.text
        )
    }
}

impl std::error::Error for SizeError {}
