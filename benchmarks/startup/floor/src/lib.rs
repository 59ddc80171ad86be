//! What any framework has to ask of the engine, and nothing else.
//!
//! A start is three calls: `POST /containers/create` (default bridge, one port published on loopback), `POST
//! /containers/ID/start`, `GET /containers/ID/json` for the port that the engine chose. A removal is one: `DELETE
//! /containers/ID?force=1&v=1`. Each call has a connection of its own, over the engine's socket.

pub mod calls;

use std::net::SocketAddr;

use serde_json::json;
use startup_measure::{Container, LABEL, Ports, call};

/// A Redis that is removed when this is dropped.
pub struct Redis {
    container: Container,
    pub address: SocketAddr,
    /// Where other containers reach it.
    pub bridge: String,
}

impl Redis {
    pub fn start(environment: &[String]) -> Self {
        Self::start_on("bridge", environment)
    }

    /// Starts one on a network of this name.
    pub fn start_on(network: &str, environment: &[String]) -> Self {
        let more = [("Env", json!(environment))];
        let container = Container::create(network, Ports::Published, &more);
        container.start();
        Self::of(container, network)
    }

    /// Looks for a Redis that runs.
    pub fn find(id: &str) -> Self {
        Self::of(Container(id.to_owned()), "bridge")
    }

    pub fn id(&self) -> &str {
        &self.container.0
    }

    fn of(container: Container, network: &str) -> Self {
        let settings = container.network_settings();
        let port = settings["Ports"]["6379/tcp"][0]["HostPort"].as_str();
        let port = port.and_then(|it| it.parse().ok()).expect("the port");
        let bridge = settings["Networks"][network]["IPAddress"].as_str();
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            bridge: bridge.expect("the address").to_owned(),
            container,
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.container.remove();
    }
}

/// A network that is removed when this is dropped.
pub struct Network(pub String);

impl Network {
    pub fn create(name: String) -> Self {
        let body = json!({ "Name": name, "Labels": { LABEL.0: LABEL.1 } });
        call("POST", "/networks/create", &body.to_string());
        Self(name)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        call("DELETE", &format!("/networks/{}", self.0), "");
    }
}
