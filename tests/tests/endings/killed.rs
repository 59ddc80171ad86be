//! Endings by a signal, of the test executable as it is. The supervisor is a process of its own, so a signal ends the
//! test's process at once, whichever it is; and endings of the supervisor itself.

use libc::{SIGINT, SIGKILL, SIGTERM};
use seatrial_tests::child::is_gone;
use seatrial_tests::engine;

use crate::ended::Ended;
use crate::gate::Gate;
use crate::image::{Building, Making, building, has_image, making};
use crate::run::{Run, rounds};
use crate::running::Running;

const SIGNALS: [libc::c_int; 3] = [SIGKILL, SIGTERM, SIGINT];

/// Nothing of ours is said: the process had no time for it, and nobody else has its terminal.
#[track_caller]
fn ended_silently_by(ended: Ended, signal: libc::c_int) -> Ended {
    ended
        .was_ended_by(signal)
        .did_not_say("seatrial:")
        .did_not_say("panicked")
        .did_not_say("FAILED")
        .did_not_say("the last lines")
}

fn launched(case: &str) -> Running {
    let mut run = Run::direct(case).spawn();
    run.until_recorded();
    run
}

#[test]
fn a_test_that_waits_leaves_nothing() {
    rounds(|| {
        for signal in SIGNALS {
            let run = launched("waits");
            run.signal(signal);
            ended_silently_by(run.end(), signal).had_services();
        }
    });
}

#[test]
fn a_test_that_works_leaves_nothing() {
    rounds(|| {
        for signal in SIGNALS {
            let run = launched("works");
            run.signal_group(signal);
            ended_silently_by(run.end(), signal).had_services();
        }
    });
}

#[test]
fn a_launch_that_has_just_begun_leaves_nothing() {
    rounds(|| {
        for signal in SIGNALS {
            let mut run = Run::direct("is_never_ready").spawn();
            run.until_supervised();
            run.signal(signal);
            ended_silently_by(run.end(), signal);
        }
    });
}

#[test]
fn a_launch_that_is_half_done_leaves_nothing() {
    rounds(|| {
        for signal in SIGNALS {
            for containers in 1..=3 {
                let mut run = Run::direct("is_never_ready").spawn();
                run.until("there are containers", |run| {
                    (engine::containers(&run.id).len() >= containers).then_some(())
                });
                run.signal(signal);
                ended_silently_by(run.end(), signal);
            }
        }
    });
}

#[test]
fn an_image_that_is_being_made_leaves_nothing() {
    rounds(|| {
        for signal in SIGNALS {
            let Making { run, processes } = making(Run::direct("image_is_made"));
            run.signal(signal);
            let ended = run.end().was_ended_by(signal);
            ended.did_not_say("removing").did_not_say("panicked");
            let left: Vec<_> = processes.into_iter().filter(|it| !is_gone(*it)).collect();
            assert!(left.is_empty(), "the script goes on: {left:?}");
        }
    });
}

#[test]
fn an_image_that_is_being_built_leaves_nothing() {
    rounds(|| {
        let Building { run, image } = building(Run::direct("image_is_made"));
        run.signal(SIGKILL);
        run.end().was_ended_by(SIGKILL);
        assert!(!has_image(&image), "what the first step has made is left");

        let Building { mut run, image } = building(Run::direct("image_is_made"));
        run.kill_supervisor();
        run.end_abandoned().exited(101);
        assert!(!has_image(&image), "what the first step has made is left");
    });
}

#[test]
fn a_readiness_hook_that_runs_leaves_nothing() {
    rounds(|| {
        for signal in SIGNALS {
            let run = launched("busy::in_a_hook");
            run.signal(signal);
            ended_silently_by(run.end(), signal);
        }
    });
}

#[test]
fn a_command_that_runs_leaves_nothing() {
    rounds(|| {
        for signal in SIGNALS {
            let run = launched("busy::in_an_exec");
            run.signal(signal);
            ended_silently_by(run.end(), signal).had_services();
        }
    });
}

#[test]
fn a_copy_that_is_under_way_leaves_nothing() {
    rounds(|| {
        for signal in SIGNALS {
            let mut run = Run::direct("busy::in_a_copy");
            let gate = Gate::before(&mut run);
            let mut run = run.spawn();
            run.until_recorded();
            gate.close();
            run.go();
            run.until("the engine is asked to copy", |_| {
                gate.holds("/archive?").then_some(())
            });
            run.signal(signal);
            run.until_gone();
            gate.open();
            ended_silently_by(run.end(), signal).had_services();
        }
    });
}

#[test]
fn a_supervisor_that_is_killed_is_told_of_at_once() {
    rounds(|| {
        // What needs the supervisor when it is gone: the next call and the logs of a failed test; a call that waits; a
        // launch. One cause for all of them, told once.
        for case in [
            "works",
            "busy::in_an_exec",
            "busy::in_a_wait_for_a_line",
            "busy::in_a_hook",
        ] {
            let mut run = launched(case);
            let directory = run.path("runtime").join("seatrial");
            let mut own = std::fs::read_dir(directory).expect("a directory");
            let own = own.next().expect("one of the run").expect("an entry");
            run.kill_supervisor();
            let ended = run.end_abandoned().exited(101);
            let message = "lost the connection to the run's supervisor, which owns the services";
            let output = &ended.output;
            assert_eq!(output.matches(message).count(), 1, "{case}: {output}");
            assert_eq!(output.matches("help: ").count(), 1, "{case}: {output}");
            if case == "busy::in_a_wait_for_a_line" {
                let detail = "waiting for a line with `never` in the log of `app`";
                assert!(output.contains(detail), "{output}");
                assert!(!output.contains("no line of its log"), "{output}");
            }
            ended.said(&own.path().join("log").display().to_string());
        }
    });
}
