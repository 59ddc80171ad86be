//! Where a container's processes listen. This explains most "connection refused".

use std::collections::BTreeMap;
use std::time::Duration;

use crate::engine::{Engine, ExecSpec};
use crate::readiness::sockets::{Reach, listening};

/// The deadline of the answer.
const DEADLINE: Duration = Duration::from_secs(5);

/// The ports on which a container listens, with the addresses from which each is reachable.
pub(in crate::supervisor) struct Listening(BTreeMap<u16, Reach>);

/// Asks the kernel from inside the container. `None` if that is not possible, as in an image without `cat`.
pub(in crate::supervisor) async fn ports(engine: &Engine, id: &str) -> Option<Listening> {
    let exec = ExecSpec {
        command: ["cat", "/proc/net/tcp", "/proc/net/tcp6"]
            .map(str::to_owned)
            .to_vec(),
        ..ExecSpec::default()
    };
    // An error does not wait for an engine that hangs.
    let asked = tokio::time::timeout(DEADLINE, engine.exec(id, &exec));
    let output = asked.await.ok()?.ok()?;
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    table
        .contains("local_address")
        .then(|| Listening(listening(&table)))
}

impl Listening {
    /// From where a port is reachable, if anything listens on it.
    pub(in crate::supervisor) fn reach(&self, port: u16) -> Option<Reach> {
        self.0.get(&port).copied()
    }

    /// A sentence about what listens. Connections to the ports in `unserved` are refused.
    pub(super) fn describe(&self, unserved: &[u16]) -> String {
        let list: Vec<String> = self
            .0
            .iter()
            .map(|(port, reach)| match reach {
                Reach::Loopback => format!("{port} (only on its loopback address)"),
                _ if self.is_on_ipv6_only(*port, unserved) => format!("{port} (only on IPv6)"),
                _ => format!("{port}"),
            })
            .collect();
        match list[..] {
            [] => "no process in its container listens on a TCP port".to_owned(),
            _ => format!(
                "the processes in its container listen on {}",
                list.join(", ")
            ),
        }
    }

    fn is_on_ipv6_only(&self, port: u16, unserved: &[u16]) -> bool {
        match self.0.get(&port) {
            Some(Reach::Ipv6) => true,
            Some(Reach::AnyIpv6) => unserved.contains(&port),
            _ => false,
        }
    }

    /// The next step if the service listens, but not on all declared ports. `None` if that is not the problem.
    pub(super) fn help(&self, declared: &[u16], unserved: &[u16]) -> Option<String> {
        let mut ports = declared.iter();
        if ports.any(|port| self.is_on_ipv6_only(*port, unserved)) {
            return Some(
                "have the service listen on IPv4, such as on `0.0.0.0`: its network has no IPv6 addresses"
                    .to_owned(),
            );
        }
        let is_on_loopback = |port: &u16| self.reach(*port) == Some(Reach::Loopback);
        if let Some(port) = unserved.iter().find(|port| is_on_loopback(port)) {
            return Some(format!(
                "have the service listen on `0.0.0.0:{port}`: its loopback address is not reachable from outside its container"
            ));
        }
        let missing = declared.iter().any(|port| !self.0.contains_key(port));
        let reachable = self.0.iter().filter(|(_, reach)| **reach >= Reach::AnyIpv6);
        let other = reachable
            .map(|(port, _)| port)
            .find(|port| !declared.contains(port))?;
        missing.then(|| {
            format!(
                "declare the port that the service listens on, such as `port = {other}`, or have it listen on the declared one"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listening_sockets_are_found_and_the_loopback_is_distinguished() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n\
            \x20  0: 00000000:2BCB 00000000:0000 0A 00000000:00000000 00:00000000 00000000   999\n\
            \x20  1: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000   999\n\
            \x20  2: 0B00007F:A0F1 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n\
            \x20  3: 0200000A:1F90 0300000A:C350 01 00000000:00000000 00:00000000 00000000     0\n\
            \x20  0: 00000000000000000000000001000000:0050 0000:0000 0A 00000000:00000000\n";
        let sockets = listening(table);
        assert_eq!(
            sockets,
            BTreeMap::from([
                (11211, Reach::Ipv4),
                (6379, Reach::Loopback),
                (80, Reach::Loopback)
            ])
        );
        let listening = Listening(sockets);
        assert_eq!(
            listening.describe(&[80]),
            "the processes in its container listen on 80 (only on its loopback address), \
             6379 (only on its loopback address), 11211"
        );
        let help = listening
            .help(&[80, 8081], &[8081])
            .expect("8081 is not served");
        assert!(help.contains("`port = 11211`"), "{help}");
        let help = listening
            .help(&[80, 6379], &[80])
            .expect("80 is out of reach");
        assert!(help.contains("`0.0.0.0:80`"), "{help}");
        assert_eq!(listening.help(&[6379, 11211], &[]), None);
        assert_eq!(
            Listening(BTreeMap::new()).describe(&[80]),
            "no process in its container listens on a TCP port"
        );
    }

    #[test]
    fn listeners_on_ipv6_only_are_distinguished() {
        let table = "  sl  local_address rem_address   st\n\
            \x20  0: 00000000000000000000000000000000:0050 0000:0000 0A\n\
            \x20  1: 00000000000000000000000000000000:0051 0000:0000 0A\n\
            \x20  2: B80D01200000000000000000FF000000:0052 0000:0000 0A\n\
            \x20  3: 0000000000000000FFFF00000200000A:0053 0000:0000 0A\n\
            \x20  4: 0000000000000000FFFF00000100007F:0054 0000:0000 0A\n\
            \x20  5: 00000000000000000000000000000000:0055 0000:0000 0A\n\
            \x20  6: 00000000:0055 00000000:0000 0A\n";
        let listening = Listening(super::listening(table));
        assert_eq!(
            listening.describe(&[80, 85]),
            "the processes in its container listen on 80 (only on IPv6), 81, 82 (only on IPv6), 83, \
             84 (only on its loopback address), 85"
        );
        let help = |declared, unserved: &[u16]| listening.help(&[declared], unserved);
        for declared in [80, 82] {
            let help = help(declared, &[80]).expect("it is on IPv6 only");
            assert!(help.contains("0.0.0.0"), "{help}");
        }
        for declared in [81, 83, 84] {
            assert_eq!(help(declared, &[]), None, "{declared}");
        }
    }
}
