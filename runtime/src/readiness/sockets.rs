//! The listening TCP sockets in the kernel's tables, which are read without a connection.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;

/// From where a listening socket can be reached, the widest last. Our networks have only IPv4 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    Loopback,
    Ipv6,
    /// All of IPv6, and of IPv4 unless the socket excludes it, which the table does not show.
    AnyIpv6,
    Ipv4,
}

/// The listening ports on the network stack of a process of this machine. `None` if that stack cannot be read or does
/// not have this address. It cannot be read if this process does not share the machine with the other one, and then the
/// process id may belong to a third one.
pub(super) fn beside(process: u32, address: Ipv4Addr) -> Option<BTreeMap<u16, Reach>> {
    has_address(process, address).then_some(())?;
    let table = |name: &str| fs::read_to_string(format!("/proc/{process}/net/{name}"));
    // A machine may have no IPv6.
    let tables = table("tcp").ok()? + &table("tcp6").unwrap_or_default();
    Some(listening(&tables))
}

/// Whether the network stack of a process can be looked at and has this address.
pub(crate) fn has_address(process: u32, address: Ipv4Addr) -> bool {
    // The table has each address of the stack in a line of its own: `|-- 10.0.0.2`.
    let routes = fs::read_to_string(format!("/proc/{process}/net/fib_trie")).unwrap_or_default();
    let address = address.to_string();
    let mut lines = routes.lines();
    lines.any(|line| line.trim_start_matches([' ', '|', '-']) == address)
}

/// The listening sockets in Linux's `/proc/net/tcp` (proc(5)). Addresses are hexadecimal, and state `0A` is a listening
/// socket.
pub(crate) fn listening(table: &str) -> BTreeMap<u16, Reach> {
    let mut ports = BTreeMap::new();
    for line in table.lines() {
        let mut fields = line.split_whitespace().skip(1);
        let (Some(local), Some("0A")) = (fields.next(), fields.nth(1)) else {
            continue;
        };
        let Some((address, port)) = local.split_once(':') else {
            continue;
        };
        let Ok(port) = u16::from_str_radix(port, 16) else {
            continue;
        };
        // The engine's own name server listens on 127.0.0.11. It does not belong to the service.
        if address == "0B00007F" {
            continue;
        }
        let reach = reach(address);
        let known = ports.entry(port).or_insert(reach);
        *known = reach.max(*known);
    }
    ports
}

/// The reach of an address in the byte order of the machine. The machines of engines are little-endian.
fn reach(address: &str) -> Reach {
    // An IPv4 address on an IPv6 socket.
    let address = address
        .strip_prefix("0000000000000000FFFF0000")
        .unwrap_or(address);
    match (address.len(), address) {
        // 127.0.0.0/8
        (8, address) if address.ends_with("7F") => Reach::Loopback,
        (8, _) => Reach::Ipv4,
        (_, "00000000000000000000000001000000") => Reach::Loopback,
        (_, "00000000000000000000000000000000") => Reach::AnyIpv6,
        _ => Reach::Ipv6,
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn what_listens_beside_a_process_is_seen_where_the_address_is_its_own() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let this = std::process::id();
        let seen = beside(this, Ipv4Addr::LOCALHOST).expect("it is ours");
        assert_eq!(seen.get(&port), Some(&Reach::Loopback));
        drop(listener);
        let seen = beside(this, Ipv4Addr::LOCALHOST).expect("it is ours");
        assert_eq!(seen.get(&port), None);
        // Nobody has this address: it is reserved for documentation. No process has this id.
        assert_eq!(beside(this, Ipv4Addr::new(192, 0, 2, 1)), None);
        assert_eq!(beside(u32::MAX, Ipv4Addr::LOCALHOST), None);
    }
}
