//! Tests that end in one way each. They are run by the tests beside this module, which tell them through the
//! environment where to write what they hold.

mod busy;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use seatrial::{Composition, Service};
use serde_json::{Value, json};

use seatrial_tests::engine;

/// The variable that names the file a case writes once its services are ready.
pub(crate) const RECORD: &str = "ENDINGS_RECORD";
/// The variable that names the file whose existence a case may wait for.
pub(crate) const GO: &str = "ENDINGS_GO";
/// The image that nothing but a script of [`image_is_made`]'s driver delivers.
pub(crate) const MADE: &str = "localhost:9/seatrial-endings:1";

#[derive(Composition)]
struct Fleet {
    #[service(
        image = "debian:bookworm-slim",
        scope = binary,
        entrypoint = ["/bin/sh", "-c", "echo db is up; cat /etc/fleet/db.conf; exec sleep infinity"],
        volume("/anonymous", data = "/data"),
        files("/etc/fleet/db.conf" = "calm sea\n"),
        ready(log = "db is up"),
    )]
    db: Service,
    #[service(
        image = "debian:bookworm-slim",
        entrypoint = ["/usr/bin/perl", "-MIO::Socket::INET", "-e",
            "$s = IO::Socket::INET->new(Listen => 5, LocalPort => 7000, ReuseAddr => 1) or die; \
             while ($c = $s->accept) {{ while (<$c>) {{ print $c $_ }} }}"],
        port = 7000,
        volume("/anonymous", scratch = "/scratch"),
        needs(db),
    )]
    echo: Service,
    #[service(
        image = "debian:bookworm-slim",
        entrypoint = ["/usr/bin/perl", "-MIO::Socket::INET", "-e",
            "$| = 1; \
             @s = map {{ IO::Socket::INET->new(Listen => 5, LocalPort => $_, ReuseAddr => 1) or die }} 7001, 7002; \
             print qq(app of $ENV{{ECHO}} is up\\n); sleep"],
        ports(7001, metrics = 7002),
        env(ECHO = "{echo}"),
        volume(data = "/data"),
        ready(log = "is up"),
    )]
    app: Service,
}

impl Fleet {
    /// Tells the driver that all is ready, and what there is that must be gone later.
    fn record(&self) {
        record_services(&[&self.db, &self.echo, &self.app]);
    }
}

fn record_services(services: &[&Service]) {
    let mut volumes = Vec::new();
    let mut addresses = Vec::new();
    for service in services {
        let (of_one, published) = engine::volumes_and_addresses(service.id());
        volumes.extend(of_one);
        addresses.extend(published);
    }
    record(&json!({
        "pid": std::process::id(),
        "volumes": volumes,
        "addresses": addresses,
    }));
}

fn record(value: &Value) {
    let at = named(RECORD);
    // Whoever sees the file sees all of it.
    let beside = at.with_extension(format!("{:?}", std::thread::current().id()));
    std::fs::write(&beside, value.to_string()).expect("a record");
    std::fs::rename(beside, at).expect("a record in place");
}

fn named(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable);
    PathBuf::from(path.expect("the tests beside this module run it"))
}

fn wait_for_the_end() -> ! {
    loop {
        std::thread::park();
    }
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
async fn passes(fleet: Fleet) {
    fleet.record();
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn passes_without_source(
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        source(none),
        ready(running)
    )]
    _idle: Service,
) {
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn passes_with_a_binary(
    #[service(bin = "station", port = 4000, env(PORT = 4000))] _station: Service,
) {
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn returns_an_error(fleet: Fleet) -> anyhow::Result<()> {
    fleet.record();
    anyhow::bail!("the ship is not on the chart")
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
async fn panics(fleet: Fleet) {
    fleet.record();
    panic!("the mast is broken");
}

struct Mine;

impl Drop for Mine {
    fn drop(&mut self) {
        panic!("the powder is wet");
    }
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn panics_in_drop(fleet: Fleet) {
    let _mine = Mine;
    fleet.record();
}

#[seatrial::test]
#[should_panic = "the mast is broken"]
#[ignore = "run by the tests beside it"]
fn panics_as_it_should(fleet: Fleet) {
    fleet.record();
    panic!("the mast is broken");
}

// An async test that is out of time is given up only where it waits: it has recorded by then, however long that took.

/// Says something when it is dropped, and needs a service for it.
struct Farewell(Service);

impl Drop for Farewell {
    fn drop(&mut self) {
        let output = self.0.exec(["echo", "farewell"]).wait();
        eprint!("{}", output.expect("the service is still there").stdout);
    }
}

#[seatrial::test(timeout = "10s")]
#[ignore = "run by the tests beside it"]
async fn times_out(fleet: Fleet) {
    let _farewell = Farewell(fleet.app.clone());
    fleet.record();
    std::future::pending::<()>().await;
}

#[seatrial::test(timeout = "10s")]
#[should_panic]
#[ignore = "run by the tests beside it"]
async fn times_out_and_should_panic(fleet: Fleet) {
    fleet.record();
    std::future::pending::<()>().await;
}

#[seatrial::test(timeout = "10s")]
#[ignore = "run by the tests beside it"]
fn times_out_blocking(_fleet: Fleet) {
    // Nothing that its limit might interrupt.
    wait_for_the_end();
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn waits(fleet: Fleet) {
    fleet.record();
    wait_for_the_end();
}

/// Uses its services until they are taken away, and would fail then.
#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn works(fleet: Fleet) {
    use std::io::{BufRead, BufReader, Write};

    let mut connection = std::net::TcpStream::connect(fleet.echo.addr()).expect("a connection");
    let mut answers = BufReader::new(connection.try_clone().expect("a second handle"));
    fleet.record();
    loop {
        writeln!(connection, "ahoy").expect("a request is sent");
        let mut answer = String::new();
        answers.read_line(&mut answer).expect("an answer is read");
        assert_eq!(answer, "ahoy\n", "the service answers");
        let output = fleet.app.exec(["true"]).wait();
        assert_eq!(output.expect("a command can be run").code, 0);
    }
}

mod pair {
    use super::*;

    #[seatrial::test]
    #[ignore = "run by the tests beside it"]
    fn one(fleet: Fleet) {
        fleet.record();
    }

    #[seatrial::test]
    #[ignore = "run by the tests beside it"]
    fn two(fleet: Fleet) {
        fleet.record();
    }
}

fn wait_until_told() {
    let go = named(GO);
    while !go.exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// Passes as soon as it is told to.
#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn passes_when_told(fleet: Fleet) {
    fleet.record();
    wait_until_told();
}

/// Fails as soon as it is told to.
#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn fails_when_told(fleet: Fleet) {
    fleet.record();
    wait_until_told();
    panic!("the mast is broken");
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn exits_with_success(fleet: Fleet) {
    fleet.record();
    std::process::exit(0);
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
async fn exits_with_failure(fleet: Fleet) {
    fleet.record();
    std::process::exit(1);
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn leaks_its_handles(fleet: Fleet) {
    static KEPT: Mutex<Vec<Service>> = Mutex::new(Vec::new());
    fleet.record();
    KEPT.lock().expect("no panic").push(fleet.echo.clone());
    std::mem::forget(fleet);
}

#[test]
#[ignore = "run by the tests beside it"]
fn launches_without_a_test() {
    let fleet = Fleet::launch().wait().expect("a fleet");
    fleet.record();
    // Held until the process ends.
    std::mem::forget(fleet);
}

static HANDLED: AtomicBool = AtomicBool::new(false);

extern "C" fn handle(_: libc::c_int) {
    HANDLED.store(true, Ordering::SeqCst);
}

/// Has a signal handler of its own, which does not end the process.
#[test]
#[ignore = "run by the tests beside it"]
fn handles_the_signal_itself() {
    let handler = handle as extern "C" fn(libc::c_int);
    // SAFETY: the handler does nothing but store to an atomic.
    unsafe { libc::signal(libc::SIGTERM, handler as libc::sighandler_t) };
    let fleet = Fleet::launch().wait().expect("a fleet");
    fleet.record();
    // SAFETY: raising a signal touches no memory.
    unsafe { libc::raise(libc::SIGTERM) };
    assert!(HANDLED.load(Ordering::SeqCst));
    let output = fleet.app.exec(["true"]).wait().expect("it still runs");
    assert_eq!(output.code, 0);
}

#[derive(Composition)]
struct Becalmed {
    #[service(
        image = "debian:bookworm-slim",
        entrypoint = ["/bin/sh", "-c", "echo hoisted; exec sleep infinity"],
        volume("/anonymous", data = "/data"),
        ready(log = "hoisted"),
    )]
    sail: Service,
    #[service(
        image = "debian:bookworm-slim",
        entrypoint = ["/bin/sleep", "infinity"],
        volume("/anonymous", data = "/data"),
        needs(sail),
        ready(log = "wind"),
    )]
    wind: Service,
    #[service(
        image = "debian:bookworm-slim",
        entrypoint = ["/bin/sleep", "infinity"],
        volume(data = "/data"),
        needs(wind),
        ready(running),
    )]
    ship: Service,
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn is_never_ready(becalmed: Becalmed) {
    unreachable!("{} is no ship without wind", becalmed.ship.id());
}

#[derive(Composition)]
struct Wreck {
    #[service(
        image = "debian:bookworm-slim",
        entrypoint = ["/bin/sh", "-c", "echo laid; exec sleep infinity"],
        volume("/anonymous", data = "/data"),
        ready(log = "laid"),
    )]
    keel: Service,
    #[service(
        image = "debian:bookworm-slim",
        entrypoint = ["/bin/sh", "-c", "echo a plank is missing; exit 3"],
        volume(data = "/data"),
        needs(keel),
        ready(log = "tight"),
    )]
    hull: Service,
    #[service(image = "debian:bookworm-slim", entrypoint = ["/bin/sleep", "infinity"], needs(hull), ready(running))]
    mast: Service,
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
async fn cannot_be_launched(wreck: Wreck) {
    unreachable!("{} stands on a broken hull", wreck.mast.id());
}

#[seatrial::test]
#[should_panic]
#[ignore = "run by the tests beside it"]
async fn cannot_be_launched_and_should_panic(wreck: Wreck) {
    unreachable!("{} stands on a broken hull", wreck.mast.id());
}

#[seatrial::test]
#[ignore = "run by the tests beside it"]
fn image_is_made(
    #[service(image = "localhost:9/seatrial-endings:1", ready(running))] made: Service,
) {
    unreachable!("{} is of an image that is never done", made.id());
}
