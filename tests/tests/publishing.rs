//! Where the tests reach a service: at its own address, or at a port that the engine publishes on the loopback address.

use std::net::{IpAddr, SocketAddr};

use seatrial::{Composition, Service};
use seatrial_tests::conversation::ask;
use seatrial_tests::{child, engine};

#[derive(Composition)]
struct Server {
    #[service(
        image = "debian:bookworm-slim",
        ports(4000, echo = 4001),
        command = "{source}/tests/fixtures/serve.pl 4000 4001"
    )]
    server: Service,
}

impl Server {
    /// It is reached at one place, also after a restart.
    #[track_caller]
    fn assert_reached(&self, published_at: &[&str]) {
        let Self { server } = self;
        let (_, published) = engine::volumes_and_addresses(server.id());
        assert_eq!(published, published_at);
        let addresses = [server.addr_of(4000), server.addr_of("echo")];
        let ask_both = || addresses.map(|address| ask(address, "hello").is_ok());
        assert_eq!(ask_both(), [true; 2]);
        server.restart().wait().expect("it restarts");
        assert_eq!([server.addr_of(4000), server.addr_of("echo")], addresses);
        assert_eq!(ask_both(), [true; 2]);
    }
}

/// Launches until the service has joined a network namespace, which is prepared while one serves.
fn joined() -> Server {
    for _ in 0..100 {
        let launched = Server::launch().wait().expect("it starts");
        if engine::holder(launched.server.id()).is_some() {
            return launched;
        }
    }
    panic!("no namespace was prepared");
}

impl Server {
    #[track_caller]
    fn assert_published(&self) {
        let service = &self.server;
        assert_eq!(service.host(), "127.0.0.1");
        let addresses = [service.addr_of(4000), service.addr_of("echo")];
        for address in addresses {
            assert_eq!(address.ip(), IpAddr::from([127, 0, 0, 1]));
            assert!((20000..=29999).contains(&address.port()), "{address}");
        }
        assert_ne!(addresses[0], addresses[1]);
        self.assert_reached(&["127.0.0.1"; 2]);
    }
}

#[test]
#[ignore = "run by the tests below"]
fn is_reached_at_its_own_address() {
    let server = joined();
    let service = &server.server;
    assert_eq!(service.host(), service.network_address().to_string());
    let at = |port| SocketAddr::new(service.network_address(), port);
    assert_eq!(service.addr_of(4000), at(4000));
    assert_eq!(service.addr_of("echo"), at(4001));
    server.assert_reached(&[]);
}

#[test]
#[ignore = "run by the tests below"]
fn is_reached_at_published_ports() {
    joined().assert_published();
}

#[seatrial::test]
#[ignore = "run by the tests below"]
fn is_published(server: Server) {
    server.assert_published();
}

/// Runs a test in a process with these variables, and none that names a proxy beside them.
#[track_caller]
fn run(test: &str, variables: &[(&str, &str)]) {
    let mut command = child::test(test);
    child::leave_run(&mut command);
    command.env("SEATRIAL_NAMESPACES", "32");
    for proxy in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(proxy).env_remove(proxy.to_uppercase());
    }
    command.envs(variables.iter().copied());
    let verdict = child::run(&mut command);
    assert!(verdict.passed, "{verdict:#?}");
}

#[test]
fn nothing_is_published_where_namespaces_are_reached() {
    run(
        "is_reached_at_its_own_address",
        &[("SEATRIAL_PUBLISH", "auto")],
    );
}

#[test]
fn ports_are_published_where_that_is_asked_for() {
    run(
        "is_reached_at_published_ports",
        &[("SEATRIAL_PUBLISH", "always")],
    );
}

#[test]
fn the_ports_of_a_service_with_a_network_of_its_own_are_published() {
    let none = ("SEATRIAL_NAMESPACES", "0");
    run("is_published", &[("SEATRIAL_PUBLISH", "auto"), none]);
}

/// An HTTP client would ask the proxy for an address of the network.
#[test]
fn ports_are_published_beside_a_proxy() {
    let proxy = ("HTTPS_PROXY", "http://192.0.2.1:3128");
    let local = ("NO_PROXY", "localhost,127.0.0.1");
    let auto = ("SEATRIAL_PUBLISH", "auto");
    run("is_reached_at_published_ports", &[auto, proxy, local]);
}
