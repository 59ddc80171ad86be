//! Endings of one's own accord, of the test executable as it is.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::panic::resume_unwind;
use std::process::Stdio;
use std::thread;

use seatrial_tests::engine;

use crate::run::{Run, rounds};

#[test]
fn a_test_that_passes_leaves_nothing() {
    rounds(|| {
        let ended = Run::direct("passes").end().exited(0).had_services();
        ended
            .said("test cases::passes ... ok")
            .did_not_say("seatrial:");
    });
}

#[test]
fn a_test_that_fails_leaves_nothing_and_shows_logs() {
    rounds(|| {
        let ended = Run::direct("returns_an_error")
            .end()
            .exited(101)
            .had_services();
        ended
            .said_once("the ship is not on the chart")
            .said_once("the last lines of service `db` of `Fleet`:")
            .said("    | calm sea")
            .said_once("the last lines of service `app` of `Fleet`:")
            .said("    | app of echo:7000 is up")
            .said_once("service `echo` of `Fleet` has logged nothing");
    });
}

#[test]
fn a_test_that_panics_leaves_nothing_and_shows_logs() {
    rounds(|| {
        for (case, why) in [
            ("panics", "the mast is broken"),
            ("panics_in_drop", "the powder is wet"),
        ] {
            let ended = Run::direct(case).end().exited(101).had_services();
            ended
                .said_once(why)
                .said_once("the last lines of service `db` of `Fleet`:");
        }
    });
}

#[test]
fn a_test_that_should_panic_leaves_nothing_and_says_nothing() {
    rounds(|| {
        let ended = Run::direct("panics_as_it_should").end().exited(0);
        ended.had_services().did_not_say("the last lines");
    });
}

#[test]
fn a_test_that_times_out_leaves_nothing_and_says_so() {
    rounds(|| {
        let cases = [
            "times_out",
            "times_out_blocking",
            "times_out_and_should_panic",
        ];
        // At once, for they do little but wait.
        let runs = cases.map(|case| {
            let run = thread::spawn(|| Run::end_out_of_time(|| Run::direct(case)));
            (case, run)
        });
        for (case, run) in runs {
            let ended = run.join().unwrap_or_else(|panic| resume_unwind(panic));
            let mut ended = ended.exited(101);
            if case != "times_out_blocking" {
                ended = ended.had_services();
            }
            let said = format!(
                "test timed out: `endings::cases::{case}` took longer than 10s: the function had not returned"
            );
            ended
                .said_once(&said)
                .said_once("the last lines of service `app` of `Fleet`:");
        }
    });
}

#[test]
fn an_async_test_that_times_out_drops_what_it_holds_before_its_services_go() {
    rounds(|| {
        let ended = Run::end_out_of_time(|| Run::direct("times_out"));
        ended.exited(101).said_once("farewell");
    });
}

#[test]
fn a_launch_that_fails_half_way_leaves_nothing_and_names_the_cause_once() {
    rounds(|| {
        for case in ["cannot_be_launched", "cannot_be_launched_and_should_panic"] {
            let ended = Run::direct(case).end().exited(101);
            ended
                .said_once("service `hull` of `Wreck`: the container exited with code 3")
                .said_once("    | a plank is missing")
                .said_once("not started because of it: `mast`");
        }
    });
}

#[test]
fn a_test_that_exits_leaves_nothing() {
    rounds(|| {
        Run::direct("exits_with_success")
            .end()
            .exited(0)
            .had_services();
        Run::direct("exits_with_failure")
            .end()
            .exited(1)
            .had_services();
    });
}

#[test]
fn a_test_that_exits_takes_another_that_is_launched_with_it() {
    rounds(|| {
        let mut run = Run::direct("exits_with_failure");
        run.command
            .args(["cases::is_never_ready", "--test-threads=2", "--no-capture"]);
        let ended = run.end().exited(1).had_services();
        ended.did_not_say("panicked").did_not_say("seatrial:");
    });
}

#[test]
fn two_tests_at_once_leave_nothing() {
    rounds(|| {
        let mut run = Run::direct("");
        run.command
            .args(["cases::pair::one", "cases::pair::two", "--test-threads=2"]);
        let ended = run.end().exited(0).had_services();
        ended.said("2 passed").did_not_say("seatrial:");
    });
}

#[test]
fn handles_that_are_never_dropped_keep_nothing() {
    rounds(|| {
        for case in ["leaks_its_handles", "launches_without_a_test"] {
            Run::direct(case).end().exited(0).had_services();
        }
    });
}

#[test]
fn an_output_that_nobody_reads_any_more_leaves_nothing() {
    rounds(|| {
        for case in ["passes_when_told", "fails_when_told"] {
            for also_errors in [false, true] {
                let (reader, writer) = std::io::pipe().expect("a pipe");
                let run = Run::direct(case);
                let errors: Stdio = if also_errors {
                    writer.try_clone().expect("a second handle").into()
                } else {
                    run.output_file().into()
                };
                let mut run = run.with_output(writer, errors).spawn();
                run.until_recorded();
                drop(reader);
                run.go();
                // What the harness makes of it is its own affair.
                run.end().had_services();
            }
        }
    });
}

#[test]
fn tests_leave_nothing_where_the_supervisor_is_in_their_process() {
    rounds(|| {
        for (case, code) in [
            ("passes", 0),
            ("returns_an_error", 101),
            ("panics", 101),
            ("exits_with_failure", 1),
        ] {
            let ended = Run::direct(case).in_process().end();
            ended.exited(code).had_services();
        }
        let ended = Run::end_out_of_time(|| Run::direct("times_out").in_process());
        ended.exited(101).had_services();
    });
}

#[test]
fn a_test_that_has_to_be_ended_leaves_nothing_where_the_supervisor_is_in_its_process() {
    rounds(|| {
        let ended = Run::end_out_of_time(|| Run::direct("times_out_blocking").in_process());
        ended
            .exited(101)
            .said_once("so the process ends")
            .said_once("the last lines of service `app` of `Fleet`:");
    });
}

/// Where the engine is reached by TCP, until this process ends.
fn engine_by_tcp() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.expect("a connection");
            let engine = engine::connect();
            let (mut to_client, mut to_engine) = (
                TcpStream::try_clone(&client).expect("a second handle"),
                engine.try_clone().expect("a second handle"),
            );
            let (mut from_client, mut from_engine) = (client, engine);
            // Each direction may go on when the other is over.
            std::thread::spawn(move || {
                let _ = io::copy(&mut from_client, &mut to_engine);
                let _ = to_engine.shutdown(Shutdown::Write);
            });
            std::thread::spawn(move || {
                let _ = io::copy(&mut from_engine, &mut to_client);
                let _ = to_client.shutdown(Shutdown::Write);
            });
        }
    });
    address
}

#[test]
fn a_test_at_an_engine_of_this_machine_by_tcp_passes_and_leaves_nothing() {
    let engine = format!("tcp://{}", engine_by_tcp());
    let mut run = Run::direct("passes");
    run.command.env("DOCKER_HOST", engine);
    run.end().exited(0).had_services();
}
