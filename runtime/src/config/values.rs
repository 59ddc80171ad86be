//! The grammars of single values: a text in, the value or what to write instead out.

use std::ops::RangeInclusive;
use std::time::Duration;

use seatrial_model::{ImageRef, Pull, duration, suggest};

use super::schema::{Keep, SupervisorMode};

/// Any text but an empty one.
pub(super) fn filled(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("the value is empty; write one, or leave the key out"),
        text => Ok(text.to_owned()),
    }
}

/// A duration that is not zero.
pub(super) fn positive_duration(text: &str) -> Result<Duration, String> {
    match duration::parse(text) {
        Ok(Duration::ZERO) => Err(format!(
            "`{text}` leaves no time at all; write a longer time such as \"60s\""
        )),
        Ok(duration) => Ok(duration),
        Err(error) => Err(error.to_string()),
    }
}

/// The first and the last port.
pub(super) fn ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    text.split_once('-')
        .and_then(|(first, last)| {
            let first: u16 = first.trim().parse().ok()?;
            let last: u16 = last.trim().parse().ok()?;
            (first > 0 && first <= last).then_some(first..=last)
        })
        .ok_or_else(|| {
            format!(
                "`{text}` is no range of ports; write the first and the last one such as \"20000-29999\""
            )
        })
}

/// Yes or no, as variables say it.
pub(super) fn flag(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(format!("`{text}` is neither yes nor no; write 1 or 0")),
    }
}

/// A pull policy's word.
pub(super) fn pull(text: &str) -> Result<Pull, String> {
    const WORDS: [&str; 3] = ["missing", "always", "never"];
    match text.trim() {
        "missing" => Ok(Pull::Missing),
        "always" => Ok(Pull::Always),
        "never" => Ok(Pull::Never),
        other => Err(format!(
            "`{other}` is no pull policy; {}",
            suggest::did_you_mean(suggest::nearest(other, WORDS), &WORDS)
        )),
    }
}

/// Where the supervisor runs.
pub(super) fn supervisor(text: &str) -> Result<SupervisorMode, String> {
    const WORDS: [&str; 2] = ["process", "in-process"];
    match text.trim() {
        "process" => Ok(SupervisorMode::Process),
        "in-process" => Ok(SupervisorMode::InProcess),
        other => Err(format!(
            "`{other}` is no place for the supervisor; {}",
            suggest::did_you_mean(suggest::nearest(other, WORDS), &WORDS)
        )),
    }
}

/// What becomes of kept services, as the variable says it.
pub(super) fn keep(text: &str) -> Result<Keep, String> {
    match text.trim() {
        "off" => Ok(Keep::Off),
        "drop" => Ok(Keep::Drop),
        time => time_to_live(time, "a duration such as \"2h\", or \"off\" or \"drop\""),
    }
}

/// As [`keep`], in the file. It holds for every run of everyone, so it cannot ask for a removal.
pub(super) fn keep_in_file(text: &str) -> Result<Keep, String> {
    match text.trim() {
        "off" => Ok(Keep::Off),
        "drop" => Err(
            "`drop` is only valid in the variable; run `SEATRIAL_KEEP=drop cargo test`, or write \"off\""
                .to_owned(),
        ),
        time => time_to_live(time, "a duration such as \"2h\", or \"off\""),
    }
}

fn time_to_live(text: &str, instead: &str) -> Result<Keep, String> {
    match duration::parse(text) {
        Ok(Duration::ZERO) => Err(format!("`{text}` keeps nothing; write {instead}")),
        Ok(duration) => Ok(Keep::For(duration)),
        // Where a number stands, what is wrong with it as a duration says more.
        Err(error) if text.starts_with(|first: char| first.is_ascii_digit()) => {
            Err(error.to_string())
        }
        Err(_) => Err(format!("invalid value `{text}` of `keep`; write {instead}")),
    }
}

/// An image reference.
pub(super) fn image(text: &str) -> Result<ImageRef, String> {
    text.parse()
        .map_err(|error: seatrial_model::image::ImageRefError| error.to_string())
}

/// A registry's host and port.
pub(super) fn registry(text: &str) -> Result<String, String> {
    match format!("{text}/a").parse::<ImageRef>() {
        Ok(image) if image.registry() == Some(text) => Ok(text.to_owned()),
        _ => Err(format!(
            "`{text}` is no registry; write its host name, such as \"docker.io\" or \"localhost:5000\""
        )),
    }
}

/// A mirror's host and port, possibly with a path behind it.
pub(super) fn mirror(text: &str) -> Result<String, String> {
    match format!("{text}/a").parse::<ImageRef>() {
        Ok(image) if image.registry().is_some() => Ok(text.to_owned()),
        _ => Err(format!(
            "`{text}` is no registry; write host and port, such as \"mirror.example:5000\", with no scheme before them"
        )),
    }
}
