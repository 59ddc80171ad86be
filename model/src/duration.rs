//! Durations as people write them: `30s`, `500ms`, `1m30s`.

use std::fmt;
use std::time::Duration;

/// Parses one or more numbers with their units: `h`, `m`, `s`, `ms`, `us`, largest first.
///
/// ```
/// # use std::time::Duration;
/// assert_eq!(seatrial_model::duration::parse("1m30s"), Ok(Duration::from_secs(90)));
/// ```
///
/// # Errors
///
/// Text that is no duration, or one beyond what [`Duration`] holds.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    const UNITS: [(&str, u64); 5] = [
        ("h", 3_600_000_000),
        ("m", 60_000_000),
        ("s", 1_000_000),
        ("ms", 1_000),
        ("us", 1),
    ];
    let malformed = || DurationError {
        text: text.to_owned(),
    };
    let mut rest = text.trim();
    let mut micros: u64 = 0;
    let mut next_unit = 0;
    if rest.is_empty() {
        return Err(malformed());
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .ok_or_else(malformed)?;
        let number: u64 = rest[..digits].parse().map_err(|_| malformed())?;
        rest = &rest[digits..];
        let length = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let unit = UNITS[next_unit..]
            .iter()
            .position(|(unit, _)| *unit == &rest[..length])
            .ok_or_else(malformed)?
            + next_unit;
        rest = &rest[length..];
        next_unit = unit + 1;
        micros = number
            .checked_mul(UNITS[unit].1)
            .and_then(|more| micros.checked_add(more))
            .ok_or_else(malformed)?;
    }
    Ok(Duration::from_micros(micros))
}

/// Text that is no duration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DurationError {
    text: String,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no duration; write a number and a unit such as \"30s\", \"500ms\" or \"1m30s\"",
            self.text
        )
    }
}

impl std::error::Error for DurationError {}
