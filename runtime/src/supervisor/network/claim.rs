//! Who may take over an abandoned network: one process, as the kernel decides.

/// Keeps others from taking a network for as long as this process lives. The name of an abstract socket exists once in
/// a machine, and the kernel releases it however the process ends.
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

    /// On other systems the engine is in a virtual machine, and its version does not count endpoints.
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
