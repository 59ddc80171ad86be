//! Endings of one of several processes of a run: what it had alone goes, and what they share stays.

use std::process::Command;

use libc::SIGKILL;
use seatrial_tests::engine;

use crate::cases::RECORD;
use crate::processes;
use crate::run::{Run, rounds, until};

/// Runs two tests side by side, and ends as the second does.
const SCRIPT: &str = "\
RECORD=\"$1.first\" \"$0\" --ignored --exact cases::busy::shares &
RECORD=\"$1.second\" \"$0\" --ignored --exact cases::busy::shares &
wait $!
";

#[test]
fn a_process_that_is_killed_takes_its_own_services_and_leaves_the_shared_ones() {
    rounds(|| {
        let executable = std::env::current_exe().expect("the path of this executable");
        let mut run = Run::new(Command::new("/bin/sh"));
        let record = run.path("record");
        run.command
            .arg("-c")
            .arg(SCRIPT.replace("RECORD", RECORD))
            .args([&executable, &record]);
        let mut run = run.spawn();
        let [first, second] = ["record.first", "record.second"]
            .map(|name| run.until("its services are ready", |run| run.record_at(name)));
        assert_eq!(first["pier"], second["pier"]);
        assert_ne!(first["boat"], second["boat"]);

        let pid = first["pid"].as_u64().and_then(|pid| pid.try_into().ok());
        processes::signal(pid.expect("a process id"), SIGKILL);
        let is_there = |run: &str, service: &serde_json::Value| {
            let containers = engine::containers(run);
            containers.iter().any(|id| service == id.as_str())
        };
        until("its own service is gone", || {
            (!is_there(&run.id, &first["boat"])).then_some(())
        });
        assert!(is_there(&run.id, &second["boat"]));
        assert!(is_there(&run.id, &second["pier"]));

        run.go();
        run.end().exited(0).said("1 passed");
    });
}
