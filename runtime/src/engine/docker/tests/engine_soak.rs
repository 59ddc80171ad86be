//! Soaks: the same steps again and again until a rare event has happened. They leave networks behind, so they run
//! on an engine that is thrown away afterwards: `cargo xtask soak` starts one.

use std::convert::Infallible;
use std::time::Instant;

use futures_util::future::join_all;

use super::*;

/// The number of containers of a round that exist at the same time, all on one network.
const AT_ONCE: u8 = 20;

/// How often each of them is started and removed. The engine miscounts starts beside removals. Removals alone, or
/// containers that only connect and disconnect, hardly ever make it miscount.
const TURNS: u8 = 2;

/// Counts the networks that the engine refuses to remove although it reports no attached container, after containers
/// were removed from them while others were started.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it spoils the engine and takes minutes; `cargo xtask soak network` runs it"]
async fn network() {
    let rounds = crate::soak::rounds();
    let rig = Rig::new().await;
    let mut refused = Vec::new();
    for round in 0..rounds {
        let begun = Instant::now();
        let (network, subnet) = soaked_network(&rig.engine, round).await;
        tokio::select! {
            () = churn(&rig.engine, &network, subnet) => {}
            never = list(&rig.engine) => match never {},
        }
        if let Err(error) = rig.engine.remove_network(&network).await {
            assert_eq!(error.kind, EngineErrorKind::Conflict, "{error}");
            refused.push(network);
        }
        println!(
            "round {} of {rounds}: {:.1} s, {} refused until now",
            round + 1,
            begun.elapsed().as_secs_f64(),
            refused.len()
        );
    }
    // Only now, as a network that can be removed after all is not stuck.
    let mut stuck = 0;
    for network in refused {
        stuck += u16::from(is_stuck(&rig.engine, &network).await);
    }
    println!("stuck: {stuck} of {rounds} networks");
}

/// A network of a round. Stuck networks keep their subnets.
async fn soaked_network(engine: &Docker, round: u16) -> (String, Subnet) {
    let [second, third] = round.to_be_bytes();
    let subnet = Subnet {
        address: Ipv4Addr::new(10, 64 + second, third, 0),
        prefix: 24,
    };
    let spec = NetworkSpec {
        name: unique(),
        subnet,
        labels: labels(),
    };
    let created = engine.create_network(&spec).await;
    (created.expect("the network is created"), subnet)
}

/// Starts and removes containers that do not wait for each other.
async fn churn(engine: &Docker, network: &str, subnet: Subnet) {
    let places = (0..AT_ONCE).map(|place| async move {
        for turn in 0..TURNS {
            let spec = ContainerSpec {
                name: unique(),
                image: IMAGE.to_owned(),
                command: Some(words(&["sleep", "1000"])),
                labels: labels(),
                attachment: Some(attached(network, subnet, 10 + turn * AT_ONCE + place)),
                ..ContainerSpec::default()
            };
            let id = engine.create(&spec).await.expect("it is created");
            engine.start(&id).await.expect("it starts");
            engine.remove(&id).await.expect("it is removed");
        }
    });
    join_all(places).await;
}

/// Lists networks without end, as the choice of a subnet does: the engine reads all of its counters for that.
async fn list(engine: &Docker) -> Infallible {
    loop {
        engine.networks().await.expect("the networks are listed");
    }
}

/// Whether the engine refuses to remove a network on which it reports no container.
async fn is_stuck(engine: &Docker, network: &str) -> bool {
    let found = engine.api.inspect_network(network, None).await;
    let attached = found.expect("the network is there").containers;
    assert_eq!(attached.unwrap_or_default(), HashMap::new(), "on {network}");
    match engine.remove_network(network).await {
        Ok(()) => false,
        Err(error) => {
            assert!(error.message.contains("active endpoints"), "{error}");
            true
        }
    }
}
