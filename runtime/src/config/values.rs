//! The grammars of single values. Each takes a text, and returns the value, or what is wrong and what to write instead.

use std::ops::RangeInclusive;
use std::time::Duration;

use seatrial_model::message::{invalid, unknown};
use seatrial_model::{ImageRef, Pull, duration};

use super::schema::{Keep, Publish, SupervisorMode};

/// A text that is not empty.
pub(super) fn filled(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("the value is empty; write one, or remove the key"),
        text => Ok(text.to_owned()),
    }
}

/// A duration that is not zero.
pub(super) fn positive_duration(text: &str) -> Result<Duration, String> {
    match duration::parse(text) {
        Ok(Duration::ZERO) => Err(invalid(
            "duration",
            text,
            "must be greater than zero; write one such as \"60s\"",
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
            invalid(
                "range of ports",
                text,
                "expected the first and the last port, such as \"20000-29999\"",
            )
        })
}

/// A boolean, as variables have it.
pub(super) fn flag(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(invalid("boolean", text, "expected `1` or `0`")),
    }
}

/// A pull policy's word.
pub(super) fn pull(text: &str) -> Result<Pull, String> {
    const WORDS: [&str; 3] = ["missing", "always", "never"];
    match text.trim() {
        "missing" => Ok(Pull::Missing),
        "always" => Ok(Pull::Always),
        "never" => Ok(Pull::Never),
        other => Err(unknown("value", other, "for `pull`", &WORDS)),
    }
}

/// A number from 0 upwards.
pub(super) fn number(what: &str, text: &str, example: &str) -> Result<usize, String> {
    let number = text.trim().parse();
    number.map_err(|_| invalid(what, text, format!("expected a number, such as {example}")))
}

/// When ports are published.
pub(super) fn publish(text: &str) -> Result<Publish, String> {
    const WORDS: [&str; 2] = ["auto", "always"];
    match text.trim() {
        "auto" => Ok(Publish::Auto),
        "always" => Ok(Publish::Always),
        other => Err(unknown("value", other, "for `publish`", &WORDS)),
    }
}

/// The process that has the supervisor.
pub(super) fn supervisor(text: &str) -> Result<SupervisorMode, String> {
    const WORDS: [&str; 2] = ["process", "in-process"];
    match text.trim() {
        "process" => Ok(SupervisorMode::Process),
        "in-process" => Ok(SupervisorMode::InProcess),
        other => Err(unknown("value", other, "for `supervisor`", &WORDS)),
    }
}

/// How kept services are treated, as the variable says it.
pub(super) fn keep(text: &str) -> Result<Keep, String> {
    match text.trim() {
        "off" => Ok(Keep::Off),
        "drop" => Ok(Keep::Drop),
        time => time_to_live(time, "a duration such as \"2h\", or \"off\" or \"drop\""),
    }
}

/// Like [`keep`], in the file. The file applies to every run of everyone, so it cannot ask for a removal.
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
        Ok(Duration::ZERO) => Err(invalid(
            "duration",
            text,
            format!("must be greater than zero; write {instead}"),
        )),
        Ok(duration) => Ok(Keep::For(duration)),
        // The text begins like a duration, so the message about durations says more.
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
        _ => Err(invalid(
            "registry",
            text,
            "expected a host name, such as \"docker.io\" or \"localhost:5000\"",
        )),
    }
}

/// A mirror's host and port, with or without a path after them.
pub(super) fn mirror(text: &str) -> Result<String, String> {
    match format!("{text}/a").parse::<ImageRef>() {
        Ok(image) if image.registry().is_some() => Ok(text.to_owned()),
        _ => Err(invalid(
            "registry",
            text,
            "expected host and port without a scheme, such as \"mirror.example:5000\"",
        )),
    }
}
