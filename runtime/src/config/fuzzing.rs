//! Body of a fuzz target: whatever text and variables make a configuration or say what is wrong with them.

use std::path::Path;
use std::time::Duration;

use super::document::Document;
use super::mistakes::{ConfigError, Mistakes, Place};
use super::schema::{Config, FILE_NAME, Keep};
use super::settings;

/// The variables, in the order of their values in an input.
const VARIABLES: [&str; 19] = [
    "SEATRIAL_ENGINE",
    "SEATRIAL_BASE",
    "SEATRIAL_PULL",
    "SEATRIAL_PORTS",
    "SEATRIAL_REPORT",
    "SEATRIAL_EVENTS",
    "SEATRIAL_LOGS_ON_FAILURE",
    "SEATRIAL_SUPERVISOR",
    "SEATRIAL_KEEP",
    "SEATRIAL_TIMEOUTS_READY",
    "SEATRIAL_TIMEOUTS_JOB",
    "SEATRIAL_TIMEOUTS_SETUP",
    "SEATRIAL_TIMEOUTS_PULL",
    "SEATRIAL_MIRRORS",
    "SEATRIAL_SUBSTITUTIONS",
    "SEATRIAL_IMAGES",
    "SEATRIAL_PUBLISH",
    "SEATRIAL_NAMESPACES",
    "SEATRIAL_AHEAD",
];

/// What a configuration promises holds, and it is the same at the other end of a connection. The input is the file and the
/// values of [`VARIABLES`], each behind a zero byte, which neither can have.
pub fn config(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.split('\0');
    let file = parts.next().unwrap_or_default();
    let values: Vec<&str> = parts.collect();
    match load(file, &values) {
        Ok(config) => {
            assert!(*config.ports.start() > 0 && !config.ports.is_empty());
            let timeouts = &config.timeouts;
            for timeout in [timeouts.ready, timeouts.setup, timeouts.job, timeouts.pull] {
                assert_ne!(timeout, Duration::ZERO);
            }
            assert_ne!(config.keep, Keep::For(Duration::ZERO));
            let bytes = rmp_serde::to_vec_named(&config).expect("it can be sent");
            let received: Config = rmp_serde::from_slice(&bytes).expect("it can be received");
            assert_eq!(received, config);
        }
        Err(error) => {
            assert!(!error.mistakes.is_empty());
            assert!(error.mistakes.is_sorted_by(|a, b| a.place <= b.place));
            for mistake in &error.mistakes {
                assert!(mistake.message.len() > 10, "{mistake:?}");
                if let Place::File { line, column, .. } = mistake.place {
                    within(file, line, column);
                }
            }
            assert!(error.to_string().lines().count() > error.mistakes.len());
        }
    }
}

/// As [`Config::load`] does, from memory, for a workspace that is not there.
fn load(file: &str, values: &[&str]) -> Result<Config, ConfigError> {
    let workspace = Path::new("/nonexistent/workspace");
    let mut mistakes = Mistakes::default();
    let document = Document::parse(&workspace.join(FILE_NAME), file, &mut mistakes);
    let environment = |name: &str| {
        let position = VARIABLES.iter().position(|variable| *variable == name)?;
        values.get(position).map(|value| (*value).to_owned())
    };
    let config = settings::settle(workspace, &document, &environment, &mut mistakes);
    mistakes.none_or(config)
}

/// A place is in the file, or right behind the end of a line.
fn within(file: &str, line: usize, column: usize) {
    let lines: Vec<&str> = file.split('\n').collect();
    let text = line.checked_sub(1).and_then(|line| lines.get(line));
    let text = text.unwrap_or_else(|| panic!("line {line} of {}", lines.len()));
    let columns = 1..=text.chars().count() + 1;
    assert!(columns.contains(&column), "column {column} of `{text}`");
}
