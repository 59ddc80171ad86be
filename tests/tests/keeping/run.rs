//! A run: a child process with a run id of its own that runs one case, and what came of it. When its end is seen, its
//! supervisor has ended too, and nothing of it is on the engine.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use seatrial_tests::{child, engine};
use serde_json::Value;

use crate::cases::RECORD;
use crate::machine::Machine;
use crate::record::Kept;

/// A run to be.
pub(crate) struct Run<'a> {
    machine: &'a Machine,
    id: String,
    command: Command,
}

impl<'a> Run<'a> {
    pub(crate) fn new(machine: &'a Machine, id: String, case: &str) -> Self {
        let mut command = child::test(&format!("cases::{case}"));
        child::leave_run(&mut command);
        command
            .arg("--nocapture")
            .env("SEATRIAL_RUN_ID", &id)
            .env("XDG_RUNTIME_DIR", machine.path("runtime"))
            .env("TMPDIR", machine.path("temporary"));
        Self {
            machine,
            id,
            command,
        }
    }

    pub(crate) fn with(mut self, variable: &str, value: &str) -> Self {
        self.command.env(variable, value);
        self
    }

    /// Begins it. Its case waits once it has recorded what it has.
    #[track_caller]
    pub(crate) fn begin(mut self) -> Running<'a> {
        let errors = self.machine.path(&format!("{}.errors", self.id));
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&errors).expect("a file for the errors"));
        let mut child = self.command.spawn().expect("a child process");
        let output = child.stdout.take().expect("it is piped");
        Running {
            machine: self.machine,
            id: self.id,
            input: child.stdin.take(),
            output: BufReader::new(output),
            said: String::new(),
            errors,
            latest: Value::Null,
            child,
        }
    }

    /// Runs it to its end.
    #[track_caller]
    pub(crate) fn end(self) -> Ended {
        let mut run = self.begin();
        run.record();
        run.end()
    }
}

/// A run that has begun.
pub(crate) struct Running<'a> {
    machine: &'a Machine,
    pub(crate) id: String,
    child: Child,
    /// Its case waits for the end of this.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    said: String,
    errors: PathBuf,
    /// What its case has recorded last.
    latest: Value,
}

impl Running<'_> {
    /// Waits for what its case records next.
    #[track_caller]
    pub(crate) fn record(&mut self) -> &Value {
        assert!(
            self.read_record(),
            "it has ended before it had what it needs:\n{}",
            self.output()
        );
        &self.latest
    }

    /// Whether there is one more.
    fn read_record(&mut self) -> bool {
        loop {
            let mut line = String::new();
            let length = self.output.read_line(&mut line).expect("it is text");
            if length == 0 {
                return false;
            }
            self.said.push_str(&line);
            if let Some((_, record)) = line.split_once(RECORD) {
                self.latest = serde_json::from_str(record).expect("JSON");
                self.machine.learn(&self.latest);
                return true;
            }
        }
    }

    fn output(&self) -> String {
        let errors = std::fs::read_to_string(&self.errors).expect("errors");
        format!("{}{errors}", self.said)
    }

    /// Lets its case go on.
    pub(crate) fn go(&mut self) {
        self.input = None;
    }

    /// Lets it go on to its end, which must be a success, and leave nothing.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
        self.go();
        while self.read_record() {}
        let status = self.child.wait().expect("its status");
        let output = self.output();
        assert!(status.success(), "{output}");
        self.machine.until_run_has_ended(&self.id);
        let left = engine::of(&self.id);
        assert!(left.is_empty(), "left behind: {left:#?}\n{output}");
        Ended {
            record: std::mem::take(&mut self.latest),
            output,
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // Where the test has failed it may still run.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A run that has ended, of which nothing is left.
pub(crate) struct Ended {
    /// What its case has recorded last.
    pub(crate) record: Value,
    output: String,
}

/// The text at this key of a record: the id of a container, most of the time.
#[track_caller]
pub(crate) fn text(record: &Value, key: &str) -> String {
    let text = record[key].as_str();
    text.unwrap_or_else(|| panic!("no text `{key}` in {record:#}"))
        .to_owned()
}

/// The kept services at this key of a record.
#[track_caller]
pub(crate) fn kept(record: &Value, key: &str) -> Vec<Kept> {
    serde_json::from_value(record[key].clone()).expect("kept services")
}

impl Ended {
    #[track_caller]
    pub(crate) fn text(&self, key: &str) -> String {
        text(&self.record, key)
    }

    #[track_caller]
    pub(crate) fn kept(&self, key: &str) -> Vec<Kept> {
        kept(&self.record, key)
    }

    #[track_caller]
    pub(crate) fn said(self, text: &str) -> Self {
        let output = &self.output;
        assert!(output.contains(text), "`{text}` is not in:\n{output}");
        self
    }

    #[track_caller]
    pub(crate) fn did_not_say(self, text: &str) -> Self {
        let output = &self.output;
        assert!(!output.contains(text), "`{text}` is in:\n{output}");
        self
    }
}
