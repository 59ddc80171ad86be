//! Which ports of the host are published on.
//!
//! Chosen here rather than by the engine, for then a service keeps its port when it is restarted. The range lies below
//! the one that the kernel takes for outgoing connections.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

/// The ports that are given out and not returned.
#[derive(Debug, Default)]
pub(super) struct Ports(Mutex<BTreeSet<u16>>);

impl Ports {
    /// A port that nobody listens on at this moment; `None` where all are taken. Someone else may take it before the
    /// engine does: then the engine says so, and another one is asked for.
    pub(super) fn take(&self, range: &RangeInclusive<u16>) -> Option<u16> {
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = u64::from(range.end().checked_sub(*range.start())?) + 1;
        let begin = RandomState::new().build_hasher().finish() % count;
        (0..count)
            .filter_map(|step| {
                u16::try_from(u64::from(*range.start()) + (begin + step) % count).ok()
            })
            .find(|port| {
                !given.contains(port) && TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()
            })
            .inspect(|port| {
                given.insert(*port);
            })
    }

    /// Returns ports that are not published any more.
    pub(super) fn put_back(&self, ports: impl IntoIterator<Item = u16>) {
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for port in ports {
            given.remove(&port);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_each_port_once_and_none_that_is_listened_on() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let busy = listener.local_addr().expect("an address").port();
        let ports = Ports::default();
        assert_eq!(ports.take(&(busy..=busy)), None);
        drop(listener);
        assert_eq!(ports.take(&(busy..=busy)), Some(busy));
        assert_eq!(ports.take(&(busy..=busy)), None);
        ports.put_back([busy]);
        assert_eq!(ports.take(&(busy..=busy)), Some(busy));
    }
}
