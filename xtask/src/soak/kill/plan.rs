//! What is killed, when, and how soon everything must be gone.
//!
//! It kills nothing itself.

use std::time::Duration;

use super::super::random::Random;
use super::harness::Harness;

/// What was held by what is killed must be gone so soon.
pub(super) const WITHIN: Duration = Duration::from_secs(5);

/// How long it takes roughly, from the first test process on, until there is a supervisor.
const SUPERVISOR_BEGINS: Duration = Duration::from_millis(100);
/// And until its shared services are ready.
const SERVICES_BEGIN: Duration = Duration::from_millis(1500);

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Victim {
    /// One test process.
    One,
    /// cargo or nextest, while its tests go on.
    Runner,
    /// The run's supervisor.
    Supervisor,
    /// All processes of the run but its supervisor.
    AllOthers,
    /// All processes of the run.
    Everything,
}

/// In the order in which rounds choose them.
pub(super) const VICTIMS: [Victim; 5] = [
    Victim::One,
    Victim::Runner,
    Victim::Supervisor,
    Victim::AllOthers,
    Victim::Everything,
];

/// A round to be.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) harness: Harness,
    pub(super) victim: Victim,
    /// When it is killed, counted from the first test process.
    pub(super) after: Duration,
}

/// When to kill in tests that take so long. Also after the last of them; and every other time soon, for most that can go
/// wrong does while the supervisor, then the network and the shared services begin.
pub(super) fn moment(random: &mut Random, length: Duration) -> Duration {
    match random.below(4) {
        0 => random.duration(SUPERVISOR_BEGINS),
        1 => random.duration(SERVICES_BEGIN),
        _ => random.duration(length.mul_f64(1.05)),
    }
}
