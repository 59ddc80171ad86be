//! Where a service is reached: its host, its published ports, and addresses made from them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::Service;

impl Service {
    /// The host its ports are published on: `127.0.0.1`.
    pub fn host(&self) -> &str {
        &self.info.host
    }

    /// The published port for one of its declared ports, given by number or name.
    ///
    /// It stays the same when the service is restarted.
    ///
    /// ```no_run
    /// # fn f(db: seatrial::Service) {
    /// let sql: u16 = db.port(5432);
    /// let metrics: u16 = db.port("metrics");
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Where the declaration has no such port.
    #[track_caller]
    pub fn port<'a>(&self, port: impl Into<PortKey<'a>>) -> u16 {
        let key = port.into();
        let declared = self.info.ports.iter().find(|port| match &key.0 {
            Key::Number(number) => port.number == *number,
            Key::Name(name) => port.name.as_deref() == Some(name),
        });
        let published = declared.and_then(|port| {
            self.info
                .published
                .iter()
                .find(|published| published.container == port.number)
        });
        match published {
            Some(published) => published.host,
            None => panic!(
                "service `{}` declares no port {key}; declare it with `port = ..` or `ports(..)`{}",
                self.info.field,
                self.declared_ports()
            ),
        }
    }

    /// Host and published port of its only port.
    ///
    /// # Panics
    ///
    /// Where it declares no port or several.
    #[track_caller]
    pub fn addr(&self) -> SocketAddr {
        let ip = self
            .info
            .host
            .parse()
            .unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        SocketAddr::new(ip, self.only_port("addr()"))
    }

    /// A URL at its only port: `url("http", "/orders")` is `http://127.0.0.1:20113/orders`.
    ///
    /// # Panics
    ///
    /// Where it declares no port or several.
    #[track_caller]
    pub fn url(&self, scheme: &str, path: &str) -> String {
        let slash = if path.is_empty() || path.starts_with(['/', '?', '#']) {
            ""
        } else {
            "/"
        };
        format!(
            "{scheme}://{}:{}{slash}{path}",
            self.host(),
            self.only_port("url()")
        )
    }

    #[track_caller]
    fn only_port(&self, call: &str) -> u16 {
        match &self.info.ports[..] {
            [port] => self.port(port.number),
            [] => panic!(
                "{call} needs a port and service `{}` declares none; declare it with `port = ..`",
                self.info.field
            ),
            _ => panic!(
                "{call} needs the only port and service `{}` declares several; choose with `port(..)`{}",
                self.info.field,
                self.declared_ports()
            ),
        }
    }

    fn declared_ports(&self) -> String {
        let ports: Vec<String> = self
            .info
            .ports
            .iter()
            .map(|port| match &port.name {
                Some(name) => format!("{name} = {}", port.number),
                None => port.number.to_string(),
            })
            .collect();
        if ports.is_empty() {
            String::new()
        } else {
            format!(" (declared: {})", ports.join(", "))
        }
    }

    /// The engine's id of its container.
    pub fn id(&self) -> &str {
        &self.info.container
    }

    /// Its address on the network it shares with the services that need it.
    pub fn network_address(&self) -> IpAddr {
        IpAddr::V4(self.info.address)
    }
}

/// A declared port, by number or by name.
#[derive(Clone, Copy, Debug)]
pub struct PortKey<'a>(Key<'a>);

#[derive(Clone, Copy, Debug)]
enum Key<'a> {
    Number(u16),
    Name(&'a str),
}

impl From<u16> for PortKey<'_> {
    fn from(number: u16) -> Self {
        Self(Key::Number(number))
    }
}

impl<'a> From<&'a str> for PortKey<'a> {
    fn from(name: &'a str) -> Self {
        Self(Key::Name(name))
    }
}

impl fmt::Display for PortKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Key::Number(number) => write!(f, "{number}"),
            Key::Name(name) => write!(f, "`{name}`"),
        }
    }
}
