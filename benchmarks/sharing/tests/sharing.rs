//! Two measurements. Each starts processes that run one test of the module `cases`, as nextest does; a process says on
//! its standard output what it has measured itself.

use std::process::{Command, Stdio};
use std::time::Duration;

use seatrial::Composition;

/// What the processes share.
#[derive(Composition)]
#[composition(scope = run)]
struct Shop {
    #[service(
        image = "postgres:15",
        port = 5432,
        env(POSTGRES_PASSWORD = "albatross")
    )]
    db: seatrial::Service,
}

/// How long `Shop::launch()` takes in a process that is new, with a service that is not.
#[test]
fn attaching() {
    let first = Shop::launch()
        .wait()
        .unwrap_or_else(|error| panic!("{error}"));
    let mut times: Vec<Duration> = (0..100)
        .map(|_| {
            let stdout = run("cases::attaches");
            assert!(stdout.contains(first.db.id()), "{stdout}");
            Duration::from_nanos(said(&stdout, "took"))
        })
        .collect();
    report("attaching to a service that runs", &mut times);
}

/// How long a process lives on after its test, which has ten containers that are still to be removed.
#[test]
fn ending() {
    let mut times: Vec<Duration> = (0..20)
        .map(|round| {
            // A run of its own, so that what belongs to the run is to be removed as well.
            let id = format!("benchmark-{}-{round}", std::process::id());
            let mut test = test("cases::ends");
            let child = test.env("SEATRIAL_RUN_ID", id).spawn();
            let mut child = child.expect("this executable starts again");
            let status = child.wait().expect("its end");
            let gone = now();
            let output = child.wait_with_output().expect("its output");
            assert!(status.success(), "{output:?}");
            let ended = said(&String::from_utf8_lossy(&output.stdout), "ended at");
            Duration::from_nanos(gone - ended)
        })
        .collect();
    report(
        "from a test's end to its process's, with 10 containers to remove",
        &mut times,
    );
}

mod cases {
    use std::time::Instant;

    use seatrial::{Composition, Service};

    use super::{Shop, now};

    #[test]
    #[ignore = "run by `attaching`"]
    fn attaches() {
        let begun = Instant::now();
        let shop = Shop::launch().wait();
        let took = begun.elapsed().as_nanos();
        let shop = shop.unwrap_or_else(|error| panic!("{error}"));
        println!("\ntook {took}\n{}", shop.db.id());
    }

    #[derive(Composition)]
    #[composition(scope = run)]
    struct OfRun {
        #[service(image = "debian:bookworm-slim", command = "sleep infinity", ready(running))]
        _a: Service,
        #[service(image = "debian:bookworm-slim", command = "sleep infinity", ready(running))]
        _b: Service,
        #[service(image = "debian:bookworm-slim", command = "sleep infinity", ready(running))]
        _c: Service,
        #[service(image = "debian:bookworm-slim", command = "sleep infinity", ready(running))]
        _d: Service,
        #[service(image = "debian:bookworm-slim", command = "sleep infinity", ready(running))]
        _e: Service,
    }

    #[derive(Composition)]
    struct OfTest {
        #[service(image = "debian:bookworm-slim", command = "sleep infinity", ready(running))]
        _a: Service,
        #[service(image = "debian:bookworm-slim", command = "sleep infinity", ready(running))]
        _b: Service,
        #[service(image = "debian:bookworm-slim", command = "sleep infinity", ready(running))]
        _c: Service,
        #[service(image = "debian:bookworm-slim", command = "sleep infinity", ready(running))]
        _d: Service,
        #[service(image = "debian:bookworm-slim", command = "sleep infinity", ready(running))]
        _e: Service,
    }

    #[seatrial::test]
    #[ignore = "run by `ending`"]
    fn ends(_of_run: OfRun, _of_test: OfTest) {
        println!("\nended at {}", now());
    }
}

/// Runs one test in a process of its own.
fn run(name: &str) -> String {
    let output = test(name).output().expect("this executable starts again");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn test(name: &str) -> Command {
    let executable = std::env::current_exe().expect("the path of this executable");
    let mut command = Command::new(executable);
    command
        .args([name, "--exact", "--ignored", "--nocapture"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// The number on the line that begins with `what`.
fn said(stdout: &str, what: &str) -> u64 {
    let mut lines = stdout.lines().filter_map(|line| line.strip_prefix(what));
    let number = lines.next().and_then(|number| number.trim().parse().ok());
    number.unwrap_or_else(|| panic!("`{what}` is not in: {stdout}"))
}

/// The same clock in all processes, in nanoseconds.
fn now() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call writes one time to the place it is given.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    assert_eq!(failed, 0);
    let seconds = u64::try_from(time.tv_sec).expect("it counts from the boot");
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).expect("it is less than a second")
}

fn report(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let millis = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1000.0;
    let build = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    println!(
        "\n{what}, {build} build: median {:.1} ms, p90 {:.1} ms, max {:.1} ms of {}",
        millis(50),
        millis(90),
        millis(100),
        times.len()
    );
}
