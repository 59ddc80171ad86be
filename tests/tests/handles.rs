//! What a handle tells of a service and does to it, as seen from the test and from another service. (Logs: `logs.rs`.)

use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use seatrial::{Composition, ErrorKind, Service};
use seatrial_tests::conversation::{Conversation, ask, ask_within};
use seatrial_tests::scratch::Scratch;

#[derive(Composition)]
struct Pair {
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "server"),
        command = "{source}/tests/fixtures/serve.pl 4000"
    )]
    server: Service,

    /// Another service, which sees the first one from the network.
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        needs(server),
        env(NAME = "witness"),
        command = "{source}/tests/fixtures/serve.pl 4000"
    )]
    witness: Service,
}

impl Pair {
    /// What the server answers, asked from this machine and from the other service.
    fn answers(&self, patience: Duration) -> [String; 2] {
        let here = ask_within(self.server.addr(), "hello", patience);
        let here = here.unwrap_or_else(|error| error.to_string());
        let question = format!("ask server:4000 {}", patience.as_secs());
        let there = ask(self.witness.addr(), &question).expect("the witness answers");
        [here, there]
    }

    #[track_caller]
    fn assert_answers(&self) {
        let answers = self.answers(Duration::from_secs(30));
        assert_eq!(answers, ["hello from server"; 2]);
    }

    /// Nothing refuses a connection to what is cut off: whoever asks has to give up.
    #[track_caller]
    fn assert_out_of_reach(&self) {
        let [here, there] = self.answers(Duration::from_secs(2));
        assert!(!here.contains("hello"), "{here}");
        assert!(there.starts_with("no "), "{there}");
    }
}

#[seatrial::test]
fn a_service_tells_where_it_is(pair: Pair) {
    let Pair { server, witness } = &pair;
    let port = server.port(4000);
    let host: IpAddr = server.host().parse().expect("an address");
    if host == IpAddr::from([127, 0, 0, 1]) {
        assert_ne!(port, 4000);
    } else {
        assert_eq!((host, port), (server.network_address(), 4000));
    }
    assert_eq!(server.addr(), SocketAddr::new(host, port));
    assert_ne!(server.addr(), witness.addr());
    assert_eq!(
        server.url("http", "/200"),
        format!("http://{host}:{port}/200")
    );
    assert_eq!(
        server.url("http", "200"),
        format!("http://{host}:{port}/200")
    );
    assert_eq!(
        server.url("http", "?a=b"),
        format!("http://{host}:{port}?a=b")
    );
    assert_eq!(server.url("redis", ""), format!("redis://{host}:{port}"));
    assert_eq!(server.name(), "server");
    assert_eq!(server.id().len(), 64);
    assert_ne!(server.id(), witness.id());
    assert_ne!(server.network_address(), witness.network_address());
    let debug = format!("{server:?}");
    assert!(
        debug.contains("server") && debug.contains(server.id()),
        "{debug}"
    );
    pair.assert_answers();
}

#[seatrial::test]
async fn stopped_started_restarted_killed(pair: Pair) -> Result<(), seatrial::Error> {
    let server = &pair.server;
    let where_it_is = |service: &Service| (service.addr(), service.network_address());
    let before = where_it_is(server);
    server.stop().await?;
    pair.assert_out_of_reach();
    server.wait_log("ended by TERM").await?;
    let error = server.exec(["true"]).await.expect_err("it does not run");
    assert_eq!(error.kind(), ErrorKind::Operation);
    // To stop what is stopped changes nothing.
    server.stop().await?;

    server.start().await?;
    pair.assert_answers();
    server.restart().await?;
    pair.assert_answers();
    server.kill().await?;
    pair.assert_out_of_reach();
    server.start().await?;
    pair.assert_answers();
    assert_eq!(where_it_is(server), before);
    // Stopping and restarting asked it to end, killing did not.
    ask(server.addr(), "say so far").expect("it answers");
    server.wait_log("so far").await?;
    assert_eq!(server.logs().await?.matches("ended by TERM").count(), 2);

    // What is running and ready stays so.
    server.start().await?;
    server.ready().await?;
    pair.assert_answers();
    Ok(())
}

#[seatrial::test]
fn signals_and_pauses(pair: Pair) -> Result<(), seatrial::Error> {
    let server = &pair.server;
    let mut lines = server.log_lines();
    // One after the other: a signal that is still pending is not sent twice.
    for signal in ["SIGHUP", "HUP"] {
        server.signal(signal).wait()?;
        while lines.wait_next().expect("the service runs")?.text != "got HUP" {}
    }
    let error = server
        .signal("SIGNONSENSE")
        .wait()
        .expect_err("no such signal");
    assert_eq!(error.kind(), ErrorKind::Operation);
    assert_eq!(error.service(), Some("server"));
    assert!(error.to_string().contains("SIGNONSENSE"), "{error}");

    let mut conversation = Conversation::begin(server.addr()).expect("a connection");
    server.pause().wait()?;
    conversation.send("hello").expect("the kernel takes it");
    let there = ask(pair.witness.addr(), "ask server:4000 3").expect("the witness answers");
    assert_eq!(there, "no answer");
    assert!(!conversation.has_heard().expect("a connection"));
    let error = server.exec(["true"]).wait().expect_err("it is frozen");
    assert!(error.to_string().contains("paused"), "{error}");
    let error = server.pause().wait().expect_err("it is paused");
    assert_eq!(error.kind(), ErrorKind::Operation);
    server.unpause().wait()?;
    assert_eq!(
        conversation.hear().expect("it goes on"),
        "hello from server"
    );
    pair.assert_answers();

    // A frozen service can be stopped and started; and it may be frozen when the test ends.
    server.pause().wait()?;
    server.stop().wait()?;
    pair.assert_out_of_reach();
    server.start().wait()?;
    pair.assert_answers();
    server.pause().wait()
}

#[seatrial::test]
fn cut_off_and_put_back(pair: Pair) -> Result<(), seatrial::Error> {
    let server = &pair.server;
    let address = server.network_address();
    server.disconnect().wait()?;
    pair.assert_out_of_reach();
    let error = server.disconnect().wait().expect_err("it is cut off");
    assert_eq!(error.kind(), ErrorKind::Operation);
    // The process does not notice.
    assert_eq!(
        server.exec(["cat", "/proc/1/comm"]).wait()?.stdout,
        "serve.pl\n"
    );
    server.reconnect().wait()?;
    server.ready().wait()?;
    pair.assert_answers();
    assert_eq!(server.network_address(), address);
    let seen = server.exec(["cat", "/proc/net/fib_trie"]).wait()?.stdout;
    assert!(seen.contains(&address.to_string()), "{seen}");

    // It may be cut off when the test ends.
    server.disconnect().wait()
}

#[seatrial::test]
async fn ready_tells_of_a_service_that_ended(
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        command = "{source}/tests/fixtures/serve.pl 4000",
        ready(tcp, timeout = "10m")
    )]
    server: Service,
) {
    server.ready().await.expect("it is ready");
    server.kill().await.expect("it is killed");
    let error = server.ready().await.expect_err("it has ended");
    assert_eq!(error.kind(), ErrorKind::Exited);
    assert_eq!(error.service(), Some("server"));
    assert!(error.to_string().contains("137"), "{error}");
}

#[seatrial::test]
fn commands_are_run_in_the_container(
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        ready(running)
    )]
    box_: Service,
) -> Result<(), seatrial::Error> {
    let output = box_
        .exec(["sh", "-c", "echo out; echo err >&2; echo more; exit 3"])
        .wait()?;
    assert_eq!(output.code, 3);
    assert!(!output.success());
    assert_eq!(output.stdout, "out\nmore\n");
    assert_eq!(output.stderr, "err\n");
    // No shell is involved.
    assert_eq!(
        box_.exec(["echo", "$HOME", "a  b"]).wait()?.stdout,
        "$HOME a  b\n"
    );
    assert!(box_.exec(["true"]).wait()?.success());
    let many = box_.exec(["seq", "200000"]).wait()?;
    assert_eq!(many.stdout.lines().count(), 200_000);
    assert_eq!(box_.exec(["sh", "-c", "kill -9 $$"]).wait()?.code, 137);

    let missing = box_
        .exec(["no-such-command", "x"])
        .wait()
        .expect_err("it is not there");
    assert_eq!(missing.kind(), ErrorKind::Operation);
    assert_eq!(missing.service(), Some("box_"));
    let text = missing.to_string();
    assert!(
        text.contains("no-such-command") && text.contains("help: "),
        "{text}"
    );

    // Several at once.
    let sums: Vec<_> = (0..8)
        .map(|i| {
            box_.exec([
                "sh".to_owned(),
                "-c".to_owned(),
                format!("echo $(({i} * 2))"),
            ])
            .spawn()
        })
        .collect();
    for (i, sum) in sums.into_iter().enumerate() {
        assert_eq!(sum.wait()?.stdout, format!("{}\n", i * 2));
    }
    Ok(())
}

fn write(path: &Path, text: &str, mode: u32) {
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
    std::fs::write(path, text).expect("a file");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
}

#[seatrial::test]
fn files_are_copied_in_and_out(
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        ready(running)
    )]
    box_: Service,
) -> Result<(), seatrial::Error> {
    let scratch = Scratch::new("copies");
    let here = |path: &str| scratch.path(path);
    write(&here("tree/run.sh"), "#!/bin/sh\necho it runs\n", 0o755);
    write(&here("tree/deep/secret"), "hidden\n", 0o600);
    std::fs::create_dir(here("tree/empty")).expect("a directory");

    box_.copy_in(here("tree"), "/srv/copies/tree").wait()?;
    box_.copy_in(here("tree/run.sh"), "/srv/single").wait()?;
    assert_eq!(
        box_.exec(["/srv/copies/tree/run.sh"]).wait()?.stdout,
        "it runs\n"
    );
    assert_eq!(box_.exec(["/srv/single"]).wait()?.stdout, "it runs\n");
    let modes = box_
        .exec([
            "sh",
            "-c",
            "cd /srv/copies/tree; stat -c '%a %F' run.sh deep/secret empty",
        ])
        .wait()?;
    assert_eq!(
        modes.stdout,
        "755 regular file\n600 regular file\n755 directory\n"
    );

    box_.exec([
        "sh",
        "-c",
        "echo new >/srv/copies/tree/deep/new; chown -R 1234:1234 /srv/copies",
    ])
    .wait()?;
    box_.copy_out("/srv/copies/tree", here("back")).wait()?;
    box_.copy_out("/srv/copies/tree/deep/new", here("far/away/file"))
        .wait()?;
    let text = |path: &str| std::fs::read_to_string(here(path)).expect(path);
    assert_eq!(text("back/run.sh"), "#!/bin/sh\necho it runs\n");
    assert_eq!(text("back/deep/new"), "new\n");
    assert_eq!(text("far/away/file"), "new\n");
    assert!(here("back/empty").is_dir());
    let owner = std::fs::metadata("/proc/self").expect("this process").uid();
    for (path, mode) in [("back/run.sh", 0o755), ("back/deep/secret", 0o600)] {
        let metadata = std::fs::metadata(here(path)).expect(path);
        assert_eq!(metadata.mode() & 0o777, mode, "{path}");
        assert_eq!(metadata.uid(), owner, "{path}");
    }

    let missing = box_
        .copy_in(here("nothing"), "/srv/x")
        .wait()
        .expect_err("nothing there");
    assert_eq!(missing.kind(), ErrorKind::Files);
    assert!(missing.to_string().contains("nothing"), "{missing}");
    let relative = box_
        .copy_in(here("tree"), "srv/x")
        .wait()
        .expect_err("where to?");
    assert!(relative.to_string().contains("absolute path"), "{relative}");
    let missing = box_
        .copy_out("/srv/nothing", here("x"))
        .wait()
        .expect_err("nothing there");
    assert!(missing.to_string().contains("/srv/nothing"), "{missing}");
    assert!(!here("x").exists());
    Ok(())
}

#[derive(Composition)]
struct SeveralPorts {
    #[service(
        image = "debian:bookworm-slim",
        command = "{source}/tests/fixtures/serve.pl 4000 4001",
        ports(4000, gauge = 4001)
    )]
    some_server: Service,

    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        needs(some_server),
        ready(running)
    )]
    neighbour: Service,
}

fn each_port_has_its_address(services: &SeveralPorts) {
    let server = &services.some_server;
    let host: IpAddr = server.host().parse().expect("an address");
    for (number, addr) in [
        (4000, server.addr_of(4000)),
        (4001, server.addr_of(4001)),
        (4001, server.addr_of("gauge")),
    ] {
        let expected = SocketAddr::new(host, server.port(number));
        assert_eq!(addr, expected);
        assert!(ask(addr, "hello").expect("it answers").contains("hello"));
    }
    assert_ne!(server.addr_of(4000), server.addr_of(4001));
    let at = server.addr_of("gauge").to_string();
    for (url, expected) in [
        (server.url_of("gauge", "http", "/a"), "http://AT/a"),
        (server.url_of(4001, "http", "a?b"), "http://AT/a?b"),
        (server.url_of("gauge", "redis", ""), "redis://AT"),
    ] {
        assert_eq!(url, expected.replace("AT", &at));
    }
}

#[seatrial::test]
fn a_service_with_several_ports_tells_of_each(
    services: SeveralPorts,
) -> Result<(), seatrial::Error> {
    each_port_has_its_address(&services);
    // The name is that on the network, not the field's.
    let server = &services.some_server;
    assert_eq!(server.name(), "some-server");
    let found = services
        .neighbour
        .exec(["getent", "hosts", server.name()])
        .wait()?;
    let address = server.network_address().to_string();
    assert!(found.stdout.contains(&address), "{}", found.stdout);
    Ok(())
}

#[seatrial::test]
async fn the_ports_of_a_service_are_told_in_an_async_test(services: SeveralPorts) {
    each_port_has_its_address(&services);
}

/// What a misuse says.
fn misuse(mistake: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(mistake)).expect_err("a mistake");
    panic.downcast_ref::<String>().expect("a text").clone()
}

#[seatrial::test]
fn misuse_says_what_to_write(
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        ready(running)
    )]
    none: Service,
    #[service(
        image = "debian:bookworm-slim",
        command = "{source}/tests/fixtures/serve.pl 4000 4001",
        ports(4000, gauge = 4001)
    )]
    several: Service,
) {
    let text = misuse(|| _ = several.port(1));
    assert_eq!(
        text,
        "service `several` declares no port 1; declare it with `port = ..` or `ports(..)` \
         (declared: 4000, gauge = 4001)"
    );
    let text = misuse(|| _ = several.port("gage"));
    assert!(
        text.contains("no port `gage`") && text.contains("gauge = 4001"),
        "{text}"
    );
    let text = misuse(|| _ = several.addr());
    assert!(
        text.contains("`several` declares several")
            && text.contains("choose one with `addr_of(..)`")
            && text.contains("gauge = 4001"),
        "{text}"
    );
    let text = misuse(|| _ = several.url("http", "/"));
    assert!(text.contains("choose one with `url_of(..)`"), "{text}");
    for text in [
        misuse(|| _ = several.addr_of("gage")),
        misuse(|| _ = several.url_of("gage", "http", "/")),
    ] {
        assert!(
            text.contains("no port `gage`") && text.contains("gauge = 4001"),
            "{text}"
        );
    }
    let text = misuse(|| _ = none.url("http", "/"));
    assert!(
        text.contains("`none` declares none") && text.contains("`port = ..`"),
        "{text}"
    );
}
