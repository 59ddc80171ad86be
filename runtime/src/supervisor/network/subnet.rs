//! Chooses a subnet that is free on the engine and, as far as it can be seen, on this machine.

use std::net::Ipv4Addr;

use crate::engine::Subnet;

/// 4,096 addresses.
pub(super) const PREFIX: u8 = 20;

/// The subnets that this machine has routes to.
pub(super) fn routed() -> Vec<Subnet> {
    routes(&std::fs::read_to_string("/proc/net/route").unwrap_or_default())
}

/// A subnet that overlaps none of `taken`. The search begins at a place that depends on `seed`, so that runs that begin
/// at the same time seldom choose the same one.
pub(super) fn free(taken: &[Subnet], seed: u64) -> Option<Subnet> {
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

pub(super) fn overlap(a: Subnet, b: Subnet) -> bool {
    let prefix = a.prefix.min(b.prefix);
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
    // A default route overlaps everything, so it is ignored.
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
pub(super) fn parsed(text: &str) -> Subnet {
    let (address, prefix) = text.split_once('/').expect("a subnet");
    Subnet {
        address: address.parse().expect("an address"),
        prefix: prefix.parse().expect("a prefix"),
    }
}

#[cfg(test)]
mod tests {
    use super::parsed as subnet;
    use super::*;

    #[test]
    fn a_free_subnet_overlaps_nothing() {
        let taken = [
            subnet("10.0.0.0/9"),
            subnet("10.128.0.0/10"),
            subnet("10.192.0.0/11"),
        ];
        for seed in [0, 1, 4095, u64::MAX] {
            let free = super::free(&taken, seed).expect("one is free");
            assert!(taken.iter().all(|other| !overlap(free, *other)), "{free:?}");
        }
    }

    #[test]
    fn the_second_range_is_used_when_the_first_is_full() {
        let free = super::free(&[subnet("10.0.0.0/8"), subnet("172.16.0.0/16")], 7);
        assert_eq!(free, Some(subnet("172.17.0.0/20")));
        assert_eq!(
            super::free(&[subnet("10.0.0.0/8"), subnet("172.16.0.0/12")], 7),
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
}
