//! Variables that look like settings and are not.
//!
//! They do not fail a launch: a CI system may set variables of this form for its own use.

use seatrial_model::suggest::{did_you_mean, nearest};

/// What the name of every variable of ours begins with.
const PREFIX: &str = "SEATRIAL_";

/// The variables of the keys.
const KEYS: [&str; 17] = [
    "SEATRIAL_BASE",
    "SEATRIAL_ENGINE",
    "SEATRIAL_EVENTS",
    "SEATRIAL_IMAGES",
    "SEATRIAL_KEEP",
    "SEATRIAL_LOGS_ON_FAILURE",
    "SEATRIAL_MIRRORS",
    "SEATRIAL_PORTS",
    "SEATRIAL_PUBLISH",
    "SEATRIAL_PULL",
    "SEATRIAL_REPORT",
    "SEATRIAL_SUBSTITUTIONS",
    "SEATRIAL_SUPERVISOR",
    "SEATRIAL_TIMEOUTS_ENGINE",
    "SEATRIAL_TIMEOUTS_PULL",
    "SEATRIAL_TIMEOUTS_READY",
    "SEATRIAL_TIMEOUTS_SETUP",
];

/// Variables that are no keys. Those of the project's own tests have a prefix of their own.
const OTHERS: [&str; 3] = [
    "SEATRIAL_RUN_ID",
    "SEATRIAL_SUPERVISE",
    "SEATRIAL_SUPERVISE_PROCESS",
];
const OF_TESTS: [&str; 3] = ["SEATRIAL_TEST_", "SEATRIAL_TESTS_", "SEATRIAL_SOAK_"];

/// A warning for each of these variables whose name is unknown.
pub(super) fn warnings(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let unknown = names.into_iter().filter(|name| {
        name.starts_with(PREFIX)
            && !KEYS.contains(&name.as_str())
            && !OTHERS.contains(&name.as_str())
            && !OF_TESTS.iter().any(|prefix| name.starts_with(prefix))
    });
    let mut warnings: Vec<String> = unknown
        .map(|name| {
            let meant = did_you_mean(nearest(&name, KEYS), &KEYS);
            format!("{name}: unknown variable, which has no effect; {meant}")
        })
        .collect();
    warnings.sort_unstable();
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_variable_is_told_with_the_one_that_was_meant() {
        let names = [
            "SEATRIAL_REPROT",
            "PATH",
            "SEATRIAL_REPORT",
            "SEATRIAL_RUN_ID",
            "SEATRIAL_TESTS_PLACE",
        ];
        assert_eq!(
            warnings(names.map(str::to_owned)),
            [
                "SEATRIAL_REPROT: unknown variable, which has no effect; did you mean `SEATRIAL_REPORT`?"
            ]
        );
    }

    #[test]
    fn every_variable_of_the_table_is_known() {
        let contract = include_str!("mod.rs");
        for line in contract
            .lines()
            .filter_map(|line| line.strip_prefix("//! | `"))
        {
            let variable = line.split('`').nth(2).expect("a row of three");
            assert!(KEYS.contains(&variable), "{variable}");
        }
    }
}
