//! What a run is, in made-up tables of processes and in the real one.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::*;

/// A made-up table: pid, parent, name, environment. A process started at its pid times ten.
struct Table(HashMap<u32, (u32, &'static str, &'static str)>);

impl Table {
    fn new<const N: usize>(processes: [(u32, u32, &'static str, &'static str); N]) -> Self {
        let entry = |(pid, parent, name, environment)| (pid, (parent, name, environment));
        Self(processes.into_iter().map(entry).collect())
    }

    /// The run of process 50, in whose environment this is.
    fn run(&self, environment: &str) -> Run {
        let variable = |name: &str| {
            let mut entries = environment.split(' ').filter_map(|e| e.split_once('='));
            let entry = entries.find(|(of, _)| *of == name)?;
            Some(OsString::from(entry.1))
        };
        Run::of(50, variable, self).expect("the process is in the table")
    }
}

impl Processes for Table {
    fn look_up(&self, pid: u32) -> Option<Process> {
        let (parent, name, _) = self.0.get(&pid)?;
        let start = u64::from(pid) * 10;
        // Of some the name is known, of others the executable.
        let (name, executable) = match name.strip_prefix("exe:") {
            Some(executable) => ("other", Some(executable.to_owned())),
            None => (*name, None),
        };
        Some(Process {
            id: ProcessId { pid, start },
            parent: *parent,
            name: name.to_owned(),
            executable,
        })
    }

    fn has_in_environment(&self, pid: u32, entry: &[u8]) -> bool {
        self.0.get(&pid).is_some_and(|(_, _, environment)| {
            let mut entries = environment.split(' ').map(str::as_bytes);
            entries.any(|other| other == entry)
        })
    }
}

#[test]
fn without_anything_else_a_process_is_a_run_of_its_own() {
    let table = Table::new([
        (50, 40, "test", ""),
        (40, 1, "bash", ""),
        (1, 0, "init", ""),
    ]);
    let run = table.run("");
    assert_eq!(run.process.pid, 50);
    assert!(run.key.starts_with("process:50:500/"), "{}", run.key);
}

#[test]
fn a_cargo_that_a_test_of_nextest_has_started_is_a_run_of_its_own() {
    let table = Table::new([
        (50, 40, "test", ""),
        (40, 30, "cargo", ""),
        (30, 20, "test", ""),
        (20, 10, "cargo-nextest", ""),
        (10, 1, "cargo", ""),
        (1, 0, "init", ""),
    ]);
    let run = table.run("NEXTEST_RUN_ID=outer");
    assert_eq!(run.process.pid, 40);
    assert!(run.key.starts_with("cargo:40:400/"), "{}", run.key);
}

#[test]
fn the_nearest_cargo_is_the_run_whatever_stands_between() {
    for cargo in ["cargo", "exe:cargo"] {
        let table = Table::new([
            (50, 40, "test", ""),
            (40, 30, "timeout", ""),
            (30, 20, cargo, ""),
            (20, 10, "xtask", ""),
            (10, 1, "cargo", ""),
            (1, 0, "init", ""),
        ]);
        let run = table.run("SEATRIAL_RUN_ID= NEXTEST_RUN_ID=");
        assert_eq!(run.process.pid, 30);
        assert!(run.key.starts_with("cargo:30:300/"), "{}", run.key);
    }
}

#[test]
fn cargo_may_be_the_first_process_of_its_namespace() {
    let table = Table::new([(50, 1, "test", ""), (1, 0, "cargo", "")]);
    assert_eq!(table.run("").process.pid, 1);
}

#[test]
fn nextest_says_what_the_run_is_and_its_process_is_an_ancestor() {
    let table = Table::new([
        (50, 40, "test", ""),
        (40, 30, "runner", ""),
        (30, 20, "cargo-nextest", ""),
        (20, 1, "cargo", ""),
        (1, 0, "init", ""),
    ]);
    let run = table.run("NEXTEST_RUN_ID=n");
    assert_eq!((run.key.as_str(), run.process.pid), ("nextest:n", 30));
}

#[test]
fn the_parent_is_nextest_where_none_is_called_so() {
    let table = Table::new([(50, 40, "test", ""), (40, 1, "nt", ""), (1, 0, "init", "")]);
    assert_eq!(table.run("NEXTEST_RUN_ID=n").process.pid, 40);
    let outside = Table::new([(50, 0, "test", "")]);
    assert_eq!(outside.run("NEXTEST_RUN_ID=n").process.pid, 50);
}

#[test]
fn the_users_run_lasts_as_long_as_the_topmost_process_that_was_given_its_id() {
    let given = "A=b SEATRIAL_RUN_ID=s";
    let table = Table::new([
        (50, 40, "test", given),
        (40, 30, "cargo-nextest", given),
        (30, 20, "make", given),
        // Not an unbroken chain.
        (20, 10, "bash", "SEATRIAL_RUN_ID=other"),
        (10, 1, "bash", given),
        (1, 0, "init", ""),
    ]);
    let run = table.run("SEATRIAL_RUN_ID=s NEXTEST_RUN_ID=n");
    assert_eq!((run.key.as_str(), run.process.pid), ("seatrial:s", 30));
    // It may have been set by the process itself.
    let run = table.run("SEATRIAL_RUN_ID=another");
    assert_eq!(
        (run.key.as_str(), run.process.pid),
        ("seatrial:another", 50)
    );
}

#[test]
fn a_walk_that_would_go_in_a_circle_ends() {
    let table = Table::new([(50, 40, "test", ""), (40, 30, "a", ""), (30, 40, "b", "")]);
    assert_eq!(table.run("").process.pid, 50);
}

#[test]
fn real_ancestors_are_found_through_a_shell() {
    let directory = std::env::temp_dir().join(format!("seatrial-ancestors-{}", std::process::id()));
    std::fs::create_dir(&directory).expect("a directory");
    let cargo = directory.join("cargo");
    std::os::unix::fs::symlink("/bin/sh", &cargo).expect("a link");
    // A shell becomes the last command it is given, so there is one more to do. All end when the pipe is closed.
    let mut shell = Command::new(&cargo)
        .args(["-c", "exec 3<&0; sh -c 'echo $$; cat <&3; :'; :"])
        .env(RUN_ID, "real")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut line = String::new();
    let output = shell.stdout.take().expect("a pipe");
    let read = BufReader::new(output).read_line(&mut line);
    let run = |id: Option<&str>| {
        let variable = |name: &str| id.filter(|_| name == RUN_ID).map(OsString::from);
        Run::of(line.trim().parse().ok()?, variable, &SystemProcesses)
    };
    let (by_id, by_cargo) = (run(Some("real")), run(None));
    drop(shell.stdin.take());
    shell.wait().expect("its end");
    std::fs::remove_dir_all(&directory).expect("a directory");

    read.expect("the inner shell's number");
    let (by_id, by_cargo) = (by_id.expect("it ran"), by_cargo.expect("it ran"));
    assert_eq!(by_id.key, "seatrial:real");
    assert_eq!(by_id.process.pid, shell.id());
    assert!(by_cargo.key.starts_with("cargo:"), "{}", by_cargo.key);
    assert_eq!(by_cargo.process, by_id.process);
}
