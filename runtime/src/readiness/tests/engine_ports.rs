//! TCP and HTTP, at the container's own address and through the engine's published port.

use tokio::io::AsyncReadExt as _;

use super::service::{Fixture, perl};
use super::*;

const PORT: u16 = 7000;

/// Begins to listen behind its gate, and then stays silent.
const LATE: &str = "gate; my $s = listening(7000); my @kept; push @kept, $s->accept while 1;";

/// Waits for a service with this script, which must listen behind its gate.
async fn not_before_it_listens(direct: Option<bool>, check: CheckKind, script: &str) {
    let mut late = Fixture::start(perl(script), &[PORT]).await;
    late.direct = direct;
    late.ready_behind_the_gate(check).await;
}

#[tokio::test]
async fn a_late_service_is_not_ready_before_it_listens() {
    not_before_it_listens(None, tcp(PORT), LATE).await;
}

#[tokio::test]
async fn a_late_service_is_not_ready_before_it_listens_through_the_published_port() {
    not_before_it_listens(Some(false), tcp(PORT), LATE).await;
}

#[tokio::test]
async fn a_service_that_speaks_first_is_ready_through_the_published_port() {
    let script = r#"
        gate; my $s = listening(7000);
        my @kept; while (my $c = $s->accept) { print $c "220 ready\r\n"; push @kept, $c }
    "#;
    not_before_it_listens(Some(false), tcp(PORT), script).await;
}

/// A database that initialises itself answers a client on its own socket.
#[tokio::test]
async fn a_declared_port_is_waited_for_whatever_else_is_asked() {
    let late = Fixture::start(perl(LATE), &[PORT]).await;
    let checks = [exec(&["true"])];
    let error = late.first_failure(&checks).await;
    let [port] = error.waiting_for.as_slice() else {
        panic!("{error:?}")
    };
    assert!(port.starts_with("tcp on port 7000: "), "{error:?}");
    let (ready, ()) = tokio::join!(late.wait(&checks), late.open_gate());
    ready.expect("ready behind the gate");
}

/// A service that closes silently looks like the engine's proxy, but not at the container's own address.
#[tokio::test]
async fn a_service_that_closes_at_once_is_ready_at_its_own_address() {
    let script = "my $s = listening(7000); while (my $c = $s->accept) { close $c }";
    let closing = Fixture::start(perl(script), &[PORT]).await;
    closing.listens(PORT).await;
    match closing.is_direct() {
        true => closing.wait(&[tcp(PORT)]).await.expect("ready"),
        false => {
            let error = closing.first_failure(&[tcp(PORT)]).await;
            assert!(said(&error).contains("tcp on port 7000: "), "{error:?}");
        }
    }
}

#[tokio::test]
async fn direct_means_that_a_connection_to_the_address_is_possible() {
    let script = "my $s = listening(7000); sleep 600";
    let service = Fixture::start(perl(script), &[PORT]).await;
    service.listens(PORT).await;
    service.wait(&[tcp(PORT)]).await.expect("ready");
    let connecting = tokio::net::TcpStream::connect((service.address, PORT));
    if service.is_direct() {
        connecting.await.expect("it listens there");
    } else {
        // A longer time counts as out of reach.
        let connected = tokio::time::timeout(Duration::from_secs(2), connecting).await;
        assert!(!matches!(connected, Ok(Ok(_))), "it is within reach");
    }
}

#[tokio::test]
async fn a_service_on_the_containers_loopback_is_not_ready() {
    let script = r#"
        my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 7000, Listen => 9);
        print "up\n"; sleep 600;
    "#;
    for direct in [None, Some(false)] {
        let mut hidden = Fixture::start(perl(script), &[PORT]).await;
        hidden.direct = direct;
        hidden.log_with("up").await;
        let error = hidden.first_failure(&[tcp(PORT)]).await;
        assert_eq!(error.unserved, [PORT], "{error:?}");
    }
}

#[tokio::test]
async fn a_port_that_is_not_published_is_impossible_where_the_address_is_out_of_reach() {
    let mut service = Fixture::start(perl(LATE), &[PORT]).await;
    service.direct = Some(false);
    for check in [tcp(7001), http(7001)] {
        let error = ended(service.wait(&[check]).await, NotReadyReason::Impossible);
        assert!(said(&error).contains("declare it"), "{error:?}");
    }
}

/// Refuses three times, then not.
const WARMING_UP: &str = r#"
    my $s = listening(7000);
    my $n = 0;
    while (my $c = $s->accept) {
        my $request = <$c>;
        while (defined(my $line = <$c>)) { last if $line eq "\r\n" }
        my $status = ++$n > 3 ? "200 OK" : "503 Not Yet";
        print "$status to $request";
        print $c "HTTP/1.1 $status\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        close $c;
    }
"#;

#[tokio::test]
async fn http_is_asked_until_the_status_fits() {
    for direct in [None, Some(false)] {
        let mut service = Fixture::start(perl(WARMING_UP), &[PORT]).await;
        service.direct = direct;
        service.wait(&[http(PORT)]).await.expect("ready");
        let log = service.log_with("200 OK").await;
        assert_eq!(
            log.matches("503 Not Yet to GET /health HTTP/1.1").count(),
            3
        );
    }
}

#[tokio::test]
async fn a_late_http_service_is_not_ready_before_it_listens() {
    let script = format!("gate; {WARMING_UP}");
    not_before_it_listens(Some(false), http(PORT), &script).await;
}

#[tokio::test]
async fn http_with_another_status_is_reported_with_the_last() {
    let service = Fixture::start(perl(WARMING_UP), &[PORT]).await;
    let check = CheckKind::Http {
        port: PORT,
        path: "/health".to_owned(),
        status: Some(204),
    };
    service.wait(&[http(PORT)]).await.expect("warm");
    let error = service.first_failure(&[check]).await;
    assert_eq!(
        error.waiting_for,
        ["http GET /health on port 7000 with status 204: last answer 200"]
    );
}

#[tokio::test]
async fn by_default_every_declared_port_must_be_served() {
    let script = "my $s = listening(7000); gate; my $t = listening(7001); sleep 600";
    let service = Fixture::start(perl(script), &[PORT, 7001]).await;
    service.listens(PORT).await;
    let error = service.first_failure(&[]).await;
    assert_eq!(error.waiting_for.len(), 1);
    assert!(
        error.waiting_for[0].starts_with("tcp on port 7001: "),
        "{error:?}"
    );
    let (ready, ()) = tokio::join!(service.wait(&[]), service.open_gate());
    ready.expect("both are served");
}

#[tokio::test]
async fn without_a_port_it_is_enough_to_run() {
    let service = Fixture::start(perl("sleep 600"), &[]).await;
    service.wait(&[]).await.expect("it runs");
}

/// A database may take a connection that says nothing for a failed login.
#[tokio::test]
async fn a_service_that_was_ready_is_looked_at_without_a_connection() {
    let script = r#"
        my $s = listening(7000);
        while (my $c = $s->accept) { print $c ++$n, "\n"; close $c }
    "#;
    for direct in [None, Some(false)] {
        let mut counting = Fixture::start(perl(script), &[PORT]).await;
        counting.listens(PORT).await;
        counting.direct = direct;
        let connections = async || -> u32 {
            let stream = tokio::net::TcpStream::connect(counting.published(PORT)).await;
            let mut stream = stream.expect("a connection");
            let mut count = String::new();
            stream.read_to_string(&mut count).await.expect("its count");
            count.trim().parse().expect("a number")
        };
        let before = connections().await;
        for _ in 0..3 {
            let again = counting.wait_again(&[tcp(PORT)]).await;
            again.expect("it listens as it did");
        }
        assert_eq!(connections().await, before + 1, "direct: {direct:?}");
    }
}

#[tokio::test]
async fn a_service_that_does_not_listen_any_more_is_not_ready_again() {
    let script = r#"my $s = listening(7000); gate; close $s; print "closed\n"; sleep 600"#;
    let closing = Fixture::start(perl(script), &[PORT]).await;
    closing.listens(PORT).await;
    closing.wait_again(&[tcp(PORT)]).await.expect("it listens");
    closing.open_gate().await;
    closing.log_with("closed").await;
    // Only the engine can tell if the container's address is out of reach.
    if closing.is_direct() {
        let error = ended(
            closing.wait_again(&[tcp(PORT)]).await,
            NotReadyReason::FailedTooOften,
        );
        assert_eq!(error.unserved, [PORT]);
        assert!(said(&error).contains("no longer listens"), "{error:?}");
    }
}
