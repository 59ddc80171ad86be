//! A broker that is asked in its own protocol. Its image takes minutes to make where no registry delivers it, so these run
//! when they are asked for, as `cargo xtask test --full` does.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use seatrial::{Composition, Error, Service};

#[derive(Composition)]
#[composition(scope = binary)]
struct Broker {
    #[service(image = "rabbitmq:3.10", port = 5672, ready(timeout = "3m"))]
    broker: Service,
}

#[seatrial::test]
#[ignore = "heavy: run by `cargo xtask test --full`"]
fn a_broker_begins_a_connection_when_it_is_ready(broker: Broker) -> Result<(), Error> {
    let mut stream = TcpStream::connect(broker.broker.addr()).expect("a connection");
    stream.write_all(b"AMQP\0\0\x09\x01").expect("it listens");
    // A frame: its kind, its channel, and the size of what follows but for its last byte.
    let mut head = [0; 7];
    stream.read_exact(&mut head).expect("an answer");
    let [1, 0, 0, size @ ..] = head else {
        panic!("no method on channel 0: {head:?}");
    };
    let mut method = vec![0; u32::from_be_bytes(size) as usize + 1];
    stream.read_exact(&mut method).expect("the whole of it");
    assert!(
        method.starts_with(b"\0\x0a\0\x0a"),
        "it is `connection.start`: {method:?}"
    );
    drop(stream);

    // It warns of each client that goes without a login. That of the check is one, ours another; whoever takes the broker
    // again looks at its port instead.
    for _ in 0..3 {
        let again = Broker::launch().wait()?;
        assert_eq!(again.broker.id(), broker.broker.id());
    }
    broker.broker.restart().wait()?;
    let log = broker.broker.logs().wait()?;
    let accepted = log.matches("accepting AMQP connection").count();
    assert_eq!(accepted, 3, "{log}");
    assert!(!log.contains("[error]"), "{log}");
    Ok(())
}
