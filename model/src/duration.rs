//! Durations as text: `30s`, `500ms`, `1m30s`.

use std::fmt;
use std::time::Duration;

use crate::message::invalid;

/// Microseconds in each unit, largest first.
const UNITS: [(&str, u64); 6] = [
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("m", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
    ("us", 1),
];

/// Parses one or more whole numbers with their units, largest unit first and each once: `d`, `h`, `m`,
/// `s`, `ms`, `us`.
///
/// ```
/// # use std::time::Duration;
/// assert_eq!(seatrial_model::duration::parse("1m30s"), Ok(Duration::from_secs(90)));
/// assert!(seatrial_model::duration::parse("1.5s").is_err());
/// ```
///
/// # Errors
///
/// Text that is not a duration, or one of more than 2^64 microseconds.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let error = |kind| DurationError {
        text: text.to_owned(),
        kind,
    };
    let mut rest = text.trim();
    let mut micros: u64 = 0;
    let mut next_unit = 0;
    if rest.is_empty() {
        return Err(error(Kind::Malformed));
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (number, behind) = rest.split_at(digits);
        if number.is_empty() {
            return Err(error(Kind::Malformed));
        }
        if behind.is_empty() {
            return Err(error(Kind::NoUnit));
        }
        let length = behind
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(length);
        let Some(position) = UNITS.iter().position(|(name, _)| *name == unit) else {
            let fraction = unit.starts_with('.') || unit.starts_with(',');
            return Err(error(if fraction {
                Kind::Fraction
            } else {
                Kind::Malformed
            }));
        };
        if position < next_unit {
            return Err(error(Kind::Order));
        }
        next_unit = position + 1;
        micros = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(UNITS[position].1))
            .and_then(|more| micros.checked_add(more))
            .ok_or_else(|| error(Kind::TooLong))?;
        rest = behind;
    }
    Ok(Duration::from_micros(micros))
}

/// Writes a duration in the form that [`parse`] reads, rounded down to microseconds.
///
/// ```
/// # use std::time::Duration;
/// assert_eq!(seatrial_model::duration::format(Duration::from_secs(5400)), "1h30m");
/// assert_eq!(seatrial_model::duration::format(Duration::ZERO), "0s");
/// ```
pub fn format(duration: Duration) -> String {
    let mut rest = duration.as_micros();
    let mut text = String::new();
    for (unit, micros) in UNITS {
        let number = rest / u128::from(micros);
        rest %= u128::from(micros);
        if number > 0 {
            text.push_str(&format!("{number}{unit}"));
        }
    }
    if text.is_empty() {
        text.push_str("0s");
    }
    text
}

/// Text that is not a duration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DurationError {
    text: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Malformed,
    NoUnit,
    Fraction,
    Order,
    TooLong,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        let reason = match self.kind {
            Kind::Malformed => {
                "expected a number and a unit, such as \"30s\", \"500ms\" or \"1m30s\"".to_owned()
            }
            Kind::NoUnit => format!(
                "missing unit; write \"{0}s\" for seconds or \"{0}ms\" for milliseconds",
                text.trim()
            ),
            Kind::Fraction => {
                "fractions are not supported; write whole numbers of smaller units, such as \"1s500ms\""
                    .to_owned()
            }
            Kind::Order => {
                "units out of order; write the largest first and each once, such as \"1m30s\"".to_owned()
            }
            Kind::TooLong => "too long; write a shorter one, such as \"24h\"".to_owned(),
        };
        f.write_str(&invalid("duration", text, reason))
    }
}

impl std::error::Error for DurationError {}
