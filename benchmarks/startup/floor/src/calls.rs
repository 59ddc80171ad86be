//! What each call of a start and of a removal costs, by the kind of network that a container has.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use serde_json::{Value, json};
use startup_measure::{LABEL, LATER, call, network, redis_answers, sample, settle};

use crate::Network;

/// A published port, as every framework asks for one.
fn published() -> Value {
    json!({ "6379/tcp": [{ "HostIp": "127.0.0.1", "HostPort": "" }] })
}

/// Measures all calls, several times.
pub fn measure() {
    settle();
    for _ in 0..LATER {
        let created = Instant::now();
        let own = Network::create(network());
        sample("create a network", created.elapsed());

        one("default network, published port", "bridge", &published());
        one("network of its own, published port", &own.0, &published());
        one("network of its own", &own.0, &json!({}));
        one("no network", "none", &json!({}));
        let holder = Container::create(&own.0, &json!({}), Some("sleep infinity"));
        holder.start();
        let address = holder.address(&own.0);
        let joined = format!("container:{}", holder.0);
        one_at("namespace of another", &joined, &json!({}), address);
        holder.remove();

        let removed = Instant::now();
        drop(own);
        sample("remove a network", removed.elapsed());
    }
}

fn one(kind: &str, network: &str, ports: &Value) {
    one_at(kind, network, ports, None);
}

/// Starts and removes one on a network. It is reached at this address, or at one that the engine tells.
fn one_at(kind: &str, network: &str, ports: &Value, address: Option<SocketAddr>) {
    let begun = Instant::now();
    let redis = Container::create(network, ports, None);
    sample("create a container", begun.elapsed());
    let begun = Instant::now();
    redis.start();
    sample(&format!("start: {kind}"), begun.elapsed());
    let begun = Instant::now();
    if let Some(address) = address.or_else(|| redis.address(network)) {
        redis_answers(address);
        sample("Redis begins to answer", begun.elapsed());
    }
    let begun = Instant::now();
    redis.remove();
    sample(&format!("remove: {kind}"), begun.elapsed());
}

struct Container(String);

impl Container {
    /// Creates one that runs a script, or Redis.
    fn create(network: &str, ports: &Value, script: Option<&str>) -> Self {
        let body = json!({
            "Image": "redis:7",
            "Entrypoint": script.map(|script| ["sh", "-c", script]),
            "Labels": { LABEL.0: LABEL.1 },
            "ExposedPorts": ports.as_object().map(|ports| {
                ports.keys().map(|port| (port.clone(), json!({}))).collect::<serde_json::Map<_, _>>()
            }),
            "HostConfig": { "NetworkMode": network, "PortBindings": ports },
        });
        let created = call("POST", "/containers/create", &body.to_string());
        Self(created["Id"].as_str().expect("the id").to_owned())
    }

    fn start(&self) {
        call("POST", &format!("/containers/{}/start", self.0), "");
    }

    /// Where this machine reaches its Redis on that network.
    fn address(&self, network: &str) -> Option<SocketAddr> {
        let container = call("GET", &format!("/containers/{}/json", self.0), "");
        let address = &container["NetworkSettings"]["Networks"][network]["IPAddress"];
        let address: IpAddr = address.as_str()?.parse().ok()?;
        Some((address, 6379).into())
    }

    fn remove(&self) {
        call("DELETE", &format!("/containers/{}?force=1&v=1", self.0), "");
    }
}
