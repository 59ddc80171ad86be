//! A holder: a container that has a network namespace with an address, and does nothing else.
//!
//! A service that joins it has the holder's address, published ports and host names.

use std::collections::BTreeSet;
use std::fs;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};

use super::maker::{Maker, NotMade};
use super::program;
use super::wish::Key;
use crate::engine::{
    Attachment, ContainerSpec, Engine, EngineError, EngineErrorKind, PublishedPort,
};
use crate::supervisor::identity::LABEL;
use crate::supervisor::network::HostNumber;
use crate::supervisor::ports::HeldPorts;
use crate::supervisor::reaper::Guard;

/// The number of attempts to choose host ports.
const PORT_CHOICES: u32 = 10;

/// The first port that the kernel chooses for outgoing connections.
const FIRST_EPHEMERAL: u16 = 32768;

/// The lines of a host file that every container has.
const LOCAL_NAMES: &str = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nff00::0\tip6-mcastprefix\n\
                           ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";

/// A running holder. Dropping it removes the container.
pub(in crate::supervisor) struct Holder {
    pub(super) key: Key,
    pub(super) host: HostNumber,
    engine: Engine,
    id: String,
    address: Ipv4Addr,
    pub(in crate::supervisor) ports: Vec<PublishedPort>,
    /// Its process, if that is one of this machine.
    process: Option<u32>,
    /// Whether a service has joined it.
    pub(super) is_used: bool,
    /// Whether its namespace may have been changed for good.
    is_changed: AtomicBool,
    _guard: Guard,
}

impl Holder {
    /// Creates and starts a holder with this host number.
    ///
    /// # Errors
    ///
    /// Returns an error if the engine refuses it. The address is free again then.
    pub(super) async fn start(maker: &Maker, key: Key, host: HostNumber) -> Result<Self, NotMade> {
        let image = maker.image().await?;
        let mut choice = 0;
        loop {
            choice += 1;
            match Self::start_once(maker, &image, &key, host).await {
                Err(NotMade::Refused(error))
                    if error.kind == EngineErrorKind::PortTaken && choice < PORT_CHOICES => {}
                outcome => return outcome,
            }
        }
    }

    async fn start_once(
        maker: &Maker,
        image: &str,
        key: &Key,
        host: HostNumber,
    ) -> Result<Self, NotMade> {
        let engine = &maker.engine;
        let (name, address) = (maker.next_name(), maker.network.address(host));
        let ports = maker.ports.publish(key.ports.iter().copied(), &key.range);
        let ports = ports.map_err(|port| EngineError {
            kind: EngineErrorKind::Failed,
            attempt: "prepare a network namespace".to_owned(),
            message: format!("no port is free to publish port {port}"),
        })?;
        let mut guard = maker.reaper.guard(engine, name.clone());
        guard.uses(HeldPorts::new(maker.ports.clone(), &ports));
        let mut labels = maker.identity.labels();
        labels.insert(format!("{LABEL}.service"), "network-namespace".to_owned());
        let spec = ContainerSpec {
            name,
            image: image.to_owned(),
            entrypoint: Some(vec![program::PATH.to_owned()]),
            labels,
            ports: ports.clone(),
            attachment: Some(Attachment {
                network: maker.network.id.clone(),
                address,
            }),
            has_input: true,
            ..ContainerSpec::default()
        };
        let id = guard.create(spec).await?;
        let started = async {
            guard.start(&id).await?;
            if ports.is_empty() {
                maker.confirm_reachability(&id, address).await?;
            }
            Ok(engine.inspect(&id).await?)
        };
        match started.await {
            Ok(info) => Ok(Self {
                key: key.clone(),
                host,
                engine: engine.clone(),
                address,
                ports,
                process: info
                    .process
                    .filter(|process| sockets(*process, address).is_some()),
                is_used: false,
                is_changed: AtomicBool::new(false),
                id,
                _guard: guard,
            }),
            Err(error) => {
                // The next container may have the same address.
                let _ = engine.remove(&id).await;
                Err(error)
            }
        }
    }

    pub(in crate::supervisor) fn id(&self) -> &str {
        &self.id
    }

    /// Lets a container join, and returns the host names that it cannot bring itself.
    pub(in crate::supervisor) fn be_joined(
        &self,
        spec: &mut ContainerSpec,
    ) -> Vec<(String, String)> {
        spec.joins = Some(self.id.clone());
        spec.attachment = None;
        spec.ports.clear();
        std::mem::take(&mut spec.hosts)
    }

    /// Gives these host names to the service that joins next.
    ///
    /// # Errors
    ///
    /// Returns an error if the holder does not answer. It must not be used then.
    pub(in crate::supervisor) async fn name_hosts(
        &self,
        hosts: &[(String, String)],
    ) -> Result<(), EngineError> {
        let text = self.host_file(hosts);
        let record = program::record(&text).ok_or_else(|| EngineError {
            kind: EngineErrorKind::Failed,
            attempt: "write the host names of a service".to_owned(),
            message: "they are too long for a network namespace that is prepared ahead".to_owned(),
        })?;
        let answered = self.engine.converse(&self.id, record).await;
        answered.inspect_err(|_| self.has_changed())
    }

    fn host_file(&self, hosts: &[(String, String)]) -> String {
        // A container that joins has the host name of the holder, which is the beginning of the id.
        let own = &self.id[..self.id.len().min(12)];
        let named = hosts
            .iter()
            .map(|(name, address)| format!("{address}\t{name}\n"));
        LOCAL_NAMES.to_owned() + &named.collect::<String>() + &format!("{}\t{own}\n", self.address)
    }

    /// Notes that the namespace may differ from a new one for good. It is not used again.
    pub(in crate::supervisor) fn has_changed(&self) {
        self.is_changed.store(true, Ordering::Relaxed);
    }

    /// Whether the next service finds the namespace as if it were new. `false` if that is unknown.
    pub(super) fn is_fit(&self) -> bool {
        let is_clean = match self.process {
            Some(process) => sockets(process, self.address).is_some_and(|it| it.is_empty()),
            None => !self.is_used,
        };
        is_clean && !self.is_changed.load(Ordering::Relaxed)
    }

    /// Whether its container runs, so that others can join it. An engine that does not answer says nothing of it.
    pub(in crate::supervisor) async fn runs(&self) -> bool {
        match self.engine.inspect(&self.id).await {
            Ok(info) => info.running,
            Err(error) => error.kind != EngineErrorKind::NotFound,
        }
    }

    /// Removes the container now.
    ///
    /// # Errors
    ///
    /// Returns an error if the engine does not remove it.
    pub(super) async fn remove(&self) -> Result<(), EngineError> {
        self.has_changed();
        self.engine.remove(&self.id).await
    }
}

/// The local ports in the namespace of a process that would be in the way of another service. `None` if the namespace cannot
/// be looked at, or does not have this address.
fn sockets(process: u32, address: Ipv4Addr) -> Option<BTreeSet<u16>> {
    let table = |name: &str| fs::read_to_string(format!("/proc/{process}/net/{name}"));
    crate::readiness::sockets::has_address(process, address).then_some(())?;
    // A machine may have no IPv6.
    let tables = ["tcp", "tcp6", "udp", "udp6", "raw", "raw6"].map(|name| table(name).ok());
    tables[0].as_ref()?;
    let lines = tables.iter().flatten().flat_map(|table| table.lines());
    Some(lines.filter_map(in_the_way).collect())
}

/// The port of a line of the kernel's table of sockets (proc(5)), unless it is of no account.
fn in_the_way(line: &str) -> Option<u16> {
    /// `FIN_WAIT1`, `FIN_WAIT2`, `TIME_WAIT`, `LAST_ACK`, `CLOSING`: the kernel ends these connections by itself.
    const ENDING: [&str; 5] = ["04", "05", "06", "09", "0B"];
    let mut fields = line.split_whitespace().skip(1);
    let (address, port) = fields.next()?.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let state = fields.nth(1)?;
    // The engine's own name server, on 127.0.0.11.
    let is_engines = address == "0B00007F";
    // An outgoing connection's port, on which no service listens.
    let is_over = ENDING.contains(&state) && port >= FIRST_EPHEMERAL;
    (!is_engines && !is_over).then_some(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_in_the_way_unless_they_are_the_engines_or_over() {
        let line = |local: &str, state: &str| {
            format!("  0: {local} 00000000:0000 {state} 00000000:00000000")
        };
        // 6379, listening.
        assert_eq!(in_the_way(&line("00000000:18EB", "0A")), Some(6379));
        // A connection of a client that nobody has closed.
        assert_eq!(in_the_way(&line("0500C90A:9C40", "01")), Some(40000));
        // The same, over.
        assert_eq!(in_the_way(&line("0500C90A:9C40", "06")), None);
        // The service closed the connection, so its port is in use for a while.
        assert_eq!(in_the_way(&line("0500C90A:18EB", "06")), Some(6379));
        // The engine's name server.
        assert_eq!(in_the_way(&line("0B00007F:9C40", "0A")), None);
        let head = "  sl  local_address rem_address   st tx_queue";
        assert_eq!(in_the_way(head), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_socket_of_this_machine_is_seen() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
        let port = socket.local_addr().expect("its address").port();
        let seen = sockets(std::process::id(), Ipv4Addr::LOCALHOST).expect("it is ours");
        assert!(seen.contains(&port));
        // Nobody has this address: it is reserved for documentation.
        let nobodys = Ipv4Addr::new(192, 0, 2, 1);
        assert_eq!(sockets(std::process::id(), nobodys), None);
    }
}
