//! The run's network: a subnet of our own choice, so that every container's address is known before it exists.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::engine::{Engine, EngineError, EngineErrorKind, NetworkSpec, Subnet};

/// A container's place in the subnet, given before the subnet is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HostNumber(u32);

/// The network, once it is there.
#[derive(Clone, Debug)]
pub(super) struct Network {
    pub(super) id: String,
    subnet: Subnet,
}

/// Gives out the numbers. They are not used again: a network has more of them than a run has containers.
#[derive(Debug)]
pub(super) struct Hosts(AtomicU32);

/// How long the engine may take to detach containers that it has removed; beyond that something else is wrong.
const DETACHED_WITHIN: Duration = Duration::from_secs(5);
/// The engine does not tell when it has detached them, so it is asked again: soon at first, then less often.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// 4,096 addresses.
const PREFIX: u8 = 20;
/// How many subnets are tried: overlaps are looked for beforehand, so more than one is tried only in a race.
const ATTEMPTS: usize = 16;

impl Hosts {
    pub(super) fn new() -> Self {
        // The network's own address and the gateway's come first.
        Self(AtomicU32::new(2))
    }

    pub(super) fn next(&self) -> HostNumber {
        let hosts = (1 << (32 - PREFIX)) - 3;
        HostNumber(2 + (self.0.fetch_add(1, Ordering::Relaxed) - 2) % hosts)
    }
}

impl Network {
    pub(super) fn address(&self, host: HostNumber) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.subnet.address) + host.0)
    }

    pub(super) fn gateway(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.subnet.address) + 1)
    }
}

/// Creates the network on a subnet that neither the engine nor, as far as it can be seen, this machine uses.
pub(super) async fn create(
    engine: &Arc<dyn Engine>,
    name: &str,
    labels: &BTreeMap<String, String>,
) -> Result<Network, EngineError> {
    let mut taken = engine.subnets().await?;
    taken.extend(routes(
        &std::fs::read_to_string("/proc/net/route").unwrap_or_default(),
    ));
    let mut refused = None;
    for _ in 0..ATTEMPTS {
        let Some(subnet) = free_subnet(&taken, RandomState::new().build_hasher().finish()) else {
            break;
        };
        let spec = NetworkSpec {
            name: name.to_owned(),
            subnet,
            labels: labels.clone(),
        };
        match engine.create_network(&spec).await {
            Ok(id) => return Ok(Network { id, subnet }),
            Err(error) if error.kind == EngineErrorKind::Conflict => {
                taken.push(subnet);
                refused = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    Err(refused.unwrap_or_else(|| EngineError {
        kind: EngineErrorKind::Conflict,
        attempt: "create the run's network".to_owned(),
        message: "every subnet of 10.0.0.0/8 and 172.16.0.0/12 is in use".to_owned(),
    }))
}

/// Removes the network. An engine may say for a moment that containers are attached which it has removed already: it
/// lets go of a container's place on the network in its own time.
pub(super) async fn remove(engine: &Arc<dyn Engine>, network: &Network) -> Result<(), EngineError> {
    let begun = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        match engine.remove_network(&network.id).await {
            Err(error)
                if error.kind == EngineErrorKind::Conflict && begun.elapsed() < DETACHED_WITHIN =>
            {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            outcome => return outcome,
        }
    }
}

/// A subnet that overlaps none of `taken`, beginning to look at a place that `seed` says, so that runs that begin at
/// once seldom choose the same.
fn free_subnet(taken: &[Subnet], seed: u64) -> Option<Subnet> {
    let count: u64 = 1 << (PREFIX - 8);
    (0..count)
        .map(|step| {
            let number = u32::try_from((seed.wrapping_add(step)) % count).unwrap_or_default();
            Subnet {
                address: Ipv4Addr::from(
                    u32::from(Ipv4Addr::new(10, 0, 0, 0)) + (number << (32 - PREFIX)),
                ),
                prefix: PREFIX,
            }
        })
        .chain((0..(1 << (PREFIX - 12))).map(|number: u32| Subnet {
            address: Ipv4Addr::from(
                u32::from(Ipv4Addr::new(172, 16, 0, 0)) + (number << (32 - PREFIX)),
            ),
            prefix: PREFIX,
        }))
        .find(|subnet| !taken.iter().any(|other| overlap(*subnet, *other)))
}

fn overlap(a: Subnet, b: Subnet) -> bool {
    let prefix = a.prefix.min(b.prefix);
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
    // A default route overlaps everything and means nothing.
    prefix > 0 && (u32::from(a.address) & mask) == (u32::from(b.address) & mask)
}

/// The destinations in Linux's `/proc/net/route`: hexadecimal, in the byte order of the machine.
fn routes(table: &str) -> Vec<Subnet> {
    let field = |line: &str, column: usize| {
        let text = line.split_whitespace().nth(column)?;
        u32::from_str_radix(text, 16)
            .ok()
            .map(u32::from_be)
            .map(|value| {
                if cfg!(target_endian = "little") {
                    value
                } else {
                    value.swap_bytes()
                }
            })
    };
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let prefix = u8::try_from(field(line, 7)?.leading_ones()).ok()?;
            Some(Subnet {
                address: Ipv4Addr::from(field(line, 1)?),
                prefix,
            })
        })
        .filter(|route| route.prefix > 0)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(text: &str) -> Subnet {
        let (address, prefix) = text.split_once('/').expect("a subnet");
        Subnet {
            address: address.parse().expect("an address"),
            prefix: prefix.parse().expect("a prefix"),
        }
    }

    #[test]
    fn a_free_subnet_overlaps_nothing() {
        let taken = [
            subnet("10.0.0.0/9"),
            subnet("10.128.0.0/10"),
            subnet("10.192.0.0/11"),
        ];
        for seed in [0, 1, 4095, u64::MAX] {
            let free = free_subnet(&taken, seed).expect("one is free");
            assert!(taken.iter().all(|other| !overlap(free, *other)), "{free:?}");
        }
    }

    #[test]
    fn the_second_range_is_used_when_the_first_is_full() {
        let free = free_subnet(&[subnet("10.0.0.0/8"), subnet("172.16.0.0/16")], 7);
        assert_eq!(free, Some(subnet("172.17.0.0/20")));
        assert_eq!(
            free_subnet(&[subnet("10.0.0.0/8"), subnet("172.16.0.0/12")], 7),
            None
        );
    }

    #[test]
    fn reads_the_kernels_routes() {
        let table = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
                     eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
                     docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";
        assert_eq!(routes(table), [subnet("172.17.0.0/16")]);
    }

    #[test]
    fn host_numbers_stay_within_the_subnet() {
        let hosts = Hosts::new();
        let network = Network {
            id: String::new(),
            subnet: subnet("10.1.16.0/20"),
        };
        for _ in 0..10_000 {
            let address = network.address(hosts.next());
            assert!(
                overlap(
                    Subnet {
                        address,
                        prefix: 32
                    },
                    network.subnet
                ),
                "{address}"
            );
            assert_ne!(address, network.gateway());
            assert_ne!(address, Ipv4Addr::new(10, 1, 31, 255));
        }
    }
}
