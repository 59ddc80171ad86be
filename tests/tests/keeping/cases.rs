//! Tests that use what is kept. They are run by the tests beside this module: each says on its standard output what it has,
//! and goes on when its standard input ends.

mod forms;

use std::error::Error;
use std::io::Read as _;

use seatrial::{Composition, KeptService, Service};
use seatrial_tests::conversation::ask;
use serde_json::{Value, json};

use crate::record::Kept;

/// Stands before a record on standard output.
pub(crate) const RECORD: &str = "has recorded: ";

/// What the two setups of [`Shop`] write.
pub(crate) const STEPS: &str = "one\ntwo\n";

#[derive(Composition)]
#[composition(scope = keep)]
struct Shop {
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "db"),
        command = "{source}/tests/fixtures/serve.pl 4000",
        volume(data = "/data"),
        // Fails where it was done before.
        setup(exec = "test ! -e /data/steps && echo one >/data/steps"),
        setup(with = second, key = "1"),
    )]
    db: Service,
}

async fn second(db: &Service) -> Result<(), Box<dyn Error + Send + Sync>> {
    let output = db.exec(["sh", "-c", "echo two >>/data/steps"]).await?;
    match output.success() {
        true => Ok(()),
        false => Err(output.stderr.into()),
    }
}

impl Shop {
    /// Its id, and what was done to it, unless it is not there any more.
    fn record(&self) {
        let steps = self.db.exec(["cat", "/data/steps"]).wait();
        record(&json!({
            "db": self.db.id(),
            "steps": steps.ok().map(|output| output.stdout),
            "kept": kept(),
        }));
    }
}

/// What is kept, as the runtime tells.
fn kept() -> Value {
    recorded(seatrial::kept().wait().expect("it is told"))
}

fn recorded(kept: Vec<KeptService>) -> Value {
    let kept: Vec<Kept> = kept.into_iter().map(Kept::from).collect();
    serde_json::to_value(kept).expect("it is data")
}

fn record(value: &Value) {
    println!("{RECORD}{value}");
}

fn wait_until_told() {
    let mut nothing = Vec::new();
    let ended = std::io::stdin().read_to_end(&mut nothing);
    ended.expect("standard input ends");
}

/// Records what it has twice: when it has it, and when it is told to.
#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn uses(shop: Shop) {
    shop.record();
    wait_until_told();
    shop.record();
}

#[test]
#[ignore = "run by the tests beside it"]
fn launches_when_told() {
    record(&Value::Null);
    wait_until_told();
    Shop::launch().wait().expect("a shop").record();
}

#[derive(Composition)]
struct Fleet {
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "flagship"),
        command = "{source}/tests/fixtures/serve.pl 4000",
        scope = keep
    )]
    flagship: Service,
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "boat"),
        command = "{source}/tests/fixtures/serve.pl 4000",
        needs(flagship)
    )]
    boat: Service,
}

impl Fleet {
    /// The ids, what the boat hears from the flagship, and where it finds that.
    fn seen(&self) -> Value {
        let lookup = self.boat.exec(["getent", "hosts", "flagship"]).wait();
        json!({
            "flagship": self.flagship.id(),
            "boat": self.boat.id(),
            "answer": ask(self.boat.addr(), "ask flagship:4000").expect("the boat answers"),
            "own answer": ask(self.flagship.addr(), "hello").expect("the flagship answers"),
            "lookup": lookup.expect("it runs").stdout,
        })
    }
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn sails(fleet: Fleet) {
    record(&fleet.seen());
    wait_until_told();
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn has_its_own(shared: Fleet, #[composition(scope = test)] own: Fleet) {
    record(&json!({ "shared": shared.seen(), "own": own.seen() }));
    wait_until_told();
    // Whatever it does to it, nobody else sees it.
    own.flagship.stop().wait().expect("it stops");
    shared.seen();
}

/// Says for one of its services how long that is kept, and leaves it to the configuration for the other.
#[derive(Composition)]
#[composition(scope = keep)]
struct Fleeting {
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        keep = "200ms",
        ready(running)
    )]
    mayfly: Service,
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        ready(running)
    )]
    wave: Service,
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn is_fleeting(fleeting: Fleeting) {
    let (mayfly, wave) = (fleeting.mayfly.id(), fleeting.wave.id());
    record(&json!({ "mayfly": mayfly, "wave": wave, "kept": kept() }));
    wait_until_told();
}

#[test]
#[ignore = "run by the tests beside it"]
fn lists() {
    record(&json!({ "kept": kept() }));
}

#[test]
#[ignore = "run by the tests beside it"]
fn drops() {
    let dropped = seatrial::drop_kept().wait().expect("it is dropped");
    record(&json!({ "dropped": recorded(dropped), "kept": kept() }));
}

/// Needs the images that other tests give names of their own.
#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn has_images(
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        ready(running)
    )]
    _debian: Service,
    #[service(image = "redis:7", command = "sleep infinity", ready(running))] _redis: Service,
) {
    record(&Value::Null);
}
