//! What can be wrong at run time, and what the user is told: each error names the cause and the next step.

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use seatrial::{Composition, Error, ErrorKind, Service};
use seatrial_tests::child;

/// The error of a composition that cannot be launched.
fn failure<C: Composition>() -> Error {
    C::launch()
        .wait()
        .map(drop)
        .expect_err("it cannot be launched")
}

#[track_caller]
fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
}

#[derive(Composition)]
struct Plain {
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        command = "{source}/tests/fixtures/serve.pl 4000"
    )]
    server: Service,
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        ready(running)
    )]
    other: Service,
}

/// What a test is told that needs [`Plain`], in a process whose surroundings are as `command` makes them.
#[track_caller]
fn told(change: impl FnOnce(&mut std::process::Command)) -> String {
    let mut command = child::test("asks_for_services");
    change(&mut command);
    let verdict = child::run(&mut command);
    assert!(!verdict.passed, "{verdict:#?}");
    verdict.stdout
}

#[seatrial::test]
#[ignore = "run by the tests below, where it cannot succeed"]
fn asks_for_services(plain: Plain) {
    drop(plain);
}

#[test]
fn the_engine_is_not_there_or_is_none() {
    let text = told(|child| _ = child.env("SEATRIAL_ENGINE", "unix:///nonexistent/engine.sock"));
    assert_says(
        &text,
        &[
            "\n`Plain`: the container engine does not answer",
            "unix:///nonexistent/engine.sock (SEATRIAL_ENGINE",
            "no such file; start the engine, or change the address",
        ],
    );
    // One cause is told once, however many services suffer from it.
    assert_eq!(text.matches("no such file").count(), 1, "{text}");

    let text = told(|child| _ = child.env("SEATRIAL_ENGINE", "dokcer"));
    assert_says(&text, &["SEATRIAL_ENGINE", "dokcer"]);
}

const NOBODY: u32 = 65534;

#[test]
fn the_user_may_not_use_the_engine() {
    let directory = std::env::temp_dir().join(format!("seatrial-denied-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    let path = directory.join("engine.sock");
    let socket = UnixListener::bind(&path).expect("a socket");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).expect("a mode");
    let root = std::fs::metadata("/proc/self").expect("this process").uid() == 0;
    // Executables in a directory of root's own cannot be run by others.
    let executable = directory.join("tests");
    std::fs::copy(std::env::current_exe().expect("its path"), &executable).expect("a copy");
    let as_another = |engine: String| {
        told(|child| {
            let mut other = std::process::Command::new(&executable);
            other.args(child.get_args()).env("RUST_BACKTRACE", "0");
            other.env("SEATRIAL_ENGINE", engine).current_dir(&directory);
            if root {
                // Nothing is forbidden to root.
                other.uid(NOBODY).gid(NOBODY);
            }
            *child = other;
        })
    };
    let denied = "cannot use the container engine: permission denied";
    let text = as_another(format!("unix://{}", path.display()));
    assert_says(
        &text,
        &[
            denied,
            "engine.sock",
            "permission denied; run as the user who owns the engine",
        ],
    );
    if root && Path::new(DOCKER).exists() {
        let text = as_another(format!("unix://{DOCKER}"));
        assert_says(
            &text,
            &[denied, DOCKER, "permission denied; ", "usermod -aG docker"],
        );
    }
    drop(socket);
    std::fs::remove_dir_all(&directory).expect("it was made here");
}

const DOCKER: &str = "/var/run/docker.sock";

/// A port that is free now.
fn port() -> TcpListener {
    TcpListener::bind(("127.0.0.1", 0)).expect("a port")
}

#[test]
fn every_port_is_taken() {
    let taken = port();
    let number = taken.local_addr().expect("its address").port();
    let text = told(|child| {
        child.env("SEATRIAL_PORTS", format!("{number}-{number}"));
        child.env("SEATRIAL_PUBLISH", "always");
    });
    assert_says(
        &text,
        &[
            "service `server` of `Plain`",
            &format!("no port from {number} to {number} is free"),
            "port 4000",
            "ports = \"",
        ],
    );
    drop(taken);
}

#[test]
fn the_configuration_is_wrong() {
    let directory = std::env::temp_dir().join(format!("seatrial-wrong-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    std::fs::write(directory.join("Cargo.toml"), "[workspace]\n").expect("a file");
    let wrong = "prots = \"1-2\"\n[timeouts]\nready = \"soon\"\n[images.\"a b\"]\nbuild = \"x\"\n";
    std::fs::write(directory.join("seatrial.toml"), wrong).expect("a file");
    let text = told(|child| {
        child
            .env("CARGO_MANIFEST_DIR", &directory)
            .env("SEATRIAL_REPORT", "perhaps");
    });
    assert_says(
        &text,
        &[
            "seatrial.toml",
            "`prots`",
            "did you mean `ports`",
            "soon",
            "a b",
            "SEATRIAL_REPORT",
            "perhaps",
        ],
    );
    assert!(!text.contains("service `"), "it is nobody's own: {text}");

    std::fs::write(directory.join("seatrial.toml"), "ports = \"1-2\nbase = 3").expect("a file");
    let text = told(|child| _ = child.env("CARGO_MANIFEST_DIR", &directory));
    assert_says(
        &text,
        &[
            "2 mistakes in the configuration:",
            "/seatrial.toml:1:13: not TOML: invalid basic string",
            "/seatrial.toml:2:1: invalid type of `base`: expected a string, found integer",
        ],
    );
    std::fs::remove_dir_all(&directory).expect("it was made here");
}

#[test]
fn a_variable_that_nobody_knows_is_told_once() {
    let mut command = child::test("asks_for_services");
    command
        .env("SEATRIAL_ENGINE", "unix:///nonexistent/engine.sock")
        .env("SEATRIAL_REPROT", "1");
    let verdict = child::run(&mut command);
    let warning = "warning: SEATRIAL_REPROT: unknown variable, which has no effect; did you mean `SEATRIAL_REPORT`?\n";
    assert_eq!(verdict.stderr.matches(warning).count(), 1, "{verdict:#?}");
    assert_eq!(
        verdict.stderr.matches("warning:").count(),
        1,
        "{verdict:#?}"
    );
}

mod image {
    use super::*;

    #[derive(Composition)]
    pub(super) struct Absent {
        #[service(image = "localhost/seatrial/nobody-has-this:1", ready(running))]
        server: Service,
    }
}

#[seatrial::test]
fn nobody_delivers_the_image() {
    let error = failure::<image::Absent>();
    assert_eq!(error.kind(), ErrorKind::Image);
    assert_eq!(error.service(), Some("server"));
    assert_says(
        &error.to_string(),
        &[
            "service `server` of `Absent`: cannot obtain the image `localhost/seatrial/nobody-has-this:1`",
            "there is no such image",
            "localhost",
            "[images.\"localhost/seatrial/nobody-has-this:1\"]",
            "build = ",
        ],
    );
}

/// What an image has not, or a container may not.
mod start {
    use super::*;

    #[derive(Composition)]
    pub(super) struct Command {
        #[service(
            image = "debian:bookworm-slim",
            command = "no-such-server --port 4000",
            ready(running)
        )]
        server: Service,
        #[service(
            image = "debian:bookworm-slim",
            command = "sleep infinity",
            needs(server),
            ready(running)
        )]
        client: Service,
    }

    #[derive(Composition)]
    pub(super) struct NotExecutable {
        #[service(image = "debian:bookworm-slim", entrypoint = ["/etc/passwd"], ready(running))]
        server: Service,
    }

    #[derive(Composition)]
    pub(super) struct User {
        #[service(
            image = "debian:bookworm-slim",
            command = "sleep infinity",
            user = "captain",
            ready(running)
        )]
        server: Service,
    }

    #[derive(Composition)]
    pub(super) struct Capability {
        #[service(
            image = "debian:bookworm-slim",
            command = "sleep infinity",
            cap_add("SAIL"),
            ready(running)
        )]
        server: Service,
    }

    #[derive(Composition)]
    pub(super) struct Script {
        #[service(
            image = "debian:bookworm-slim",
            port = 4000,
            command = "/serve",
            files("/serve" = "#!/usr/bin/env no-such-interpreter\n"),
        )]
        server: Service,
    }
}

#[seatrial::test]
fn the_container_cannot_be_started() {
    let launches = (
        start::Command::launch(),
        start::NotExecutable::launch(),
        start::User::launch(),
        start::Capability::launch(),
        start::Script::launch(),
    );
    let start = |outcome: Result<(), Error>, parts: &[&str]| {
        let error = outcome.expect_err("it cannot be started");
        assert_eq!(error.kind(), ErrorKind::Start, "{error}");
        assert_eq!(error.service(), Some("server"), "{error}");
        assert_says(&error.to_string(), parts);
    };
    start(
        launches.0.wait().map(drop),
        &[
            "service `server` of `Command`: cannot start the container",
            "the image `debian:bookworm-slim` has no executable `no-such-server`",
            "not started because of it: `client`",
            "help: name an executable that the image has in `command`",
        ],
    );
    start(
        launches.1.wait().map(drop),
        &[
            "`/etc/passwd` in the container is not executable",
            "help: make it executable where the image is built",
            "`entrypoint = \"sh /etc/passwd\"`",
        ],
    );
    start(launches.2.wait().map(drop), &["captain", "`user = ..`"]);
    start(launches.3.wait().map(drop), &["SAIL", "`cap_add"]);
    let error = launches.4.wait().map(drop).expect_err("it cannot run");
    // The kernel starts it, and `env` looks for the rest.
    assert_eq!(error.kind(), ErrorKind::Exited, "{error}");
    assert_says(
        &error.to_string(),
        &[
            "code 127",
            "has no `no-such-interpreter`, which the first line of a script names behind `env`",
            "help: name an interpreter that the image has",
        ],
    );
}

mod secret {
    use super::*;

    #[derive(Composition)]
    pub(super) struct Leaky {
        #[service(
            image = "debian:bookworm-slim",
            port = 4000,
            env(ROOT_PASSWORD = "h0rnblower"),
            command = ["sh", "-c", "echo logging in with $ROOT_PASSWORD; exit 1"],
        )]
        server: Service,
    }

    #[derive(Composition)]
    pub(super) struct Told {
        #[service(
            image = "debian:bookworm-slim",
            env(ROOT_PASSWORD = "h0rnblower"),
            command = ["login-with-h0rnblower"],
            ready(running),
        )]
        server: Service,
    }

    #[derive(Composition)]
    pub(super) struct Checked {
        #[service(
            image = "debian:bookworm-slim",
            env(ROOT_PASSWORD = "h0rnblower"),
            command = "sleep infinity",
            ready(
                exec = "echo denied to h0rnblower; test -n '' h0rnblower",
                interval = "10ms",
                failures = 1
            )
        )]
        server: Service,
    }
}

#[seatrial::test]
fn no_error_shows_a_secret() {
    for (error, says) in [
        (failure::<secret::Leaky>(), "logging in with"),
        (failure::<secret::Told>(), "login-with-"),
        (failure::<secret::Checked>(), "denied to"),
    ] {
        let texts = [
            error.to_string(),
            format!("{error:?}"),
            error.log_lines().join("\n"),
        ];
        for text in &texts {
            assert!(!text.contains("h0rnblower"), "{text}");
        }
        assert_says(&texts[0], &[says]);
    }
}

#[test]
fn what_is_mounted_is_gone() {
    let gone = std::env::temp_dir().join(format!("seatrial-gone-{}", std::process::id()));
    let text = told(|child| _ = child.env("CARGO_MANIFEST_DIR", &gone));
    let cause = format!("the source tree is not at `{}`", gone.display());
    assert_says(&text, &["of `Plain`: ", &cause, "help: put it back"]);
}
