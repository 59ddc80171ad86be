//! Who may take over a network that a run had to give up: one process, as the kernel decides.

/// Keeps others from taking a network, as long as this process lives: an abstract socket's name is taken once in a
/// machine, and the kernel gives it back whatever becomes of the process.
#[derive(Debug)]
pub(super) struct Claim {
    #[cfg(target_os = "linux")]
    _socket: std::os::unix::net::UnixDatagram,
}

impl Claim {
    #[cfg(target_os = "linux")]
    pub(super) fn on(network: &str) -> Option<Self> {
        use std::os::linux::net::SocketAddrExt as _;
        use std::os::unix::net::{SocketAddr, UnixDatagram};

        let name = SocketAddr::from_abstract_name(format!("seatrial-network-{network}")).ok()?;
        let socket = UnixDatagram::bind_addr(&name).ok()?;
        Some(Self { _socket: socket })
    }

    /// Elsewhere the engine is in a virtual machine, and of a version that does not count.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn on(_: &str) -> Option<Self> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_claimed_once_until_the_claim_is_dropped() {
        let network = format!("test-{}", std::process::id());
        let claim = Claim::on(&network).expect("nobody has it");
        assert!(Claim::on(&network).is_none());
        drop(claim);
        assert!(Claim::on(&network).is_some());
    }
}
