//! What a service logs: all at once, line by line as it comes, and a line that is waited for.

use futures_util::StreamExt as _;
use seatrial::{Composition, ErrorKind, LogLines, Service};
use seatrial_tests::child;
use seatrial_tests::conversation::ask;

#[derive(Composition)]
struct Speaker {
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        command = "{source}/tests/fixtures/serve.pl 4000"
    )]
    server: Service,
}

/// Where the next lines of a log are read until one is `text`.
async fn until(lines: &mut LogLines, text: &str) {
    loop {
        let line = lines
            .next()
            .await
            .expect("the log goes on")
            .expect("it can be read");
        if line.text == text {
            return;
        }
    }
}

#[seatrial::test]
async fn a_log_is_followed_while_it_grows_and_over_a_restart(
    Speaker { server }: Speaker,
) -> Result<(), seatrial::Error> {
    let mut lines = server.log_lines();
    assert_eq!(lines.next().await.expect("a line")?.text, "begun");
    until(&mut lines, "listening on 4000").await;
    for word in ["one", "two"] {
        ask(server.addr(), &format!("say {word}")).expect("it answers");
        assert_eq!(lines.next().await.expect("a line")?.text, word);
    }
    server.restart().await?;
    until(&mut lines, "ended by TERM").await;
    assert_eq!(lines.next().await.expect("a line")?.text, "begun");
    assert_eq!(
        lines.next().await.expect("a line")?.text,
        "listening on 4000"
    );
    ask(server.addr(), "say three").expect("it answers");
    assert_eq!(lines.next().await.expect("a line")?.text, "three");
    assert_eq!(
        server.logs().await?,
        "begun\nlistening on 4000\none\ntwo\nended by TERM\nbegun\nlistening on 4000\nthree\n"
    );
    Ok(())
}

#[seatrial::test(timeout = "2m")]
async fn a_line_is_waited_for(Speaker { server }: Speaker) -> Result<(), seatrial::Error> {
    // One that is there already: the first of those that match.
    assert_eq!(server.wait_log("begun").await?.text, "begun");
    let line = server.wait_log("e").await?;
    assert_eq!((line.stderr, line.text.as_str()), (false, "begun"));

    // One that is still to come, waited for by two.
    let (one, two) = (server.wait_log("chart"), server.wait_log("the chart"));
    ask(server.addr(), "say the chart is here").expect("it answers");
    assert_eq!(one.await?.text, "the chart is here");
    assert_eq!(two.await?.text, "the chart is here");

    // And one that comes only after a restart, which is waited for whether it is done or under way.
    let (done, under_way) = (server.wait_log("sextant"), server.wait_log("compass"));
    server.restart().await?;
    ask(server.addr(), "say sextant").expect("it answers");
    assert_eq!(done.await?.text, "sextant");
    let restarted = tokio::spawn(under_way);
    server.restart().await?;
    ask(server.addr(), "say compass").expect("it answers");
    let line = restarted.await.expect("no panic")?;
    assert_eq!(line.text, "compass");
    Ok(())
}

#[seatrial::test(timeout = "2m")]
fn a_line_that_cannot_come_any_more_is_not_waited_for(
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(SHIP_PASSWORD = "h0rnblower"),
        command = "{source}/tests/fixtures/serve.pl 4000"
    )]
    server: Service,
) -> Result<(), seatrial::Error> {
    ask(server.addr(), "say h0rnblower").expect("it answers");
    server.wait_log("h0rnblower").wait()?;
    let before = server.wait_log("land ahead");
    server.kill().wait()?;
    let after = server.wait_log("land ahead");
    for never in [before, after] {
        let error = never.wait().expect_err("it has ended");
        let text = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Operation, "{text}");
        assert_eq!(error.service(), Some("server"), "{text}");
        for part in [
            "no line of its log contains `land ahead`",
            "\n  the container exited with code 137\n",
            "| listening on 4000",
            "\n  help: look in its log for what ended it",
        ] {
            assert!(text.contains(part), "`{part}` is missing: {text}");
        }
        assert_eq!(error.log_lines().len(), 3, "{text}");
        assert!(!text.contains("h0rnblower"), "{text}");
    }
    // What it logged before it ended is there.
    assert_eq!(
        server.wait_log("listening").wait()?.text,
        "listening on 4000"
    );
    Ok(())
}

#[seatrial::test(timeout = "2m")]
fn a_service_is_not_removed_while_a_line_is_waited_for() {
    let Speaker { server } = Speaker::launch().wait().expect("it runs");
    let address = server.addr();
    let line = server.wait_log("land ahead");
    drop(server);
    // A launch takes longer than a removal that nothing holds back.
    drop(Talker::launch().wait().expect("it talks"));
    ask(address, "say land ahead").expect("it answers");
    assert_eq!(line.wait().expect("it is there").text, "land ahead");
}

#[derive(Composition)]
struct Talker {
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "echo out; echo err >&2; printf 'no end of line'; exec sleep infinity"],
        ready(log = "err"),
    )]
    talker: Service,
}

#[seatrial::test]
async fn a_log_is_iterated_and_tells_its_streams_apart() {
    let talker = Talker::launch().wait().expect("it talks").talker;
    let mut lines: Vec<_> = talker
        .log_lines()
        .wait_iter()
        .take(2)
        .map(|line| line.expect("it can be read"))
        .collect();
    lines.sort_by_key(|line| line.stderr);
    let texts: Vec<_> = lines
        .iter()
        .map(|line| (line.stderr, line.text.as_str()))
        .collect();
    assert_eq!(texts, [(false, "out"), (true, "err")]);

    // The same as a stream.
    let streamed: Vec<_> = talker.log_lines().take(2).collect().await;
    let mut streamed: Vec<_> = streamed.into_iter().flatten().collect();
    streamed.sort_by_key(|line| line.stderr);
    assert_eq!(streamed, lines);

    // What is not a line yet becomes one when the container ends; when it is gone, there are no more.
    let mut rest = talker.log_lines().wait_iter().skip(2);
    talker.kill().wait().expect("it runs");
    let last = rest.next().expect("a line").expect("it can be read");
    assert_eq!(last.text, "no end of line");
    drop(talker);
    assert!(rest.next().is_none());
}

/// Much of a line, whose end comes when something is written to `/end`.
#[derive(Composition)]
struct Chanter {
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "mkfifo /end; printf 'heave '; head -c 1000000 /dev/zero | tr '\\0' o; \
                                cat /end; echo ' away'; echo done; exec sleep infinity"],
        ready(log = "heave"),
    )]
    chanter: Service,
}

#[seatrial::test(timeout = "2m")]
async fn a_line_that_does_not_end_is_cut_and_says_so(
    Chanter { chanter }: Chanter,
) -> Result<(), seatrial::Error> {
    const LONGEST: usize = 64 * 1024;
    let cut = " [.. the rest of this line is cut]";
    // Before it ends, as it was ready before.
    let first = chanter.wait_log("heave ooo").await?;
    let shown = first.text.strip_suffix(cut).expect("it says so");
    assert_eq!(shown.len(), LONGEST);
    assert!(shown["heave ".len()..].bytes().all(|byte| byte == b'o'));

    let mut lines = chanter.log_lines();
    assert_eq!(lines.next().await.expect("a line")?, first);
    assert!(chanter.exec(["sh", "-c", "echo >/end"]).await?.success());
    let missing = "heave ".len() + 1_000_000 - LONGEST;
    let rest = lines.next().await.expect("a line")?.text;
    assert_eq!(
        rest,
        format!("[.. {missing} more bytes of this line are cut]")
    );
    assert_eq!(lines.next().await.expect("a line")?.text, " away");
    assert_eq!(lines.next().await.expect("a line")?.text, "done");
    Ok(())
}

/// Colours its log in the middle of the words, sets a title, and ends like that.
#[derive(Composition)]
struct Painter {
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", r"printf '\033]0;title\007\033[32mINFO\033[0m the ser\033[1mver\033[0m is ready\n'; \
                                 exec sleep infinity"],
        ready(log = "INFO the server is ready"),
    )]
    painter: Service,
}

#[seatrial::test]
async fn a_coloured_line_is_found_as_it_is_seen_and_handed_out_as_it_is(
    Painter { painter }: Painter,
) -> Result<(), seatrial::Error> {
    let line = painter.wait_log("the server is").await?;
    assert!(line.text.ends_with("ser\u{1b}[1mver\u{1b}[0m is ready"));
    assert_eq!(painter.logs().await?, format!("{line}\n"));
    painter.kill().await?;
    let error = painter.wait_log("[1m").await.expect_err("it is not seen");
    assert_eq!(error.log_lines(), ["INFO the server is ready"]);
    assert!(!error.to_string().contains('\u{1b}'), "{error:?}");
    Ok(())
}

/// Says in red what is wrong, wherever it is asked.
#[derive(Composition, Debug)]
struct Red {
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "exec sleep infinity"],
        ready(exec = r"printf '\033[2J\033[31mno schema\033[0m yet\n' >&2; exit 3", interval = "10ms", failures = 2),
    )]
    check: Service,
}

#[derive(Composition, Debug)]
struct RedSetup {
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", r"printf '\033[31mbegun\033[0m\n'; exec sleep infinity"],
        ready(log = "begun"),
        setup(exec = r"printf '\033[2J\033[31mno schema\033[0m yet\n' >&2; exit 3"),
    )]
    setup: Service,
}

#[seatrial::test]
fn what_a_command_says_in_colour_is_plain_in_an_error() {
    let check = Red::launch().wait().expect_err("it is never ready");
    let setup = RedSetup::launch().wait().expect_err("it is never set up");
    for text in [check.to_string(), setup.to_string()] {
        assert!(text.contains("no schema yet"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
    assert_eq!(setup.log_lines(), ["begun"]);
}

/// Says that it is ready at the beginning of a line that is too long for one piece and does not end.
#[derive(Composition)]
struct Mumbler {
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "printf READY; head -c 20000 /dev/zero | tr '\\0' o; exec sleep infinity"],
        ready(log = "READY"),
    )]
    mumbler: Service,
}

#[seatrial::test(timeout = "2m")]
fn a_line_that_does_not_end_counts_once_it_has_the_text(Mumbler { mumbler }: Mumbler) {
    assert!(
        mumbler
            .logs()
            .wait()
            .expect("its log")
            .starts_with("READYoo")
    );
}

/// Does not end the one line that it writes, which the engine shows to nobody.
#[derive(Composition, Debug)]
struct Whisperer {
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "printf READY; exec sleep infinity"],
        ready(log = "READY", timeout = "5s"),
    )]
    whisperer: Service,
}

#[seatrial::test]
fn a_short_line_that_does_not_end_is_not_seen_and_the_error_says_why() {
    let error = Whisperer::launch()
        .wait()
        .expect_err("its line does not end");
    let text = error.to_string();
    assert!(
        text.contains("the engine shows a line only once it is complete"),
        "{text}"
    );
}

/// Tests that fail with an error that has the log of their service.
mod told_once {
    use super::*;

    #[derive(Composition)]
    pub(super) struct Bell {
        #[service(
            image = "debian:bookworm-slim",
            command = ["sh", "-c", "echo ding dong; exec sleep infinity"],
            ready(log = "ding dong"),
        )]
        bell: Service,
    }

    #[seatrial::test]
    #[ignore = "run by the test below"]
    async fn it_is_returned(Bell { bell }: Bell) -> Result<(), seatrial::Error> {
        bell.kill().await?;
        bell.wait_log("never").await.map(drop)
    }

    #[seatrial::test]
    #[ignore = "run by the test below"]
    fn it_is_the_panic(Bell { bell }: Bell) {
        bell.kill().wait().expect("it runs");
        bell.wait_log("never").wait().expect("a line");
    }

    #[seatrial::test]
    #[ignore = "run by the test below"]
    fn it_was_expected(Bell { bell }: Bell) {
        bell.kill().wait().expect("it runs");
        let error = bell.wait_log("never").wait().expect_err("it is killed");
        assert!(error.to_string().is_empty(), "for another reason");
    }
}

#[test]
fn the_lines_of_an_error_are_not_repeated_in_the_report_of_the_failed_test() {
    let setting = "`logs_on_failure` in seatrial.toml";
    for (name, in_the_error) in [
        ("it_is_returned", true),
        ("it_is_the_panic", true),
        ("it_was_expected", false),
    ] {
        let verdict = child::run(&mut child::test(&format!("told_once::{name}")));
        let said = format!("{}{}", verdict.stdout, verdict.stderr);
        assert_eq!(said.matches("    | ding dong").count(), 1, "{said}");
        let see = "service `bell` of `Bell` are in the error above";
        assert_eq!(said.contains(see), in_the_error, "{said}");
        assert_eq!(said.contains(setting), !in_the_error, "{said}");
    }
}
