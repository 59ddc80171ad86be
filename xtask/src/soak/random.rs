//! Numbers that look random and are the same again for the same seed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// SplitMix64, as Steele, Lea and Flood describe it.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The numbers of a round, whatever the rounds before it took.
    pub(super) fn of_round(seed: u64, round: u32) -> Self {
        let mut rounds = Self(seed ^ (u64::from(round) << 32));
        Self(rounds.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of so many, the first of which is 0.
    pub(super) fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).expect("a count fits");
        usize::try_from(self.next() % count).expect("it is below a count")
    }

    pub(super) fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    /// Anything from nothing up to `longest`.
    pub(super) fn duration(&mut self, longest: Duration) -> Duration {
        let micros = usize::try_from(longest.as_micros()).unwrap_or(usize::MAX - 1);
        let micros = self.below(micros + 1);
        Duration::from_micros(u64::try_from(micros).expect("it was a duration's"))
    }
}

/// A seed that is another each time.
pub(super) fn seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_has_the_same_numbers_again_and_others_than_the_next() {
        let numbers = |seed, round| {
            let mut random = Random::of_round(seed, round);
            [(); 4].map(|()| random.next())
        };
        assert_eq!(numbers(7, 1), numbers(7, 1));
        assert_ne!(numbers(7, 1), numbers(7, 2));
        assert_ne!(numbers(7, 1), numbers(8, 1));
    }

    #[test]
    fn numbers_keep_their_bounds_and_reach_them() {
        let mut random = Random::of_round(1, 1);
        let numbers: Vec<usize> = (0..100).map(|_| random.below(3)).collect();
        for number in 0..3 {
            assert!(numbers.contains(&number));
        }
        assert!(numbers.iter().all(|number| *number < 3));
        let longest = Duration::from_millis(5);
        assert!((0..100).all(|_| random.duration(longest) <= longest));
        assert_eq!(random.duration(Duration::ZERO), Duration::ZERO);
    }
}
