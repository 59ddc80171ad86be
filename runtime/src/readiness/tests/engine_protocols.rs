//! Checks of protocols, with services that speak it, another one, or none.

use seatrial_model::EnvVar;

use super::service::{Fixture, perl};
use super::*;

const PORT: u16 = 7000;

fn speaks(protocol: Protocol) -> CheckKind {
    CheckKind::Protocol {
        protocol,
        port: PORT,
    }
}

/// A PostgreSQL that starts. Behind the gate it asks for a password.
const STARTING: &str = r#"
    my $s = listening(7000);
    sub message { my ($kind, $body) = @_; return $kind . pack("N", 4 + length $body) . $body }
    while (my $c = $s->accept) {
        sysread $c, my $startup, 4096;
        print $c -e "/gate" ? message("R", pack "N", 3)
            : message("E", "SFATAL\0C57P03\0Mthe database system is starting up\0\0");
    }
"#;

/// A served port is not enough.
#[tokio::test]
async fn a_database_that_starts_is_not_ready() {
    for direct in [None, Some(false)] {
        let mut database = Fixture::start(perl(STARTING), &[PORT]).await;
        database.direct = direct;
        database.listens(PORT).await;
        database.wait(&[tcp(PORT)]).await.expect("it is served");
        let check = speaks(Protocol::Postgres);
        let error = database.first_failure(std::slice::from_ref(&check)).await;
        let says = "postgres on port 7000: it says \"the database system is starting up\"";
        assert_eq!(error.waiting_for, [says], "direct: {direct:?}");
        database.ready_behind_the_gate(check).await;
    }
}

#[tokio::test]
async fn a_foreign_protocol_is_reported_with_what_to_write() {
    let script = r#"
        my $s = listening(7000);
        while (my $c = $s->accept) { print $c "HTTP/1.1 400 Bad\r\n\r\n"; sysread $c, my $said, 4096 }
    "#;
    for direct in [None, Some(false)] {
        let mut other = Fixture::start(perl(script), &[PORT]).await;
        other.direct = direct;
        other.listens(PORT).await;
        for protocol in Protocol::ALL {
            let error = said(&other.first_failure(&[speaks(protocol)]).await);
            let words = format!("{} on port 7000: unexpected answer for", protocol.as_str());
            for part in [
                &*words,
                protocol.title(),
                "\"HTTP/1.1 400 Bad\"",
                "ready(http",
            ] {
                assert!(error.contains(part), "`{part}` is missing: {error}");
            }
        }
    }
}

#[tokio::test]
async fn a_service_that_closes_without_a_word_is_not_ready() {
    let script = "my $s = listening(7000); while (my $c = $s->accept) { close $c }";
    let closing = Fixture::start(perl(script), &[PORT]).await;
    closing.listens(PORT).await;
    let error = closing.first_failure(&[speaks(Protocol::Mysql)]).await;
    let error = said(&error);
    match closing.is_direct() {
        true => assert!(
            error.contains("TLS") && error.contains("`ready(tcp)`"),
            "{error:?}"
        ),
        false => assert!(error.contains("closed"), "{error:?}"),
    }
}

/// The port that is asked in its protocol gets no other connection. Other ports do.
#[tokio::test]
async fn a_port_that_is_asked_gets_no_silent_connection() {
    let script = r#"
        my $other = listening(7001);
        my $s = listening(7000);
        my $count = 0;
        while (my $c = $s->accept) {
            $count++;
            print $c "+PONG\r\n";
            sysread $c, my $said, 4096;
            print "connection $count", $said =~ /PING/ ? " asks" : " is silent", "\n";
        }
    "#;
    let redis = Fixture::start(perl(script), &[PORT, 7001]).await;
    redis.listens(PORT).await;
    let check = [speaks(Protocol::Redis)];
    redis.wait(&check).await.expect("it answers");
    redis.wait_again(&check).await.expect("it answers again");
    let log = redis.log_with("connection 2").await;
    assert!(log.contains("connection 1 asks"), "{log}");
    assert!(log.contains("connection 2 asks"), "{log}");
    let mut ports = redis
        .checks(&check)
        .iter()
        .map(Check::port)
        .collect::<Vec<_>>();
    ports.sort_unstable();
    assert_eq!(ports, [Some(PORT), Some(7001)]);
}

/// A shared server that counts each connection without a login is looked up, not asked.
#[tokio::test]
async fn a_server_that_counts_connections_is_looked_up_again() {
    let script = "my $s = listening(7000); my @kept; push @kept, $s->accept while 1;";
    let silent = Fixture::start(perl(script), &[PORT]).await;
    silent.listens(PORT).await;
    for protocol in [Protocol::Mysql, Protocol::Amqp] {
        let again = silent.wait_again(&[speaks(protocol)]).await;
        again.expect("it listens, and is not asked");
    }
}

/// A server may repeat a password that no variable has.
#[tokio::test]
async fn a_password_that_is_repeated_is_hidden() {
    let script = r#"
        my $s = listening(7000);
        while (my $c = $s->accept) { sysread $c, my $said, 4096; print $c "220 you say $said" }
    "#;
    let mut echo = Fixture::start(perl(script), &[PORT]).await;
    echo.listens(PORT).await;
    echo.plan.env = vec![EnvVar {
        name: "REDIS_PASSWORD".to_owned(),
        value: Template::literal("albatross-17"),
    }];
    let error = said(&echo.first_failure(&[speaks(Protocol::Redis)]).await);
    assert!(
        error.contains("220 you say") && error.contains("[hidden]"),
        "{error:?}"
    );
    assert!(!error.contains("albatross"), "{error:?}");
}
