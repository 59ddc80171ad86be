//! Where a service is reached: its host, its ports, and addresses made from them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::handle::Service;

impl Service {
    /// Its host name inside the composition: that under which the services that need it reach it.
    ///
    /// It is made from the field's name and differs from it where that cannot be a host name: it is in lower case, with `-`
    /// for each `_`. The field `order_db` has the name `order-db`. Errors and [`Error::service`](crate::Error::service) say
    /// the field's name.
    ///
    /// ```no_run
    /// # use seatrial::Service;
    /// # fn example(order_db: Service, app: Service) -> Result<(), seatrial::Error> {
    /// let found = app.exec(["getent", "hosts", order_db.name()]).wait()?;
    /// assert!(found.stdout.contains(&order_db.network_address().to_string()));
    /// # Ok(()) }
    /// ```
    pub fn name(&self) -> &str {
        &self.info.name
    }

    /// The host at which this process reaches it.
    ///
    /// It is `127.0.0.1` if its ports are published, and its address on the run's network if they are not. They are not if it joined
    /// a network namespace that was prepared ahead, and this machine reaches that, such as with an engine on Linux; but
    /// always with `publish = "always"` in `seatrial.toml`, with an engine in a virtual machine or without root, if the
    /// environment names an HTTP proxy, and if the service has `scope = keep`.
    ///
    /// Connect to [`port`](Self::port) at this host, or to [`addr`](Self::addr), and it makes no difference.
    pub fn host(&self) -> &str {
        &self.info.host
    }

    /// The port at [`host`](Self::host) for one of its declared ports, given by number or name.
    ///
    /// It is the published port, or the declared port itself if ports are not published. It stays the same when the service is restarted.
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
        match declared {
            Some(declared) => self.info.port_at_host(declared.number),
            None => panic!(
                "service `{}` declares no port {key}; declare it with `port = ..` or `ports(..)`{}",
                self.info.field,
                self.declared_ports()
            ),
        }
    }

    /// Host and port of its only port. Of a service with several ports, [`addr_of`](Self::addr_of).
    ///
    /// ```no_run
    /// # fn example(cache: seatrial::Service) -> std::io::Result<()> {
    /// let connection = std::net::TcpStream::connect(cache.addr())?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    ///
    /// Where it declares no port or several.
    #[track_caller]
    pub fn addr(&self) -> SocketAddr {
        self.at_host(self.only_port("addr()", "addr_of(..)"))
    }

    /// Host and port for one of its declared ports, given by number or name.
    ///
    /// ```no_run
    /// # fn example(queue: seatrial::Service) -> std::io::Result<()> {
    /// let messages = std::net::TcpStream::connect(queue.addr_of(5672))?;
    /// let management = std::net::TcpStream::connect(queue.addr_of("management"))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    ///
    /// Where the declaration has no such port.
    #[track_caller]
    pub fn addr_of<'a>(&self, port: impl Into<PortKey<'a>>) -> SocketAddr {
        self.at_host(self.port(port))
    }

    /// A URL at its only port: `url("http", "/orders")` is `http://127.0.0.1:20113/orders`. Of a service with several ports,
    /// [`url_of`](Self::url_of).
    ///
    /// # Panics
    ///
    /// Where it declares no port or several.
    #[track_caller]
    pub fn url(&self, scheme: &str, path: &str) -> String {
        url(
            scheme,
            self.at_host(self.only_port("url()", "url_of(..)")),
            path,
        )
    }

    /// A URL at one of its declared ports, given by number or name: `url_of("management", "http", "/api")` is
    /// `http://127.0.0.1:20114/api`.
    ///
    /// ```no_run
    /// # fn example(queue: seatrial::Service) {
    /// let messages = queue.url_of(5672, "amqp", "");
    /// let overview = queue.url_of("management", "http", "/api/overview");
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Where the declaration has no such port.
    #[track_caller]
    pub fn url_of<'a>(&self, port: impl Into<PortKey<'a>>, scheme: &str, path: &str) -> String {
        url(scheme, self.addr_of(port), path)
    }

    /// The address of a port at its host.
    fn at_host(&self, port: u16) -> SocketAddr {
        let ip = self.info.host.parse();
        SocketAddr::new(ip.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), port)
    }

    #[track_caller]
    fn only_port(&self, call: &str, of_several: &str) -> u16 {
        match &self.info.ports[..] {
            [port] => self.port(port.number),
            [] => panic!(
                "{call} needs a port and service `{}` declares none; declare it with `port = ..`",
                self.info.field
            ),
            _ => panic!(
                "{call} needs the only port and service `{}` declares several; choose one with `{of_several}`{}",
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

    /// Its address on the network it shares with the services that need it. They connect to its declared ports there.
    pub fn network_address(&self) -> IpAddr {
        IpAddr::V4(self.info.address)
    }
}

/// A path that begins with none of the characters that may follow an authority gets a slash.
fn url(scheme: &str, addr: SocketAddr, path: &str) -> String {
    let slash = if path.is_empty() || path.starts_with(['/', '?', '#']) {
        ""
    } else {
        "/"
    };
    format!("{scheme}://{addr}{slash}{path}")
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
