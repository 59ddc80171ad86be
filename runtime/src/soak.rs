//! What `cargo xtask soak` tells the tests that it runs, in variables.

/// The number of rounds. Setting it also allows a test to spoil the engine.
const ROUNDS: &str = "SEATRIAL_SOAK_ROUNDS";

/// `0` deletes endpoints concurrently, as without the lock. Any other value deletes one at a time.
const LOCK: &str = "SEATRIAL_SOAK_LOCK";

/// How many rounds to play.
pub(crate) fn rounds() -> u16 {
    std::env::var(ROUNDS)
        .expect("the number of rounds, which `cargo xtask soak` sets")
        .parse()
        .expect("a number of rounds")
}

/// Whether deletions of endpoints do not wait for one another.
pub(crate) fn is_without_lock() -> bool {
    std::env::var(LOCK).is_ok_and(|lock| lock == "0")
}
