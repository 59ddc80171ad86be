//! A Redis as a user of testcontainers declares it, and where it is reached.

use std::error::Error;
use std::net::{SocketAddr, ToSocketAddrs};

use startup_measure::LABEL;
use testcontainers::core::{ContainerPort, WaitFor};
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt};

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub fn redis() -> ContainerRequest<GenericImage> {
    GenericImage::new("redis", "7")
        .with_exposed_port(ContainerPort::Tcp(6379))
        .with_wait_for(WaitFor::message_on_stdout("Ready to accept connections"))
        .with_label(LABEL.0, LABEL.1)
}

pub async fn address(redis: &ContainerAsync<GenericImage>) -> Result<SocketAddr> {
    address_of(redis, 6379).await
}

/// Where this machine reaches a port of a container.
pub async fn address_of(container: &ContainerAsync<GenericImage>, port: u16) -> Result<SocketAddr> {
    let host = container.get_host().await?.to_string();
    let port = container.get_host_port_ipv4(port).await?;
    let mut addresses = (host, port).to_socket_addrs()?;
    let address = addresses.find(SocketAddr::is_ipv4);
    Ok(address.ok_or("the engine has no IPv4 address")?)
}
