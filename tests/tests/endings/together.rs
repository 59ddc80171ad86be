//! Endings of one of several processes of a run: what it had alone goes, and what they share stays.

use std::process::Command;

use libc::SIGKILL;
use seatrial_tests::engine;
use serde_json::Value;

use crate::cases::RECORD;
use crate::ended::strings;
use crate::processes;
use crate::run::{Run, rounds, until};

/// Runs two tests side by side, and ends as the second does.
const SCRIPT: &str = "\
RECORD=\"$1.first\" \"$0\" --ignored --exact cases::busy::shares &
RECORD=\"$1.second\" \"$0\" --ignored --exact cases::busy::shares &
wait $!
";

/// Runs one test and, once its input has ended, another; and ends as that one does.
const ONE_AFTER_THE_OTHER: &str = "\
RECORD=\"$1.first\" \"$0\" --ignored --exact cases::busy::has_a_whole_ship &
read -r _
RECORD=\"$1.second\" exec \"$0\" --ignored --exact cases::busy::has_a_whole_ship
";

/// A run of this executable under a shell.
fn script(text: &str) -> Run {
    let executable = std::env::current_exe().expect("the path of this executable");
    let mut run = Run::new(Command::new("/bin/sh"));
    let record = run.path("record");
    run.command
        .arg("-c")
        .arg(text.replace("RECORD", RECORD))
        .args([&executable, &record]);
    run
}

/// Kills the process that has written this record.
#[track_caller]
fn kill(record: &Value) {
    let pid = record["pid"].as_u64().and_then(|pid| pid.try_into().ok());
    processes::signal(pid.expect("a process id"), SIGKILL);
}

fn is_there(run: &str, service: &Value) -> bool {
    let containers = engine::containers(run);
    containers.iter().any(|id| service == id.as_str())
}

#[test]
fn a_process_that_is_killed_takes_its_own_services_and_leaves_the_shared_ones() {
    rounds(|| {
        let mut run = script(SCRIPT).spawn();
        let [first, second] = ["record.first", "record.second"]
            .map(|name| run.until("its services are ready", |run| run.record_at(name)));
        assert_eq!(first["pier"], second["pier"]);
        assert_ne!(first["boat"], second["boat"]);

        kill(&first);
        until("its own service is gone", || {
            (!is_there(&run.id, &first["boat"])).then_some(())
        });
        assert!(is_there(&run.id, &second["boat"]));
        assert!(is_there(&run.id, &second["pier"]));

        run.go();
        run.end().exited(0).said("1 passed");
    });
}

#[test]
fn a_service_whose_setup_is_killed_half_way_is_set_up_afresh_for_who_waits() {
    rounds(|| {
        let (input, held) = std::io::pipe().expect("a pipe");
        let mut run = script(ONE_AFTER_THE_OTHER);
        run.command.stdin(input);
        let mut run = run.spawn();
        let half = run.until("its setup is half done", |run| {
            run.record_at("record.first")
        });
        drop(held);
        // A launch takes all that is shared, and starts all else, at the same moment: two cranes say that both wait for the dock.
        run.until("the other waits for the dock, too", |run| {
            (engine::containers(&run.id).len() == 3).then_some(())
        });
        kill(&half);

        // The first setup would have failed on a volume on which it was done before; the second begins once it was done.
        let fresh = run.until("the setup begins again", |run| {
            run.record_at("record.second")
        });
        assert_ne!(fresh["pid"], half["pid"]);
        assert_ne!(fresh["dock"], half["dock"]);
        let [old, new] = [&half, &fresh].map(|record| strings(&record["volumes"]));
        assert_eq!([old.len(), new.len()], [1, 1]);
        assert_ne!(old, new);
        until("the half-made one is gone", || {
            let is_left = is_there(&run.id, &half["dock"]) || engine::has_volume(&old[0]);
            (!is_left).then_some(())
        });
        assert!(is_there(&run.id, &fresh["dock"]));

        run.go();
        run.end().exited(0).said_once("1 passed");
    });
}
