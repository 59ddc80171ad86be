//! Each kind of readiness check through the macro: it succeeds, it fails when its time is up or at the last failure
//! that is allowed and shows the service's last words, and it fails when the service ends.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use seatrial::{Composition, Error, ErrorKind, Service};
use seatrial_tests::conversation::ask;

/// The errors of launches that cannot succeed, all under way at once.
macro_rules! failures {
    ($($composition:ty),* $(,)?) => {{
        let launches = [$(Box::new({
            let launch = <$composition>::launch();
            move || launch.wait().map(drop)
        }) as Box<dyn FnOnce() -> Result<(), Error>>),*];
        launches.map(|launch| launch().expect_err("it is never ready"))
    }};
}

/// What is said of a check that failed as often as it may.
const OFTEN: &str = "a readiness check failed as often as `failures` allows";

#[track_caller]
fn assert_says(error: &Error, kind: ErrorKind, service: &str, parts: &[&str]) {
    let text = error.to_string();
    assert_eq!(error.kind(), kind, "{text}");
    assert_eq!(error.service(), Some(service), "{text}");
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing: {text}");
    }
}

#[track_caller]
fn assert_shows_log<L: AsRef<str>>(error: &Error, log: &[L]) {
    let text = error.to_string();
    let log: Vec<&str> = log.iter().map(AsRef::as_ref).collect();
    assert_eq!(error.log_lines(), log, "{text}");
    for line in log {
        assert!(text.contains(&format!("| {line}")), "{text}");
    }
}

// Listens after three seconds; a connection to its published port is taken by the engine's proxy long before that.
#[seatrial::test(timeout = "2m")]
fn a_service_that_listens_late_is_not_ready_before(
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "late", AFTER = 3),
        command = "{source}/tests/fixtures/serve.pl 4000"
    )]
    late: Service,
) {
    // No second attempt.
    assert_eq!(
        ask(late.addr(), "hello").expect("it answers"),
        "hello from late"
    );
    late.wait_log("listening on 4000").wait().expect("its log");
}

#[derive(Composition)]
struct EachKind {
    #[service(
        image = "debian:bookworm-slim",
        ports(4000, web = 4001),
        command = "{source}/tests/fixtures/serve.pl 4000 4001",
        ready(tcp = web),
    )]
    tcp: Service,

    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "echo ready; echo not; sleep 0.3; echo ready again >&2; exec sleep infinity"],
        ready(log = "ready", times = 2),
    )]
    log: Service,

    #[service(
        image = "debian:bookworm-slim",
        ports(4000, web = 4001),
        command = "{source}/tests/fixtures/serve.pl 4000 4001",
        ready(http = "/418?now", status = 418, port = web),
    )]
    http: Service,

    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "sleep 0.3; echo x >/run/flag; exec sleep infinity"],
        ready(exec = "test -s /run/flag && test {self.host} = exec", interval = "50ms"),
    )]
    exec: Service,

    #[service(
        image = "localhost/seatrial/healthcheck:1",
        command = ["sh", "-c", "sleep 0.3; touch /run/healthy; exec sleep infinity"],
        ready(healthcheck),
    )]
    healthcheck: Service,

    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        command = "{source}/tests/fixtures/serve.pl 4000",
        ready(
            image = "debian:bookworm-slim",
            run = "perl -MIO::Socket::INET -e 'IO::Socket::INET->new(PeerAddr => shift) or die' {self}"
        )
    )]
    probe: Service,

    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "hook"),
        command = "{source}/tests/fixtures/serve.pl 4000",
        ready(with = checks::answers),
    )]
    hook: Service,

    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "several"),
        command = "{source}/tests/fixtures/serve.pl 4000",
        ready(
            tcp,
            log = "listening",
            http = "/",
            exec = ["true"],
            with = checks::answers,
            delay = "10ms",
            interval = "20ms",
            successes = 3,
            failures = 500,
            timeout = "1m",
        ),
    )]
    several: Service,
}

mod checks {
    use super::{Service, ask};

    /// Looks at the service in every way that a user's function may want to.
    pub(super) async fn answers(service: &Service) -> anyhow::Result<()> {
        let log = service.logs().await?;
        anyhow::ensure!(log.contains("listening"), "it does not listen yet");
        let output = service.exec(["cat", "/proc/1/comm"]).await?;
        anyhow::ensure!(output.stdout == "serve.pl\n", "it runs {output:?}");
        let answer = ask(service.addr(), "hello")?;
        anyhow::ensure!(answer.starts_with("hello from"), "it says {answer}");
        ask(service.addr(), "say checked")?;
        // What needs tokio finds it.
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        Ok(())
    }

    pub(super) async fn never(_: &Service) -> Result<(), String> {
        Err("no schema yet".to_owned())
    }

    pub(super) async fn is_whole(service: &Service) -> Result<(), String> {
        let test = service.exec(["test", "-e", "/run/broken"]).await;
        match test.expect("it runs").success() {
            true => Err("no schema yet".to_owned()),
            false => Ok(()),
        }
    }
}

#[seatrial::test(timeout = "2m")]
fn each_kind_succeeds_once_it_holds(all: EachKind) {
    for service in [&all.tcp, &all.http] {
        ask(service.addr_of(4000), "hello").expect("it answers");
    }
    let log = all.log.logs().wait().expect("its log");
    assert!(log.contains("ready again"), "{log}");
    for (service, flag) in [(&all.exec, "/run/flag"), (&all.healthcheck, "/run/healthy")] {
        let there = service.exec(["test", "-e", flag]).wait().expect("it runs");
        assert!(there.success(), "{flag}");
    }
    ask(all.probe.addr(), "hello").expect("it answers");
    // It was asked once, and is not asked again.
    ask(all.hook.addr(), "say so far").expect("it answers");
    all.hook.wait_log("so far").wait().expect("its log");
    let log = all.hook.logs().wait().expect("its log");
    assert_eq!(log.matches("checked").count(), 1, "{log}");
    // Each check must hold three times in a row.
    ask(all.several.addr(), "say so far").expect("it answers");
    all.several.wait_log("so far").wait().expect("its log");
    let log = all.several.logs().wait().expect("its log");
    assert!(log.matches("checked").count() >= 3, "{log}");

    let mut web = TcpStream::connect(all.http.addr_of("web")).expect("a connection");
    web.write_all(b"GET /204 HTTP/1.1\r\n\r\n")
        .expect("a request");
    let mut answer = String::new();
    web.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}

/// One composition per check, of a service that runs and is never ready.
mod never {
    use super::*;

    #[derive(Composition)]
    pub(super) struct Tcp {
        #[service(
            image = "debian:bookworm-slim",
            ports(4000, admin = 4001),
            command = "{source}/tests/fixtures/serve.pl 4000",
            ready(tcp = admin, interval = "10ms", failures = 3)
        )]
        service: Service,
    }

    /// A log is followed: there are no failures to count.
    #[derive(Composition)]
    pub(super) struct Log {
        #[service(
            image = "debian:bookworm-slim",
            command = ["sh", "-c", "seq 30; exec sleep infinity"],
            ready(log = "30", times = 2, timeout = "15s"),
        )]
        service: Service,
    }

    /// What it answers is seen only once it listens, which no number of failures is certain to outlast.
    #[derive(Composition)]
    pub(super) struct Http {
        #[service(
            image = "debian:bookworm-slim",
            port = 4000,
            command = "{source}/tests/fixtures/serve.pl 4000",
            ready(http = "/503", timeout = "15s")
        )]
        service: Service,
    }

    #[derive(Composition)]
    pub(super) struct Probe {
        #[service(
            image = "debian:bookworm-slim",
            command = ["sh", "-c", "echo begun; exec sleep infinity"],
            ready(
                image = "debian:bookworm-slim",
                run = "echo not from here; exit 4",
                interval = "10ms",
                failures = 2,
            ),
        )]
        service: Service,
    }

    #[derive(Composition)]
    pub(super) struct NoHealthcheck {
        #[service(
            image = "debian:bookworm-slim",
            command = ["sh", "-c", "echo begun; exec sleep infinity"],
            ready(healthcheck, timeout = "10m"),
        )]
        service: Service,
    }
}

#[seatrial::test]
fn a_kind_that_never_holds_fails_when_its_time_is_up_or_at_the_last_failure() {
    use ErrorKind::NotReady;
    let [tcp, log, http, probe] = failures![never::Tcp, never::Log, never::Http, never::Probe];
    let says = |error: &Error, parts: &[&str]| assert_says(error, NotReady, "service", parts);
    says(
        &tcp,
        &[OFTEN, "4001: connection refused", "raise `failures`"],
    );
    says(
        &probe,
        &[OFTEN, "debian:bookworm-slim", "exit code 4: not from here"],
    );
    let late = "the service was not ready within";
    says(
        &log,
        &[late, "\"30\"", "seen once so far", "timeout = \"2m\""],
    );
    let numbers: Vec<String> = (11..=30).map(|number| number.to_string()).collect();
    assert_shows_log(&log, &numbers);
    says(&http, &[late, "/503", "503"]);
    assert_shows_log(&http, &["begun", "listening on 4000"]);
}

/// Services that are ready at the first look, and stay so until `/run/broken` is there.
#[derive(Composition)]
struct Breakable {
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "echo begun; exec sleep infinity"],
        ready(
            exec = "test ! -e /run/broken && exit; echo no such table >&2; exit 3",
            interval = "10ms",
            failures = 3,
            timeout = "10m",
        ),
    )]
    exec: Service,

    #[service(
        image = "localhost/seatrial/healthcheck:1",
        command = ["sh", "-c", "echo begun; exec sleep infinity"],
        files("/run/healthy" = ""),
        ready(healthcheck, interval = "10ms", failures = 3, timeout = "10m"),
    )]
    healthcheck: Service,

    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "echo begun; exec sleep infinity"],
        ready(with = checks::is_whole, interval = "10ms", failures = 3, timeout = "10m"),
    )]
    hook: Service,
}

#[seatrial::test]
fn a_kind_that_does_not_hold_any_more_fails(all: Breakable) {
    for (name, service, check, saw) in [
        (
            "exec",
            &all.exec,
            "/run/broken",
            "exit code 3: no such table",
        ),
        ("healthcheck", &all.healthcheck, "healthcheck", ""),
        ("hook", &all.hook, "checks::is_whole", "no schema yet"),
    ] {
        service.ready().wait().expect("it holds");
        service.wait_log("begun").wait().expect("it has begun");
        let breaking = ["sh", "-c", "rm -f /run/healthy; touch /run/broken"];
        service.exec(breaking).wait().expect("it runs");
        let error = service.ready().wait().expect_err("it is broken");
        let parts = [OFTEN, check, saw, "raise `failures`"];
        assert_says(&error, ErrorKind::NotReady, name, &parts);
        assert_shows_log(&error, &["begun"]);
    }
}

#[seatrial::test]
fn what_cannot_succeed_is_not_waited_for() {
    // Known at once, perhaps before the service has said a word.
    let [healthcheck] = failures![never::NoHealthcheck];
    let parts = [
        "can never hold",
        "healthcheck",
        "the image has no HEALTHCHECK",
    ];
    assert_says(&healthcheck, ErrorKind::NotReady, "service", &parts);
}

/// One composition per check, of a service that ends at once. Nobody waits for the ten minutes.
mod ended {
    use super::*;

    #[derive(Composition)]
    pub(super) struct Tcp {
        #[service(
            image = "debian:bookworm-slim",
            port = 4000,
            command = ["sh", "-c", "echo cannot open the file; exit 42"],
            ready(timeout = "10m"),
        )]
        service: Service,
    }

    #[derive(Composition)]
    pub(super) struct Log {
        #[service(
            image = "debian:bookworm-slim",
            command = ["sh", "-c", "echo cannot open the file >&2; exit 42"],
            ready(log = "ready", timeout = "10m"),
        )]
        service: Service,
    }

    #[derive(Composition)]
    pub(super) struct Http {
        #[service(
            image = "debian:bookworm-slim",
            port = 4000,
            command = ["sh", "-c", "sleep 1; echo cannot open the file; exit 42"],
            ready(http = "/", timeout = "10m"),
        )]
        service: Service,
    }

    #[derive(Composition)]
    pub(super) struct Exec {
        #[service(
            image = "debian:bookworm-slim",
            command = ["sh", "-c", "sleep 1; echo cannot open the file; exit 42"],
            ready(exec = ["sleep", "infinity"], timeout = "10m"),
        )]
        service: Service,
    }

    #[derive(Composition)]
    pub(super) struct Healthcheck {
        #[service(
            image = "localhost/seatrial/healthcheck:1",
            command = ["sh", "-c", "sleep 1; echo cannot open the file; exit 42"],
            ready(healthcheck, timeout = "10m"),
        )]
        service: Service,
    }

    #[derive(Composition)]
    pub(super) struct Probe {
        #[service(
            image = "debian:bookworm-slim",
            command = ["sh", "-c", "sleep 1; echo cannot open the file; exit 42"],
            ready(image = "debian:bookworm-slim", run = "sleep infinity", timeout = "10m"),
        )]
        service: Service,
    }

    #[derive(Composition)]
    pub(super) struct Hook {
        #[service(
            image = "debian:bookworm-slim",
            command = ["sh", "-c", "sleep 1; echo cannot open the file; exit 42"],
            ready(with = checks::never, timeout = "10m"),
        )]
        service: Service,
    }

    /// Without a port and a check it is enough to run, and it does not.
    #[derive(Composition)]
    pub(super) struct Nothing {
        #[service(
            image = "debian:bookworm-slim",
            command = ["sh", "-c", "echo cannot open the file; exit 42"],
            ready(running, delay = "9m", timeout = "10m"),
        )]
        service: Service,
    }

    #[derive(Composition)]
    pub(super) struct Memory {
        #[service(
            image = "debian:bookworm-slim",
            memory = "16m",
            command = ["perl", "-e", "$| = 1; print qq(hungry\n); my $size = 1 << 28; my $x = 'x' x $size; sleep"],
            ready(log = "fed", timeout = "10m"),
        )]
        service: Service,
    }
}

#[seatrial::test]
fn each_kind_fails_when_the_service_ends() {
    let errors = failures![
        ended::Tcp,
        ended::Log,
        ended::Http,
        ended::Exec,
        ended::Healthcheck,
        ended::Probe,
        ended::Hook,
        ended::Nothing,
    ];
    let how = ["the container exited with code 42 before the service was ready"];
    for error in &errors {
        assert_says(error, ErrorKind::Exited, "service", &how);
        assert_shows_log(error, &["cannot open the file"]);
        // What a check saw of a container that ended would lead astray.
        let text = error.to_string();
        assert!(
            !text.contains("refused") && !text.contains("is not running"),
            "{text}"
        );
    }
    let [memory] = failures![ended::Memory];
    // Whether it says that it was the memory or that it may have been is the engine's to know.
    let how = [
        "the container was killed",
        "more memory than its limit",
        "16 MiB",
        "raise `memory = ..`",
    ];
    assert_says(&memory, ErrorKind::Exited, "service", &how);
    assert_shows_log(&memory, &["hungry"]);
}
