//! Addresses of engines: reads them, and says which ones cannot be used and what to write instead.
//!
//! Knows nothing of how an engine is spoken to, and touches neither the file system nor the network.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// Where an engine listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// A Unix socket.
    Unix(PathBuf),
    /// `host:port` of an engine that speaks without encryption, on this machine.
    Tcp(String),
}

/// The port of an engine whose address names none.
const TCP_PORT: u16 = 2375;

impl Address {
    /// Reads `unix:///path`, `tcp://host:port` or `http://host:port`.
    ///
    /// # Errors
    ///
    /// What is wrong with the address, then what to write instead.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = text.split_once("://") else {
            let instead = if text.starts_with('/') {
                format!("unix://{text}")
            } else {
                "unix:///var/run/docker.sock".to_owned()
            };
            return Err(format!(
                "`{text}` is no address of an engine; write `{instead}`"
            ));
        };
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Self::Unix(PathBuf::from(rest))),
            "unix" => Err(format!(
                "the path in `{text}` is not absolute; write `unix:///` and the whole path"
            )),
            "tcp" | "http" => Self::tcp(text, rest.trim_end_matches('/')),
            "https" => Err(encrypted(text)),
            "ssh" => Err(format!(
                "`{text}` goes through SSH, which is not supported; use an engine that runs on this \
                 machine"
            )),
            _ => Err(format!(
                "`{scheme}://` is not supported; write `unix:///path/to/docker.sock` or \
                 `tcp://127.0.0.1:{TCP_PORT}`"
            )),
        }
    }

    fn tcp(text: &str, authority: &str) -> Result<Self, String> {
        let malformed =
            || format!("`{text}` is no host and port; write `tcp://127.0.0.1:{TCP_PORT}`");
        let (host, port) = match authority.rsplit_once(':') {
            // The colons of an IPv6 address without a port end in its bracket.
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| malformed())?)
            }
            _ => (authority, TCP_PORT),
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if bare.is_empty() || bare.contains(['/', '@', '?', '#']) {
            return Err(malformed());
        }
        let local = bare == "localhost"
            || bare.ends_with(".localhost")
            || bare
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        if !local {
            return Err(format!(
                "the engine at `{text}` is on another machine, where published ports are bound to \
                 that machine's loopback and this machine's files are not there to mount; use an \
                 engine that runs on this machine"
            ));
        }
        Ok(Self::Tcp(format!("{host}:{port}")))
    }
}

/// Why an encrypted engine is refused, and what to do.
pub(super) fn encrypted(text: &str) -> String {
    format!(
        "the engine at `{text}` wants TLS, which is not supported; use its Unix socket, or \
         `tcp://127.0.0.1:{TCP_PORT}` without TLS"
    )
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(authority) => write!(f, "tcp://{authority}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_can_be_used() {
        for (text, shown) in [
            ("unix:///var/run/docker.sock", "unix:///var/run/docker.sock"),
            ("tcp://127.0.0.1:2376", "tcp://127.0.0.1:2376"),
            ("tcp://localhost", "tcp://localhost:2375"),
            ("http://[::1]:80/", "tcp://[::1]:80"),
            ("tcp://[::1]", "tcp://[::1]:2375"),
        ] {
            assert_eq!(
                Address::parse(text).map(|address| address.to_string()),
                Ok(shown.to_owned())
            );
        }
    }

    #[test]
    fn refuses_the_rest_and_says_what_to_write() {
        for (text, instead) in [
            (
                "/var/run/docker.sock",
                "write `unix:///var/run/docker.sock`",
            ),
            ("dokcer", "write `unix:///var/run/docker.sock`"),
            ("unix://docker.sock", "write `unix:///`"),
            ("tcp://", "write `tcp://127.0.0.1:2375`"),
            ("tcp://localhost:port", "write `tcp://127.0.0.1:2375`"),
            ("tcp://me@localhost:1", "write `tcp://127.0.0.1:2375`"),
            (
                "tcp://10.0.0.7:2375",
                "use an engine that runs on this machine",
            ),
            ("https://127.0.0.1:2376", "use its Unix socket"),
            ("ssh://me@host", "use an engine that runs on this machine"),
            (
                "npipe:////./pipe/docker_engine",
                "write `unix:///path/to/docker.sock`",
            ),
        ] {
            let refused = Address::parse(text).expect_err(text);
            assert!(refused.contains(instead), "{refused}");
        }
    }
}
