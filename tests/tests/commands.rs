//! Commands with variables, a user, a directory and an input of their own. (Plain ones: `handles.rs`.)

use std::time::{Duration, Instant};

use seatrial::{Composition, Error, ErrorKind, Exec, Service};

#[derive(Composition)]
struct Idle {
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        env(COLOUR = "red", NAME = "idle"),
        ready(running)
    )]
    idle: Service,
}

/// Prints what was given to it beside its arguments.
const TELL: &str = "echo $COLOUR $NAME $SHAPE; id -un; pwd; cat";

fn equipped(service: &Service) -> Exec {
    service
        .exec(["sh", "-c", TELL])
        .env("COLOUR", "green")
        .env("COLOUR", "blue = green")
        .env("SHAPE", "")
        .user("nobody")
        .workdir("/usr/lib")
        .stdin("said and done")
}

const TOLD: &str = "blue = green idle\nnobody\n/usr/lib\nsaid and done";

#[seatrial::test]
fn a_command_has_what_it_is_given(idle: Idle) -> Result<(), Error> {
    let idle = &idle.idle;
    assert_eq!(equipped(idle).wait()?.stdout, TOLD);
    let plain = idle.exec(["sh", "-c", TELL]).wait()?;
    assert_eq!(plain.stdout, "red idle\nroot\n/\n", "{}", plain.stderr);
    let id = idle.exec(["id", "-u"]).user("1234:1").wait()?;
    assert_eq!(id.stdout, "1234\n");
    // An empty input ends, too.
    let none = idle.exec(["wc", "-c"]).stdin("").wait()?;
    assert_eq!(none.stdout, "0\n");
    let debug = format!("{:?}", equipped(idle));
    assert!(
        debug.contains("COLOUR") && debug.contains("nobody"),
        "{debug}"
    );
    assert!(
        !debug.contains("green") && !debug.contains("said"),
        "{debug}"
    );
    Ok(())
}

#[seatrial::test]
async fn a_command_begins_when_it_is_awaited_or_spawned(idle: Idle) -> Result<(), Error> {
    let idle = &idle.idle;
    assert_eq!(equipped(idle).await?.stdout, TOLD);

    let touch = |name: &str| idle.exec(["touch", name]).workdir("/tmp");
    drop(touch("dropped"));
    let kept = touch("kept");
    let spawned = touch("spawned").spawn();
    // One that is dropped then goes on.
    drop(
        idle.exec(["sh", "-c", "cat >/tmp/let-go"])
            .stdin("on")
            .spawn(),
    );
    spawned.await?;
    let there = async || idle.exec(["ls", "/tmp"]).await.map(|ls| ls.stdout);
    while !there().await?.contains("let-go") {}
    assert_eq!(there().await?, "let-go\nspawned\n");
    kept.await?;
    assert_eq!(there().await?, "kept\nlet-go\nspawned\n");
    Ok(())
}

/// 8 MB in which no part is like another: more than is under way at once.
fn large() -> Vec<u8> {
    let numbers = 0..1_000_000_u64;
    numbers.flat_map(u64::to_le_bytes).collect()
}

#[seatrial::test]
async fn an_input_of_100_mb_goes_in_while_as_much_comes_out(idle: Idle) -> Result<(), Error> {
    const SIZE: usize = 100_000_000;
    let copy = idle
        .idle
        .exec(["sh", "-c", "tee /dev/stderr | wc -c"])
        .stdin(vec![b'x'; SIZE])
        .await?;
    assert_eq!((copy.code, copy.stdout.trim()), (0, "100000000"));
    let kept = copy.stderr.matches('x').count() as u64;
    assert_eq!(kept + copy.truncated, SIZE as u64);
    Ok(())
}

#[seatrial::test]
fn a_large_input_is_whole_also_where_the_outputs_are_closed(idle: Idle) -> Result<(), Error> {
    let idle = &idle.idle;
    let whole = idle.exec(["sha256sum"]).stdin(large()).wait()?;
    let late = "exec >/tmp/large 2>&1; cat; sync /tmp/large; mv /tmp/large /tmp/whole";
    idle.exec(["sh", "-c", late]).stdin(large()).wait()?;
    let of_file = idle.exec(["sh", "-c", "sha256sum </tmp/whole; stat -c %s /tmp/whole"]);
    let expected = format!("{}8000000\n", whole.stdout);
    assert_eq!(of_file.wait()?.stdout, expected);
    Ok(())
}

#[seatrial::test]
async fn a_command_that_does_not_read_its_input_ends_when_it_does(idle: Idle) -> Result<(), Error> {
    let begun = Instant::now();
    for (command, code) in [
        ("exit 7", 7),
        ("head -c 10", 0),
        ("sleep 1", 0),
        ("exec <&-; sleep 1; exit 3", 3),
        ("kill -9 $$", 137),
    ] {
        let exec = idle.idle.exec(["sh", "-c", command]).stdin(large());
        assert_eq!(exec.await?.code, code, "{command}");
    }
    assert!(
        begun.elapsed() < Duration::from_secs(60),
        "{:?}",
        begun.elapsed()
    );
    Ok(())
}

/// What is wrong, and what to do.
#[track_caller]
fn assert_refused(error: &Error, parts: &[&str]) {
    assert_eq!(error.kind(), ErrorKind::Operation, "{error}");
    assert_eq!(error.service(), Some("idle"), "{error}");
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in {text}");
    }
}

const COMMAND: &str = "cannot run `true` in the container";

#[seatrial::test]
fn what_a_command_cannot_be_given_is_told(idle: Idle) {
    let idle = &idle.idle;
    let refused = |exec: Exec, parts: &[&str]| {
        let without_input = exec.clone().wait().expect_err("it is refused");
        assert_refused(&without_input, parts);
        let with_input = exec.stdin(vec![0; 10_000_000]).wait();
        assert_refused(&with_input.expect_err("it is refused"), parts);
    };
    let exec = || idle.exec(["true"]).env("API_KEY", "albatross-17");
    refused(
        exec().user("gnome"),
        &[COMMAND, "gnome", "help: check `user(\"gnome\")`"],
    );
    refused(
        exec().user("nobody:gnomes"),
        &[COMMAND, "gnomes", "help: check `user(\"nobody:gnomes\")`"],
    );
    refused(
        exec().workdir("/none/here"),
        &[
            COMMAND,
            "/none/here",
            "help: check `workdir(\"/none/here\")`",
        ],
    );
    refused(
        exec().workdir("here"),
        &[COMMAND, "`here` is not an absolute path", "help: "],
    );
    refused(
        exec().env("A=B", "c"),
        &[
            COMMAND,
            "`A=B` is not a valid name of an environment variable",
            "help: ",
        ],
    );
    refused(
        exec().env("", "c"),
        &[COMMAND, "`` is not a valid name", "help: "],
    );
    refused(
        idle.exec([""; 0]),
        &["cannot run an empty command", "help: name an executable"],
    );
    refused(
        idle.exec(["no-such-albatross-17"])
            .env("API_KEY", "albatross-17"),
        &["`no-such-[hidden]`", "help: name an executable"],
    );
}

#[seatrial::test]
async fn a_command_needs_a_container_that_runs(idle: Idle) -> Result<(), Error> {
    let idle = &idle.idle;
    let refused = async || {
        let error = idle.exec(["true"]).stdin("in").await;
        error.expect_err("it is refused")
    };
    idle.pause().await?;
    assert_refused(
        &refused().await,
        &[COMMAND, "is paused", "help: call `unpause()`"],
    );
    idle.unpause().await?;
    idle.kill().await?;
    assert_refused(
        &refused().await,
        &[COMMAND, "is not running", "help: call `start()`"],
    );
    Ok(())
}
