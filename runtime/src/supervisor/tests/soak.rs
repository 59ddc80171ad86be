//! A soak of a whole run. It may leave a network behind, so it runs on an engine that is thrown away afterwards: `cargo xtask
//! soak network` starts one.

use super::events::engine;
use super::{Run, lasting};
use crate::protocol::RequestBody;

/// The number of services of a launch. Those of the launch before are removed while they start.
const AT_ONCE: u64 = 10;

/// The networks that an engine has by itself.
const OWN: [&str; 3] = ["bridge", "host", "none"];

/// Counts the networks that are left of a run with many starts.
#[tokio::test]
#[ignore = "it may spoil the engine and takes minutes; `cargo xtask soak network` runs it"]
async fn network() {
    let rounds = u64::from(crate::soak::rounds());
    let mut run = Run::new("soak");
    let mut joined = 0;
    for round in 1..=rounds {
        let services = (0..AT_ONCE).map(|number| lasting(&format!("buoy{number}"), &[]));
        let launched = run.launch(round, services.collect()).await;
        let launched = launched.expect("all are ready");
        // Without a published port, `host` leads to the namespace that a service has joined.
        let of_holders = launched
            .iter()
            .filter(|it| it.host == it.address.to_string());
        joined += of_holders.count();
        run.send(RequestBody::Release { lease: round });
        if round % 10 == 0 {
            println!(
                "launch {round} of {rounds}: {joined} of {} services have joined a namespace",
                round * AT_ONCE
            );
        }
    }
    drop(run);
    let networks = engine().await.networks().await.expect("a list");
    let left = networks.iter().filter(|it| !OWN.contains(&&*it.name));
    println!("stuck: {} of 1 networks", left.count());
}
