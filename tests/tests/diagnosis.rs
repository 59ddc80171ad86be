//! What an error says of a service that is not ready: not just that it is not, but what keeps it from being so.

use seatrial::{Composition, Error, ErrorKind, Service};

#[track_caller]
fn assert_says(error: &Error, parts: &[&str]) {
    let text = error.to_string();
    assert_eq!(error.kind(), ErrorKind::NotReady, "{text}");
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing: {text}");
    }
}

/// Ready at once; when it is asked again, it is given little time.
#[derive(Composition)]
struct Server {
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        command = "{source}/tests/fixtures/serve.pl 4000",
        ready(http = "/204", timeout = "15s")
    )]
    server: Service,
}

#[seatrial::test(timeout = "2m")]
async fn a_service_that_is_paused(Server { server }: Server) -> Result<(), Error> {
    server.pause().await?;
    let error = server.ready().await.expect_err("it is frozen");
    assert_says(&error, &["http GET /204", "is paused", "call `unpause()`"]);
    server.unpause().await?;
    server.ready().await
}

#[seatrial::test(timeout = "2m")]
async fn a_service_that_is_disconnected(Server { server }: Server) -> Result<(), Error> {
    server.disconnect().await?;
    let error = server.ready().await.expect_err("it is cut off");
    let parts = ["http GET /204", "is disconnected", "call `reconnect()`"];
    assert_says(&error, &parts);
    server.reconnect().await?;
    server.ready().await
}

#[derive(Composition, Debug)]
struct Ipv6Only {
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        command = ["perl", "-MSocket=:all", "-e",
            "socket(S, AF_INET6, SOCK_STREAM, 0) or die $!; \
             setsockopt(S, IPPROTO_IPV6, IPV6_V6ONLY, 1) or die $!; \
             bind(S, pack_sockaddr_in6(4000, IN6ADDR_ANY)) or die $!; listen(S, 9) or die $!; sleep 600"],
        ready(timeout = "10s"),
    )]
    server: Service,
}

#[seatrial::test(timeout = "2m")]
fn a_service_that_listens_on_ipv6_only() {
    let error = Ipv6Only::launch().wait().expect_err("nothing reaches it");
    let parts = ["tcp on port 4000", "4000 (only on IPv6)", "`0.0.0.0`"];
    assert_says(&error, &parts);
}

/// What an error says only if nothing better is known.
const GENERIC: &str = "if it is only slow";

#[track_caller]
fn assert_not_generic(error: &Error) {
    assert!(!error.to_string().contains(GENERIC), "{error}");
}

/// Is not reachable from outside its container.
#[derive(Composition, Debug)]
struct Loopback {
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        command = ["perl", "-MIO::Socket::INET", "-e",
            "$s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 4000, Listen => 9) or die; sleep 600"],
        ready(timeout = "5s"),
    )]
    server: Service,
}

#[seatrial::test(timeout = "2m")]
fn a_service_that_listens_on_its_loopback_address_only() {
    let error = Loopback::launch().wait().expect_err("nothing reaches it");
    let parts = [
        "4000 (only on its loopback address)",
        "help: have the service listen on `0.0.0.0:4000`",
    ];
    assert_says(&error, &parts);
    assert_not_generic(&error);
}

/// Listens on another port than the declared one.
#[derive(Composition, Debug)]
struct OtherPort {
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        command = "{source}/tests/fixtures/serve.pl 4001",
        ready(timeout = "5s")
    )]
    server: Service,
}

#[seatrial::test(timeout = "2m")]
fn a_service_that_listens_on_another_port() {
    let error = OtherPort::launch().wait().expect_err("nobody listens");
    let parts = [
        "listen on 4001\n",
        "help: declare the port that the service listens on, such as `port = 4001`",
    ];
    assert_says(&error, &parts);
    assert_not_generic(&error);
    let text = error.to_string();
    assert!(!text.contains("127.0.0.1"), "it listens everywhere: {text}");
}

/// Has nothing with which one could look where it listens.
#[derive(Composition, Debug)]
struct Silent {
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        command = ["perl", "-MIO::Socket::INET", "-e",
            "unlink '/bin/cat', '/usr/bin/cat'; sleep 600"],
        ready(timeout = "5s"),
    )]
    server: Service,
}

#[seatrial::test(timeout = "2m")]
fn a_service_of_which_nobody_knows_where_it_listens() {
    let error = Silent::launch().wait().expect_err("nobody listens");
    let parts = [
        "connection refused",
        "0.0.0.0, not on 127.0.0.1 alone",
        GENERIC,
    ];
    assert_says(&error, &parts);
}

/// Has no such path.
#[derive(Composition, Debug)]
struct NotFound {
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        command = "{source}/tests/fixtures/serve.pl 4000",
        ready(http = "/404", timeout = "5s")
    )]
    server: Service,
}

#[seatrial::test(timeout = "2m")]
fn a_path_that_is_not_there() {
    let error = NotFound::launch().wait().expect_err("it answers 404");
    let parts = [
        "http GET /404 on port 4000: last answer 404\n",
        "help: correct the path, or write `status = 404`",
    ];
    assert_says(&error, &parts);
    assert_not_generic(&error);
}

/// Listens on both, by one socket that the kernel shows as one for IPv6.
#[seatrial::test(timeout = "2m")]
fn a_service_that_listens_on_both_is_ready(
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        command = ["perl", "-MSocket=:all", "-e",
            "socket(S, AF_INET6, SOCK_STREAM, 0) or die $!; \
             setsockopt(S, IPPROTO_IPV6, IPV6_V6ONLY, 0) or die $!; \
             bind(S, pack_sockaddr_in6(4000, IN6ADDR_ANY)) or die $!; listen(S, 9) or die $!; sleep 600"],
    )]
    server: Service,
) {
    let table = server
        .exec(["cat", "/proc/net/tcp"])
        .wait()
        .expect("it runs");
    assert!(!table.stdout.contains(":0FA0"), "{}", table.stdout);
}

/// Answers as a server of HTTPS does that is asked without TLS.
#[derive(Composition, Debug)]
struct Https {
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        command = ["perl", "-MIO::Socket::INET", "-e",
            "$s = IO::Socket::INET->new(LocalPort => 4000, Listen => 9, ReuseAddr => 1) or die; \
             while ($c = $s->accept) {{ <$c>; print $c qq(\\x15\\x03\\x03\\0\\x02\\x02\\x50); close $c }}"],
        ready(http = "/", timeout = "10s"),
    )]
    server: Service,
}

#[seatrial::test(timeout = "2m")]
fn a_service_that_speaks_tls() {
    let error = Https::launch().wait().expect_err("it does not answer");
    assert_says(
        &error,
        &[
            "http GET / on port 4000: the answer is not HTTP; the port seems to speak TLS",
            "help: check a port without TLS",
            "ready(tcp)",
        ],
    );
    assert_not_generic(&error);
}
