//! Services whose images are built, from the declaration to the container.

use std::process::Command;
use std::time::{Duration, Instant};

use seatrial::{Composition, ErrorKind, Service};
use seatrial_tests::child;
use seatrial_tests::conversation::ask;

#[derive(Composition)]
struct Built {
    #[service(
        build(
            context = "fixtures",
            dockerfile = "built/Dockerfile",
            target = "server",
            args(GREETING = "ahoy, {$SEATRIAL_TEST_NOBODY:-sailor}"),
        ),
        port = 4000,
        env(NAME = "built")
    )]
    server: Service,

    #[service(
        build(context = "fixtures", dockerfile = "built/Dockerfile", target = "base"),
        command = "sleep infinity",
        needs(server),
        ready(exec = "test -s /greeting")
    )]
    other: Service,
}

/// Precedes the id of an image in a test's output.
const IMAGE: &str = "made from ";

#[test]
fn a_service_is_built_from_a_directory() {
    // A run of its own: its images can be removed once it is over.
    let mut command = child::test("what_was_built_runs");
    child::leave_run(&mut command);
    let run = format!("building-{}", std::process::id());
    let verdict = child::run(command.arg("--nocapture").env("SEATRIAL_RUN_ID", run));
    let lines = verdict.stdout.lines();
    remove(lines.filter_map(|line| line.strip_prefix(IMAGE)).collect());
    assert!(verdict.passed, "{}{}", verdict.stdout, verdict.stderr);
}

#[seatrial::test]
#[ignore = "run by the test beside it"]
fn what_was_built_runs(built: Built) {
    for service in [&built.server, &built.other] {
        let format = ["inspect", "--format", "{{.Image}}", service.id()];
        println!("{IMAGE}{}", docker(&format).expect("it is there"));
    }
    let greeting = |service: &Service| {
        let output = service.exec(["cat", "/greeting"]).wait();
        output.expect("the container runs").stdout
    };
    let answer = ask(built.server.addr(), "hello").expect("an answer");
    assert_eq!(answer, "hello from built");
    assert_eq!(greeting(&built.server), "ahoy, sailor\n");
    assert_eq!(greeting(&built.other), "hello\n");
}

/// Removes images once no container uses them.
fn remove(mut images: Vec<&str>) {
    let begun = Instant::now();
    loop {
        // One may be built on another.
        images.retain(|image| docker(&["rmi", image]).is_err());
        if images.is_empty() {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{images:?} stay");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What `docker` prints, or its error.
fn docker(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("docker").args(arguments).output();
    let output = output.map_err(|error| error.to_string())?;
    let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(text(&output.stderr)),
    }
}

#[derive(Composition)]
struct Broken {
    #[service(
        build(
            context = "fixtures",
            dockerfile = "built/Broken",
            target = "broken",
            args(GREETING = "hi")
        ),
        port = 4000
    )]
    app: Service,
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        needs(app),
        ready(running)
    )]
    after: Service,
}

#[test]
fn a_build_that_fails_is_told_with_its_step_and_what_to_run() {
    let error = Broken::launch().wait().map(drop);
    let error = error.expect_err("there is no such program");
    assert_eq!(error.kind(), ErrorKind::Image);
    assert_eq!(error.service(), Some("app"));
    let text = error.to_string();
    for part in [
        "cannot build `tests/fixtures/built/Broken (broken)`",
        "RUN echo \"the last straw\" && no-such-program",
        "the last straw",
        "no-such-program: not found",
        "`docker build --file tests/fixtures/built/Broken --build-arg GREETING=.. --target broken tests/fixtures` does the same by hand",
    ] {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
}
