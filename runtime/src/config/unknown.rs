//! Variables that look like settings and are not.
//!
//! They do not fail a launch: a CI system may set variables of this form for its own use.

use seatrial_model::suggest::{did_you_mean, nearest};

use super::keys::{KEYS, TIMEOUTS};

/// What the name of every variable of ours begins with.
const PREFIX: &str = "SEATRIAL_";

/// Variables that are no keys. Those of the project's own tests have a prefix of their own.
const OTHERS: [&str; 3] = [
    "SEATRIAL_RUN_ID",
    "SEATRIAL_SUPERVISE",
    "SEATRIAL_SUPERVISE_PROCESS",
];
const OF_TESTS: [&str; 3] = ["SEATRIAL_TEST_", "SEATRIAL_TESTS_", "SEATRIAL_SOAK_"];

/// The variables of the keys.
fn of_keys() -> Vec<String> {
    let keys = KEYS.into_iter().filter(|key| *key != "timeouts");
    let keys = keys.map(str::to_owned);
    let timeouts = TIMEOUTS.map(|key| format!("timeouts_{key}"));
    keys.chain(timeouts)
        .map(|key| format!("{PREFIX}{}", key.to_uppercase()))
        .collect()
}

/// A warning for each of these variables whose name is unknown.
pub(super) fn warnings(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let keys = of_keys();
    let unknown = names.into_iter().filter(|name| {
        name.starts_with(PREFIX)
            && !keys.contains(name)
            && !OTHERS.contains(&name.as_str())
            && !OF_TESTS.iter().any(|prefix| name.starts_with(prefix))
    });
    let mut warnings: Vec<String> = unknown
        .map(|name| {
            let nearest = nearest(&name, keys.iter().map(String::as_str));
            let meant = did_you_mean(nearest, &keys);
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
            assert!(
                of_keys().iter().any(|known| known == variable),
                "{variable}"
            );
        }
    }
}
