//! Where a container's processes listen: the answer to most "connection refused".

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::{Engine, ExecSpec};

/// How long the answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The ports that are listened on in a container, each with whether that is on more than the loopback address.
pub(super) struct Listening(BTreeMap<u16, bool>);

/// Asks the kernel, from inside the container; `None` where it cannot be asked, as in an image without `cat`.
pub(super) async fn ports(engine: &Arc<dyn Engine>, id: &str) -> Option<Listening> {
    let exec = ExecSpec {
        command: ["cat", "/proc/net/tcp", "/proc/net/tcp6"]
            .map(str::to_owned)
            .to_vec(),
        ..ExecSpec::default()
    };
    // An error that is about to be told does not wait for an engine that hangs.
    let asked = tokio::time::timeout(PATIENCE, engine.exec(id, &exec));
    let output = asked.await.ok()?.ok()?;
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    table
        .contains("local_address")
        .then(|| Listening(sockets(&table)))
}

impl Listening {
    pub(super) fn words(&self) -> String {
        words(&self.0)
    }

    /// What to do where the service listens, but not on all that is declared; `None` where that is not it.
    pub(super) fn help(&self, declared: &[u16]) -> Option<String> {
        let missing = declared.iter().any(|port| !self.0.contains_key(port));
        let reachable = self.0.iter().filter(|(_, reachable)| **reachable);
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

/// The listening sockets in Linux's `/proc/net/tcp` (proc(5)): addresses are hexadecimal, state `0A` is a listening socket.
fn sockets(table: &str) -> BTreeMap<u16, bool> {
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
        // The engine's own name server listens on 127.0.0.11, and is nothing of the service's.
        if address == "0B00007F" {
            continue;
        }
        // 127.0.0.0/8 and ::1, in the byte order of the machine; those that engines run on are little-endian.
        let loopback = (address.len() == 8 && address.ends_with("7F"))
            || address == "00000000000000000000000001000000";
        *ports.entry(port).or_insert(false) |= !loopback;
    }
    ports
}

fn words(ports: &BTreeMap<u16, bool>) -> String {
    let list: Vec<String> = ports
        .iter()
        .map(|(port, reachable)| {
            if *reachable {
                format!("{port}")
            } else {
                format!("{port} (only on its loopback address)")
            }
        })
        .collect();
    match list[..] {
        [] => "nothing listens on any TCP port in its container".to_owned(),
        _ => format!("in its container, something listens on {}", list.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listening_sockets_are_found_and_the_loopback_is_told_apart() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n\
            \x20  0: 00000000:2BCB 00000000:0000 0A 00000000:00000000 00:00000000 00000000   999\n\
            \x20  1: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000   999\n\
            \x20  2: 0B00007F:A0F1 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n\
            \x20  3: 0200000A:1F90 0300000A:C350 01 00000000:00000000 00:00000000 00000000     0\n\
            \x20  0: 00000000000000000000000001000000:0050 0000:0000 0A 00000000:00000000\n";
        let sockets = sockets(table);
        assert_eq!(
            sockets,
            BTreeMap::from([(11211, true), (6379, false), (80, false)])
        );
        assert_eq!(
            words(&sockets),
            "in its container, something listens on 80 (only on its loopback address), \
             6379 (only on its loopback address), 11211"
        );
        let listening = Listening(sockets);
        let help = listening.help(&[80, 8081]).expect("8081 is not served");
        assert!(help.contains("`port = 11211`"), "{help}");
        assert_eq!(listening.help(&[80, 6379]), None, "they are, out of reach");
        assert_eq!(listening.help(&[6379, 11211]), None);
        assert_eq!(
            words(&BTreeMap::new()),
            "nothing listens on any TCP port in its container"
        );
    }
}
