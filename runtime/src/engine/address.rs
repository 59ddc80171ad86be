//! Addresses of engines: reads them, and rejects those that are not supported with what to write instead.
//!
//! Must not know how to talk to an engine. Must not touch the file system or the network.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use seatrial_model::message::invalid;

/// Where an engine listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// A Unix socket.
    Unix(PathBuf),
    /// `host:port` of an engine on this machine, without encryption.
    Tcp(String),
}

/// The port of an address that has none.
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
            return Err(invalid(
                "engine address",
                text,
                format!("expected a scheme; write `{instead}`"),
            ));
        };
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Self::Unix(PathBuf::from(rest))),
            "unix" => Err(invalid(
                "engine address",
                text,
                "expected an absolute path; write `unix:///path/to/docker.sock`",
            )),
            "tcp" | "http" => Self::tcp(text, rest.trim_end_matches('/')),
            "https" => Err(encrypted(text)),
            "ssh" => Err(format!(
                "SSH is not supported in the engine address `{text}`; use an engine that runs on this \
                 machine"
            )),
            _ => Err(format!(
                "`{scheme}://` is not supported; write `unix:///path/to/docker.sock` or \
                 `tcp://127.0.0.1:{TCP_PORT}`"
            )),
        }
    }

    fn tcp(text: &str, authority: &str) -> Result<Self, String> {
        let malformed = || {
            invalid(
                "engine address",
                text,
                format!("expected a host and a port; write `tcp://127.0.0.1:{TCP_PORT}`"),
            )
        };
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
                "engines on another machine are not supported: the engine at `{text}` publishes ports on \
                 that machine's loopback and cannot mount this machine's files; use an \
                 engine that runs on this machine"
            ));
        }
        Ok(Self::Tcp(format!("{host}:{port}")))
    }
}

/// Why an encrypted engine is rejected, and what to write instead.
pub(super) fn encrypted(text: &str) -> String {
    format!(
        "TLS is not supported, but the engine at `{text}` requires it; use its Unix socket, or \
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
    fn supported_addresses_are_read() {
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
    fn other_addresses_are_rejected_with_what_to_write() {
        for (text, instead) in [
            (
                "/var/run/docker.sock",
                "write `unix:///var/run/docker.sock`",
            ),
            ("dokcer", "write `unix:///var/run/docker.sock`"),
            ("unix://docker.sock", "write `unix:///path/to/docker.sock`"),
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
