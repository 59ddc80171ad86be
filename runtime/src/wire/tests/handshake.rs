//! Greetings: accepted, refused, malformed, missing, and of a peer that closes.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::Instant;

use super::super::handshake::{
    ANSWER_DEADLINE, GREETING_DEADLINE, PROTOCOL, Version, greet_as, welcome_as,
};
use super::*;

fn version(protocol: u32, text: &str) -> Version {
    Version {
        protocol,
        text: text.to_owned(),
    }
}

/// The version of this build.
const OWN: &str = env!("CARGO_PKG_VERSION");

fn greeting(protocol: u32, verdict: &[u8], text: &str) -> Vec<u8> {
    let content = [
        b"seatrial",
        &protocol.to_le_bytes()[..],
        verdict,
        text.as_bytes(),
    ]
    .concat();
    [&(content.len() as u32).to_be_bytes()[..], &content].concat()
}

/// A peer that has said this, and the stream to it.
async fn peer(says: &[u8]) -> (DuplexStream, DuplexStream) {
    let (mut peer, own) = tokio::io::duplex(4096);
    peer.write_all(says).await.expect("there is room");
    (peer, own)
}

#[tokio::test]
async fn equal_versions_accept_each_other_and_take_nothing_of_what_follows() {
    let (mut client, mut server) = tokio::io::duplex(1024);
    let note = |text| Note::new(1, text);
    let from_client = async {
        greet(&mut client).await.expect("the server accepts");
        let (reading, writing) = tokio::io::split(client);
        write_messages(writing, channel([note("request")]), none_refused)
            .await
            .expect("written");
        Messages::new(reading).next().await.expect("an answer")
    };
    let from_server = async {
        welcome(&mut server).await.expect("the client is welcome");
        let (reading, writing) = tokio::io::split(server);
        // At once, right behind the answer.
        write_messages(writing, channel([note("message")]), none_refused)
            .await
            .expect("written");
        Messages::new(reading).next().await.expect("a request")
    };
    let (client_got, server_got) = tokio::join!(from_client, from_server);
    assert_eq!(client_got, Some(note("message")));
    assert_eq!(server_got, Some(note("request")));
}

#[tokio::test]
async fn the_layout_of_greetings_does_not_change() {
    let (mut peer, mut own) = peer(&greeting(PROTOCOL, &[1], OWN)).await;
    greet(&mut own).await.expect("it is accepted");
    drop(own);
    let mut said = Vec::new();
    peer.read_to_end(&mut said).await.expect("it is closed");
    let length = 8 + 4 + OWN.len() as u8;
    let expected = [
        &[0, 0, 0, length],
        &b"seatrial"[..],
        &PROTOCOL.to_le_bytes(),
        OWN.as_bytes(),
    ]
    .concat();
    assert_eq!(said, expected);

    for (version, verdict) in [(OWN, 1), ("0.0.7", 0)] {
        let (mut peer, mut own) = self::peer(&greeting(PROTOCOL, &[], version)).await;
        assert_eq!(welcome(&mut own).await.is_ok(), verdict == 1);
        drop(own);
        let mut said = Vec::new();
        peer.read_to_end(&mut said).await.expect("it is closed");
        assert_eq!(said, greeting(PROTOCOL, &[verdict], OWN));
    }
}

#[tokio::test]
async fn another_version_is_refused_and_both_sides_say_which() {
    let versions = [
        (version(1, "0.1.0"), version(1, "0.2.0")),
        (version(2, "0.1.0"), version(1, "0.1.0")),
    ];
    for (of_client, of_server) in versions {
        let (mut client, mut server) = tokio::io::duplex(16);
        let (at_client, at_server) = tokio::join!(
            greet_as(of_client.clone(), &mut client),
            welcome_as(of_server.clone(), &mut server),
        );
        let sides = [
            (at_client, &of_client, &of_server),
            (at_server, &of_server, &of_client),
        ];
        for (outcome, expected_own, expected_peer) in sides {
            let error = outcome.expect_err("versions differ");
            let text = error.to_string();
            let GreetError::OtherVersion { own, peer } = error else {
                panic!("not {error:?}")
            };
            assert_eq!((&own, &peer), (expected_own, expected_peer));
            for part in [
                format!("this one with {own}, its peer with {peer}"),
                "build all tests of the run with one version of `seatrial`".to_owned(),
                "`cargo tree -i seatrial`".to_owned(),
            ] {
                assert!(text.contains(&part), "{text}");
            }
        }
    }
    let shown = version(3, "0.2.0").to_string();
    assert_eq!(shown, "0.2.0 (protocol 3)");
}

#[tokio::test]
async fn a_peer_that_closes_is_told_apart() {
    let whole = greeting(PROTOCOL, &[1], OWN);
    for length in 0..whole.len() {
        let (peer, mut own) = peer(&whole[..length]).await;
        drop(peer);
        let outcome = greet(&mut own).await;
        assert!(matches!(outcome, Err(GreetError::Closed)), "{outcome:?}");
    }
    let (peer, mut own) = self::peer(b"").await;
    drop(peer);
    let outcome = welcome(&mut own).await;
    assert!(matches!(outcome, Err(GreetError::Closed)), "{outcome:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_socket_that_is_closed_with_the_greeting_unread_counts_as_closed() {
    let (mut client, mut server) = tokio::net::UnixStream::pair().expect("a pair of sockets");
    let closing = async {
        server.read_u8().await.expect("the greeting has come");
        drop(server);
    };
    let (outcome, ()) = tokio::join!(greet(&mut client), closing);
    assert!(matches!(outcome, Err(GreetError::Closed)), "{outcome:?}");
}

#[tokio::test]
async fn a_peer_that_is_not_seatrial_is_told_apart() {
    let to_both = [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        b"\0\0\0\0".to_vec(),
        b"\0\0\0\x0bseatrial\x01\0\0".to_vec(),
        b"\0\0\0\x0dSEATRIAL\x01\0\0\0\x01".to_vec(),
        greeting(PROTOCOL, &[1], ""),
        greeting(PROTOCOL, &[1], "\u{1b}[31m"),
        [
            &greeting(PROTOCOL, &[1], "x")[..3],
            b"\x0e",
            b"seatrial\x01\0\0\0\x01\xff",
        ]
        .concat(),
        u32::MAX.to_be_bytes().to_vec(),
    ];
    for says in &to_both {
        // It stays open: nobody waits for more.
        let (_peer, mut own) = peer(says).await;
        let outcome = greet(&mut own).await;
        assert!(
            matches!(outcome, Err(GreetError::NotSeatrial(_))),
            "{outcome:?} {says:?}"
        );
        let (_peer, mut own) = peer(says).await;
        let outcome = welcome(&mut own).await;
        assert!(
            matches!(outcome, Err(GreetError::NotSeatrial(_))),
            "{outcome:?} {says:?}"
        );
    }
    // Answers that contradict themselves.
    for verdict in [0, 2, b'0'] {
        let (_peer, mut own) = peer(&greeting(PROTOCOL, &[verdict], OWN)).await;
        let outcome = greet(&mut own).await;
        assert!(
            matches!(outcome, Err(GreetError::NotSeatrial(_))),
            "{outcome:?}"
        );
    }
    // An answer that accepts another version.
    let (_peer, mut own) = peer(&greeting(PROTOCOL, &[1], "0.0.7")).await;
    let outcome = greet(&mut own).await;
    assert!(
        matches!(outcome, Err(GreetError::OtherVersion { .. })),
        "{outcome:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever_for_a_peer_that_is_silent() {
    let half = &greeting(PROTOCOL, &[], OWN)[..10];
    for says in [b"", half] {
        let begin = Instant::now();
        let (_peer, mut own) = peer(says).await;
        let outcome = welcome(&mut own).await;
        assert!(matches!(outcome, Err(GreetError::Silent(_))), "{outcome:?}");
        assert_eq!(begin.elapsed(), GREETING_DEADLINE);

        let (_peer, mut own) = peer(says).await;
        let outcome = greet(&mut own).await;
        assert!(matches!(outcome, Err(GreetError::Silent(_))), "{outcome:?}");
        assert_eq!(begin.elapsed(), GREETING_DEADLINE + ANSWER_DEADLINE);
    }
}
