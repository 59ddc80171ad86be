//! Endings by a signal where the supervisor is in the test's process, of the test executable as it is: then the process
//! handles the signal, and is gone once everything else is.

use std::os::unix::process::{CommandExt, ExitStatusExt};

use libc::{SIGHUP, SIGINT, SIGKILL, SIGTERM};
use seatrial_tests::child::is_gone;
use seatrial_tests::engine;

use crate::ended::Ended;
use crate::gate::Gate;
use crate::image::{Building, Making, building, has_image, making};
use crate::run::{Run, rounds, until};
use crate::running::Running;

/// What is said at a signal is one line, and it says all: no test fails for it.
#[track_caller]
fn ended_quietly_by(ended: Ended, signal: libc::c_int, name: &str) {
    ended
        .was_ended_by(signal)
        .said_once("seatrial:")
        .said_once(&format!(
            "seatrial: {name}: removing what was started; once more ends this at once"
        ))
        .did_not_say("panicked")
        .did_not_say("FAILED")
        .did_not_say("the last lines");
}

fn in_process(case: &str) -> Run {
    Run::direct(case).in_process()
}

fn launched(case: &str) -> Running {
    let mut run = in_process(case).spawn();
    run.until_recorded();
    run
}

#[test]
fn a_signal_to_a_test_that_waits_leaves_nothing() {
    rounds(|| {
        for (signal, name) in [(SIGINT, "SIGINT"), (SIGTERM, "SIGTERM"), (SIGHUP, "SIGHUP")] {
            let run = launched("waits");
            run.signal(signal);
            ended_quietly_by(run.end().had_services(), signal, name);
        }
    });
}

#[test]
fn a_signal_to_a_test_that_works_leaves_nothing() {
    rounds(|| {
        for no_capture in [false, true] {
            let mut run = in_process("works");
            if no_capture {
                run.command.arg("--no-capture");
            }
            let mut run = run.spawn();
            run.until_recorded();
            run.signal_group(SIGINT);
            ended_quietly_by(run.end().had_services(), SIGINT, "SIGINT");
        }
    });
}

#[test]
fn a_signal_during_a_launch_leaves_nothing() {
    rounds(|| {
        // At each moment of it: with nothing, and with one, two and three containers.
        for (signal, name, containers) in [
            (SIGTERM, "SIGTERM", 1),
            (SIGINT, "SIGINT", 2),
            (SIGTERM, "SIGTERM", 3),
        ] {
            let mut run = in_process("is_never_ready").spawn();
            run.until("there are containers", |run| {
                (engine::containers(&run.id).len() >= containers).then_some(())
            });
            run.signal_group(signal);
            ended_quietly_by(run.end(), signal, name);
        }
        let mut run = in_process("is_never_ready").spawn();
        run.until("the second service waits for its readiness", |run| {
            (engine::running(&run.id) == 2).then_some(())
        });
        run.signal(SIGINT);
        ended_quietly_by(run.end(), SIGINT, "SIGINT");
    });
}

#[test]
fn a_signal_while_an_image_is_made_leaves_nothing() {
    rounds(|| {
        let Making { run, processes } = making(in_process("image_is_made"));
        run.signal(SIGTERM);
        run.end()
            .was_ended_by(SIGTERM)
            .said_once("SIGTERM: removing")
            .did_not_say("panicked");
        for process in processes {
            until("the script's end", || is_gone(process).then_some(()));
        }
    });
}

#[test]
fn a_signal_while_an_image_is_built_leaves_nothing() {
    rounds(|| {
        let Building { run, image } = building(in_process("image_is_made"));
        run.signal(SIGTERM);
        run.end()
            .was_ended_by(SIGTERM)
            .said_once("SIGTERM: removing");
        assert!(!has_image(&image), "what the first step has made is left");
    });
}

#[test]
fn signals_that_arrive_together_count_once() {
    rounds(|| {
        let mut run = launched("waits");
        run.signal_at_once(&[SIGTERM, SIGHUP]);
        let ended = run.end().had_services();
        // Which of them is the first is the kernel's to say.
        match ended.status.signal() {
            Some(SIGHUP) => ended_quietly_by(ended, SIGHUP, "SIGHUP"),
            _ => ended_quietly_by(ended, SIGTERM, "SIGTERM"),
        }
    });
}

#[test]
fn a_second_signal_ends_the_process_at_once() {
    rounds(|| {
        let mut run = in_process("waits");
        let gate = Gate::before(&mut run);
        let mut run = run.spawn();
        run.until_recorded();
        gate.close();
        run.signal(SIGINT);
        run.until_said("SIGINT: removing");
        run.until("the engine is asked about what is to go", |_| {
            gate.holds("/containers/").then_some(())
        });
        // The engine does not answer, so nothing but another signal can end it.
        until("its end", || {
            run.signal(SIGINT);
            run.has_ended().then_some(())
        });
        ended_quietly_by(run.end_abandoned(), SIGINT, "SIGINT");
    });
}

#[test]
fn what_a_killed_process_leaves_is_removed_by_the_next_run() {
    rounds(|| {
        let run = launched("waits");
        run.signal(SIGKILL);
        run.end_abandoned().was_ended_by(SIGKILL).had_services();
    });
}

#[test]
fn a_signal_to_a_process_that_is_ending_leaves_nothing() {
    rounds(|| {
        let mut run = in_process("passes_when_told");
        let gate = Gate::before(&mut run);
        let mut run = run.spawn();
        run.until_recorded();
        gate.close();
        run.go();
        // Said just before the exit handlers run.
        run.until_said("test result: ok");
        run.signal(SIGTERM);
        run.until_said("SIGTERM: removing");
        gate.open();
        ended_quietly_by(run.end().had_services(), SIGTERM, "SIGTERM");
    });
}

#[test]
fn a_signal_that_is_ignored_stays_so() {
    rounds(|| {
        let mut run = in_process("waits");
        // SAFETY: between fork and exec, this calls one function, which is async-signal-safe.
        unsafe {
            run.command.pre_exec(|| {
                libc::signal(SIGHUP, libc::SIG_IGN);
                Ok(())
            });
        }
        let mut run = run.spawn();
        run.until_recorded();
        run.signal(SIGHUP);
        run.signal(SIGTERM);
        ended_quietly_by(run.end().had_services(), SIGTERM, "SIGTERM");
    });
}

#[test]
fn a_signal_that_the_process_handles_itself_stays_its_own() {
    rounds(|| {
        let ended = in_process("handles_the_signal_itself").end();
        ended.exited(0).had_services().did_not_say("seatrial:");
    });
}

#[test]
fn a_signal_whose_message_nobody_reads_leaves_nothing() {
    rounds(|| {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let errors = writer.try_clone().expect("a second handle");
        let mut run = in_process("works").with_output(writer, errors).spawn();
        run.until_recorded();
        drop(reader);
        run.signal(SIGINT);
        run.end().was_ended_by(SIGINT).had_services();
    });
}
