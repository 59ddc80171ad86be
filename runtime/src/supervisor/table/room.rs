//! How much may be brought up ahead, and which spares give way to others. Only numbers; must not know an instance.

use std::num::NonZero;
use std::ops::Add;
use std::thread::available_parallelism;

/// The memory that a service is assumed to need if its declaration does not limit it.
const USUAL_MEMORY: u64 = 256 << 20;

/// The part of the available memory that all spares may need together.
const PART_OF_MEMORY: u64 = 4;

/// The size of one or several spares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    services: usize,
    memory: u64,
}

impl Size {
    /// One service with this memory limit.
    pub(super) fn of_service(memory: Option<u64>) -> Self {
        Self {
            services: 1,
            memory: memory.unwrap_or(USUAL_MEMORY),
        }
    }
}

impl Add for Size {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            services: self.services + other.services,
            memory: self.memory.saturating_add(other.memory),
        }
    }
}

/// The limits of all spares together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    services: usize,
    /// Whether one spare may have more services than that, if it is the only one.
    allows_one: bool,
    /// The memory that is available, if that is known.
    memory: Option<u64>,
}

impl Bounds {
    /// The bounds on this machine. `most` is the number of services that the configuration allows, if it has one.
    pub(super) fn of_machine(most: Option<usize>) -> Self {
        let processors = available_parallelism().map_or(1, NonZero::get);
        let memory = std::fs::read_to_string("/proc/meminfo").ok();
        Self {
            services: most.unwrap_or(processors),
            allows_one: most.is_none(),
            memory: memory.and_then(|text| available_memory(&text)),
        }
    }

    fn allow(&self, all: Size, others: Size) -> bool {
        let is_only_one = others.services == 0;
        let services = all.services <= self.services || self.allows_one && is_only_one;
        let memory = self.memory.map(|memory| memory / PART_OF_MEMORY);
        services && memory.is_none_or(|memory| all.memory <= memory)
    }
}

/// The number of bytes that `/proc/meminfo` calls available.
fn available_memory(text: &str) -> Option<u64> {
    let mut lines = text.lines();
    let available = lines.find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = available.trim().strip_suffix(" kB")?.parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The latest two launches of a family, as positions among all launches of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Turns {
    latest: u64,
    before: u64,
}

impl Turns {
    pub(super) fn next(&mut self, turn: u64) {
        self.before = std::mem::replace(&mut self.latest, turn);
    }

    pub(super) fn latest(self) -> u64 {
        self.latest
    }
}

/// The spares of a family.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    pub(super) turns: Turns,
    /// The size of one spare.
    pub(super) size: Size,
    pub(super) spares: usize,
}

/// The shares that have to give up a spare so that the share at `wanting` gets one more, with repetitions. `None` if there is no
/// room.
///
/// The share whose latest launch was the longest ago goes first, and only if the other was launched twice since. Otherwise two
/// families that take turns would only take the spares from each other.
pub(super) fn make_room(bounds: &Bounds, shares: &[Share], wanting: usize) -> Option<Vec<usize>> {
    let mut shares = shares.to_vec();
    let mut give_up = Vec::new();
    loop {
        let spares = shares
            .iter()
            .flat_map(|share| std::iter::repeat_n(share.size, share.spares));
        let others = spares.fold(Size::default(), Add::add);
        if bounds.allow(others + shares[wanting].size, others) {
            return Some(give_up);
        }
        let since = shares[wanting].turns.before;
        let unused = shares
            .iter_mut()
            .enumerate()
            .filter(|(_, share)| share.spares > 0 && share.turns.latest < since);
        let (position, share) = unused.min_by_key(|(_, share)| share.turns.latest)?;
        share.spares -= 1;
        give_up.push(position);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn bounds(services: usize, allows_one: bool) -> Bounds {
        Bounds {
            services,
            allows_one,
            memory: None,
        }
    }

    fn share(services: usize, spares: usize, (before, latest): (u64, u64)) -> Share {
        let one = |size, _| size + Size::of_service(None);
        Share {
            turns: Turns { latest, before },
            size: (0..services).fold(Size::default(), one),
            spares,
        }
    }

    #[test]
    fn spares_have_no_more_services_than_are_allowed() {
        let of = |spares| make_room(&bounds(4, true), &[share(2, spares, (1, 2))], 0);
        assert_eq!(of(0), Some(vec![]));
        assert_eq!(of(1), Some(vec![]));
        assert_eq!(of(2), None);
    }

    #[test]
    fn the_machine_allows_one_spare_of_any_size_and_a_number_does_not() {
        let of =
            |allows_one, spares| make_room(&bounds(2, allows_one), &[share(5, spares, (1, 2))], 0);
        assert_eq!(of(true, 0), Some(vec![]));
        assert_eq!(of(true, 1), None);
        assert_eq!(of(false, 0), None);
    }

    #[test]
    fn spares_need_a_part_of_the_memory_at_most() {
        let of = |declared, spares| {
            let bounds = Bounds {
                memory: Some(4 * GIB),
                ..bounds(100, true)
            };
            let share = Share {
                size: Size::of_service(declared),
                ..share(0, spares, (1, 2))
            };
            make_room(&bounds, &[share], 0).is_some()
        };
        assert!(of(Some(GIB), 0) && !of(Some(GIB), 1));
        assert!(!of(Some(GIB + 1), 0), "not even one");
        assert!(of(None, 3) && !of(None, 4));
    }

    #[test]
    fn what_was_not_wanted_for_longest_gives_way() {
        let shares = [
            share(1, 1, (1, 3)),
            share(1, 1, (2, 4)),
            share(1, 1, (7, 8)),
            share(2, 0, (9, 10)),
        ];
        assert_eq!(make_room(&bounds(3, true), &shares, 3), Some(vec![0, 1]));
        assert_eq!(make_room(&bounds(4, true), &shares, 3), Some(vec![0]));
        assert_eq!(make_room(&bounds(1, false), &shares, 3), None);
    }

    #[test]
    fn families_that_take_turns_leave_each_other_their_spares() {
        let shares = [share(1, 1, (1, 3)), share(1, 0, (2, 4))];
        assert_eq!(make_room(&bounds(1, true), &shares, 1), None);
        let later = [shares[0], share(1, 0, (4, 5))];
        assert_eq!(make_room(&bounds(1, true), &later, 1), Some(vec![0]));
    }

    #[test]
    fn the_available_memory_is_read() {
        let text = "MemTotal:       16384 kB\nMemAvailable:    2048 kB\n";
        assert_eq!(available_memory(text), Some(2 << 20));
        assert_eq!(available_memory("MemTotal: 1 kB\n"), None);
        assert_eq!(available_memory("MemAvailable: some kB\n"), None);
    }
}
