//! What services want of network namespaces, and what distinguishes the namespaces.

use std::ops::RangeInclusive;

/// What a service wants of a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::supervisor) struct Wish {
    /// The ports to publish, unless this machine reaches the namespace itself.
    pub(in crate::supervisor) ports: Vec<u16>,
    /// Where to publish them.
    pub(in crate::supervisor) range: RangeInclusive<u16>,
    /// Whether the ports are published in any case.
    pub(in crate::supervisor) published: bool,
    /// Whether the service could change the namespace for good.
    pub(in crate::supervisor) changes: bool,
    /// The most holders that may wait for a service. 0 if the service cannot join one.
    pub(in crate::supervisor) most: usize,
}

/// What distinguishes holders.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// The ports that are published, in ascending order.
    pub(super) ports: Vec<u16>,
    pub(super) range: RangeInclusive<u16>,
}

impl Wish {
    /// The kind of holder for it. `is_reached` says whether this machine reaches a holder itself.
    pub(super) fn key(&self, is_reached: bool) -> Key {
        if !self.published && is_reached {
            return Key {
                ports: Vec::new(),
                range: 0..=0,
            };
        }
        let mut ports = self.ports.clone();
        ports.sort_unstable();
        Key {
            ports,
            range: self.range.clone(),
        }
    }
}
