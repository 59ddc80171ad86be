//! What each call of a start and of a removal costs, by the kind of network that a container has.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use serde_json::json;
use startup_measure::{Container, LATER, Ports, network, redis_answers, sample, settle};

use crate::Network;

/// Measures all calls, several times.
pub fn measure() {
    settle();
    for _ in 0..LATER {
        let created = Instant::now();
        let own = Network::create(network());
        sample("create a network", created.elapsed());

        one(
            "default network, published port",
            "bridge",
            Ports::Published,
        );
        one(
            "network of its own, published port",
            &own.0,
            Ports::Published,
        );
        one("network of its own", &own.0, Ports::Closed);
        one("no network", "none", Ports::Closed);
        let sleep = [("Entrypoint", json!(["sleep", "infinity"]))];
        let holder = Container::create(&own.0, Ports::Closed, &sleep);
        holder.start();
        let address = address_of(&holder, &own.0);
        let joined = format!("container:{}", holder.0);
        one_at("namespace of another", &joined, Ports::Closed, address);
        holder.remove();

        let removed = Instant::now();
        drop(own);
        sample("remove a network", removed.elapsed());
    }
}

fn one(kind: &str, network: &str, ports: Ports) {
    one_at(kind, network, ports, None);
}

/// Starts and removes one on a network. It is reached at this address, or at one that the engine tells.
fn one_at(kind: &str, network: &str, ports: Ports, address: Option<SocketAddr>) {
    let begun = Instant::now();
    let redis = Container::create(network, ports, &[]);
    sample("create a container", begun.elapsed());
    let begun = Instant::now();
    redis.start();
    sample(&format!("start: {kind}"), begun.elapsed());
    let begun = Instant::now();
    if let Some(address) = address.or_else(|| address_of(&redis, network)) {
        redis_answers(address);
        sample("Redis begins to answer", begun.elapsed());
    }
    let begun = Instant::now();
    redis.remove();
    sample(&format!("remove: {kind}"), begun.elapsed());
}

/// Where this machine reaches the Redis of a container on that network.
fn address_of(container: &Container, network: &str) -> Option<SocketAddr> {
    let address = &container.network_settings()["Networks"][network]["IPAddress"];
    let address: IpAddr = address.as_str()?.parse().ok()?;
    Some((address, 6379).into())
}
