//! Networks of runs that are over, which the engine did not let go of: Docker before 28 may count containers on a
//! network that are not there (see `engine/docker/endpoints.rs`). They work like any other, so a run takes one of them
//! rather than leave one more behind.
//!
//! Nothing is taken from anybody who may live: the owner must be dead for certain, no container may be attached, and
//! among several who find the same network the kernel decides.

use std::sync::Arc;

use super::super::identity::{Identity, LABEL};
use super::Network;
use super::subnet::PREFIX;
use crate::engine::{Engine, EngineErrorKind, NetworkInfo};

/// How many networks are looked at before a new one is made.
const LOOKED_AT: usize = 4;

/// Keeps others from taking a network, as long as this process lives: an abstract socket's name is taken once in a
/// machine, and the kernel gives it back whatever becomes of the process.
#[derive(Debug)]
pub(super) struct Claim {
    #[cfg(target_os = "linux")]
    _socket: std::os::unix::net::UnixDatagram,
}

impl Claim {
    #[cfg(target_os = "linux")]
    fn on(network: &str) -> Option<Self> {
        use std::os::linux::net::SocketAddrExt as _;
        use std::os::unix::net::{SocketAddr, UnixDatagram};

        let name = SocketAddr::from_abstract_name(format!("seatrial-network-{network}")).ok()?;
        let socket = UnixDatagram::bind_addr(&name).ok()?;
        Some(Self { _socket: socket })
    }

    /// Elsewhere the engine is in a virtual machine, and of a version that does not count.
    #[cfg(not(target_os = "linux"))]
    fn on(_: &str) -> Option<Self> {
        None
    }
}

/// A network that a run before had to give up. One that the engine has let go of meanwhile is removed.
pub(super) async fn adopt(engine: &Arc<dyn Engine>, known: &[NetworkInfo]) -> Option<Network> {
    let abandoned = known
        .iter()
        .filter(|network| {
            let owner = network.labels.get(&format!("{LABEL}.owner"));
            owner.is_some_and(|owner| Identity::is_dead(owner))
        })
        .take(LOOKED_AT);
    for network in abandoned {
        let Some(claim) = Claim::on(&network.id) else {
            continue;
        };
        // What a killed process left running is not this run's to remove.
        if !engine
            .attached(&network.id)
            .await
            .is_ok_and(|ids| ids.is_empty())
        {
            continue;
        }
        match engine.remove_network(&network.id).await {
            Err(error) if error.kind == EngineErrorKind::Conflict => {}
            // Gone; or the engine has troubles which whoever comes next tells of.
            _ => continue,
        }
        if let [subnet] = network.subnets[..]
            && subnet.prefix == PREFIX
        {
            return Some(Network {
                id: network.id.clone(),
                name: network.name.clone(),
                subnet,
                claim: Some(Arc::new(claim)),
            });
        }
    }
    None
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
