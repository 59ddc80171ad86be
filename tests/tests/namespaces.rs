//! Services that join network namespaces that were prepared ahead.

use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use seatrial::{Composition, Service};
use seatrial_tests::conversation::ask;
use seatrial_tests::events::Events;
use seatrial_tests::waiting::comes_about;
use seatrial_tests::{child, engine};

/// Two that answer; the second one needs the first.
#[derive(Composition)]
struct Pair {
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "first"),
        command = "{source}/tests/fixtures/serve.pl 4000"
    )]
    first: Service,
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "second"),
        hosts("elsewhere" = "192.0.2.1"),
        needs(first),
        command = "{source}/tests/fixtures/serve.pl 4000"
    )]
    second: Service,
}

#[derive(Composition)]
struct Alone {
    #[service(
        image = "debian:bookworm-slim",
        ports(4000, other = 4001),
        env(NAME = "alone"),
        command = "{source}/tests/fixtures/serve.pl 4000 4001"
    )]
    alone: Service,
}

/// The second one is created while the first is not ready yet, and has lost its namespace when it is started.
#[derive(Composition)]
struct Bereft {
    #[service(
        image = "debian:bookworm-slim",
        ready(with = second_has_no_namespace),
        command = "sleep infinity"
    )]
    _first: Service,
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "second"),
        needs(_first),
        command = "{source}/tests/fixtures/serve.pl 4000"
    )]
    second: Service,
}

/// Whether a service has lost its namespace.
static LOST: AtomicBool = AtomicBool::new(false);

/// Ends the container whose namespace the second one is to join, if there is one.
async fn second_has_no_namespace(_: &Service) -> Result<(), String> {
    let events = std::env::var("SEATRIAL_EVENTS").expect("the runner's");
    let events = std::fs::read_to_string(events).expect("events");
    // The event comes once the namespace has answered, too.
    let mut created = engine::not_started("Bereft", "second").into_iter();
    let Some(second) = created.find(|id| events.contains(id)) else {
        return Err("the second one is not created yet".to_owned());
    };
    if let Some(holder) = engine::holder(&second) {
        assert_eq!(
            engine::ask("POST", &format!("/containers/{holder}/kill")).0,
            204
        );
        LOST.store(true, Ordering::SeqCst);
    }
    Ok(())
}

/// The container that has the network namespace of a service, if it is another one.
fn holder(service: &Service) -> Option<String> {
    engine::holder(service.id())
}

/// Launches until a service joins a namespace. They are prepared while one serves.
fn launch_joined() -> (Alone, String) {
    for _ in 0..100 {
        let launched = Alone::launch().wait().expect("it starts");
        if let Some(holder) = holder(&launched.alone) {
            return (launched, holder);
        }
    }
    panic!("none was prepared");
}

/// The names in the host file of a service.
fn names(service: &Service) -> Vec<String> {
    let file = service
        .exec(["cat", "/etc/hosts"])
        .wait()
        .expect("the host file");
    let lines = file.stdout.lines().map(str::to_owned);
    let named = lines
        .skip_while(|line| !line.contains("ip6-allrouters"))
        .skip(1);
    named.map(|line| line.replace('\t', " ")).collect()
}

/// Whether nobody answers, which is known at once. Behind an engine's proxy that is a connection that ends.
fn refuses(address: SocketAddr) -> bool {
    let error = match TcpStream::connect(address) {
        Ok(mut stream) => {
            return address.ip().is_loopback() && matches!(stream.read(&mut [0]), Ok(0) | Err(_));
        }
        Err(error) => error,
    };
    error.kind() == std::io::ErrorKind::ConnectionRefused
}

fn run_id() -> String {
    std::env::var("SEATRIAL_RUN_ID").expect("the runner's")
}

#[test]
#[ignore = "run by the tests below"]
fn joined() {
    let mut launches = (0..100).map(|_| Pair::launch().wait().expect("it starts"));
    let launched = launches.find(|pair| holder(&pair.second).is_some());
    let Pair { first, second } = launched.expect("one was prepared");
    let holder = holder(&second).expect("one was prepared");
    assert_eq!(
        engine::address(&holder),
        second.network_address().to_string()
    );
    let own = format!("{} {}", second.network_address(), &holder[..12]);
    let expected = [
        format!("{} first", first.network_address()),
        format!("{} second", second.network_address()),
        "192.0.2.1 elsewhere".to_owned(),
        own,
    ];
    assert_eq!(names(&second), expected);
    assert_eq!(
        second
            .exec(["hostname"])
            .wait()
            .expect("its name")
            .stdout
            .trim(),
        &holder[..12]
    );
    let address = second.addr();
    assert_eq!(
        ask(address, "ask first:4000").expect("an answer"),
        "hello from first"
    );
    assert_eq!(
        ask(address, "ask second:4000").expect("an answer"),
        "hello from second"
    );

    // It is stopped, killed and started again without its address being anybody else's.
    second.stop().wait().expect("it stops");
    assert!(refuses(address), "the namespace stays");
    second.start().wait().expect("it starts");
    assert_eq!(
        ask(address, "hello").expect("an answer"),
        "hello from second"
    );
    second.restart().wait().expect("it restarts");
    assert_eq!(second.addr(), address);
    assert_eq!(
        ask(address, "hello").expect("an answer"),
        "hello from second"
    );

    // It is cut off with its namespace.
    let reached = ask(
        first.addr(),
        &format!("ask {}:4000 3", second.network_address()),
    );
    assert_eq!(reached.expect("an answer"), "hello from second");
    second.disconnect().wait().expect("it is cut off");
    let cut_off = ask(
        first.addr(),
        &format!("ask {}:4000 3", second.network_address()),
    );
    assert_ne!(cut_off.expect("an answer"), "hello from second");
    second.reconnect().wait().expect("it is back");
    second.ready().wait().expect("it is ready");
    assert_eq!(
        ask(address, "hello").expect("an answer"),
        "hello from second"
    );
}

#[seatrial::test]
#[ignore = "run by the tests below"]
fn used_again(alone: Alone) {
    assert_eq!(holder(&alone.alone), None, "nothing was ready");
    drop(alone);
    let mut holders = Vec::new();
    // As many as are prepared for one service at a time, and some more.
    for _ in 0..5 {
        let (Alone { alone }, holder) = launch_joined();
        assert_eq!(
            engine::address(&holder),
            alone.network_address().to_string()
        );
        assert_eq!(
            names(&alone)[0],
            format!("{} alone", alone.network_address())
        );
        for address in [alone.addr_of(4000), alone.addr_of("other")] {
            assert_eq!(
                ask(address, "hello").expect("an answer"),
                "hello from alone"
            );
        }
        let id = alone.id().to_owned();
        drop(alone);
        wait_until_gone(&id);
        if holders.contains(&holder) {
            return;
        }
        holders.push(holder);
    }
    panic!("each was used once: {holders:?}");
}

fn wait_until_gone(container: &str) {
    while engine::has_container(container) {
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[seatrial::test]
#[ignore = "run by the tests below"]
fn not_used_again_once_changed(alone: Alone) {
    drop(alone);
    let (Alone { alone }, holder) = launch_joined();
    alone.disconnect().wait().expect("it is cut off");
    alone.reconnect().wait().expect("it is back");
    drop(alone);
    wait_until_gone(&holder);
}

#[test]
#[ignore = "run by the tests below"]
fn lost() {
    for _ in 0..100 {
        let Bereft { second, .. } = Bereft::launch().wait().expect("it starts");
        assert_eq!(
            ask(second.addr(), "hello").expect("an answer"),
            "hello from second"
        );
        if LOST.load(Ordering::SeqCst) {
            assert_eq!(holder(&second), None);
            assert_eq!(
                engine::address(second.id()),
                second.network_address().to_string()
            );
            return;
        }
    }
    panic!("none was prepared");
}

#[test]
#[ignore = "run by the tests below"]
fn none_is_prepared() {
    for _ in 0..3 {
        let Alone { alone } = Alone::launch().wait().expect("it starts");
        assert_eq!(holder(&alone), None);
        assert!(engine::namespaces(&run_id()).is_empty());
    }
}

/// A run that launches nothing twice.
#[seatrial::test]
#[ignore = "run by the tests below"]
fn not_prepared_yet(Pair { first, second }: Pair, Alone { alone }: Alone) {
    for service in [&first, &second, &alone] {
        assert_eq!(holder(service), None);
    }
    assert!(engine::namespaces(&run_id()).is_empty());
}

/// Runs a test as a run of its own with these variables, and looks at what is left.
#[track_caller]
fn run(test: &str, variables: &[(&str, &str)]) {
    let mut command = child::test(test);
    child::leave_run(&mut command);
    let run = format!(
        "namespaces-{}-{test}-{}",
        std::process::id(),
        variables.len()
    );
    command.env("SEATRIAL_RUN_ID", &run);
    command.env_remove("SEATRIAL_PUBLISH");
    command.env("SEATRIAL_NAMESPACES", "32");
    let events = Events::new(&run);
    command.env("SEATRIAL_EVENTS", events.path());
    command.envs(variables.iter().copied());
    let verdict = child::run(&mut command);
    assert!(verdict.passed, "{verdict:#?}");
    let removed = comes_about(Duration::from_secs(60), || {
        engine::of(&run).is_empty().then_some(())
    });
    assert!(removed.is_some(), "{:?}", engine::of(&run));
}

const PUBLISHED: (&str, &str) = ("SEATRIAL_PUBLISH", "always");
const IN_PROCESS: (&str, &str) = ("SEATRIAL_SUPERVISOR", "in-process");

#[test]
fn a_service_in_a_namespace_is_as_one_with_a_network_of_its_own() {
    run("joined", &[]);
}

#[test]
fn so_is_one_in_a_namespace_whose_ports_are_published() {
    run("joined", &[PUBLISHED]);
}

#[test]
fn a_namespace_is_used_again() {
    run("used_again", &[]);
}

#[test]
fn so_is_a_namespace_of_the_test_process_whose_ports_are_published() {
    run("used_again", &[IN_PROCESS, PUBLISHED]);
}

#[test]
fn a_namespace_that_was_cut_off_is_not_used_again() {
    run("not_used_again_once_changed", &[]);
}

#[test]
fn a_service_whose_namespace_is_gone_has_a_network_of_its_own() {
    run("lost", &[("SEATRIAL_AHEAD", "0")]);
}

#[test]
fn no_namespace_is_prepared_where_none_is_wanted() {
    run("none_is_prepared", &[("SEATRIAL_NAMESPACES", "0")]);
}

#[test]
fn no_namespace_is_prepared_for_the_first_launches() {
    run("not_prepared_yet", &[]);
}
