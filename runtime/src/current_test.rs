//! The test that runs on this thread, as far as the test harness shows it. libtest names the thread of a test after the test, and
//! the argument `--exact NAME` names a test that runs alone, as under nextest.
//!
//! Benchmarks, examples and other programs are not tests.

use std::path::Path;
use std::thread;

/// The name of Seatrial's own thread that could be a test's name.
const OWN_THREAD: &str = "seatrial";

/// The name of the test that runs on this thread.
pub(crate) fn on_this_thread() -> Option<String> {
    Process::this().test_of_thread(thread::current().name())
}

/// The name of the test that this thread works for: the test on this thread, or the only test of the process.
pub(crate) fn here() -> Option<String> {
    let process = Process::this();
    let on_this_thread = process.test_of_thread(thread::current().name());
    on_this_thread.or_else(|| process.only_test())
}

/// The arguments and the place of a process that may run tests.
struct Process {
    arguments: Vec<String>,
    /// Cargo builds test executables, and benchmarks, into a directory of this name, and programs and examples elsewhere.
    is_in_deps: bool,
}

impl Process {
    fn this() -> Self {
        let executable = std::env::current_exe().ok();
        let directory = executable.as_deref().and_then(Path::parent);
        let arguments = std::env::args_os().skip(1);
        Self {
            arguments: arguments
                .map(|argument| argument.to_string_lossy().into_owned())
                .collect(),
            is_in_deps: directory.is_some_and(|directory| directory.ends_with("deps")),
        }
    }

    fn has(&self, flag: &str) -> bool {
        self.arguments.iter().any(|argument| argument == flag)
    }

    fn test_of_thread(&self, thread: Option<&str>) -> Option<String> {
        let name = thread?;
        if name == "main" {
            return self.only_test();
        }
        if name == OWN_THREAD {
            return None;
        }
        // Other threads have names of other forms, such as `tokio-rt-worker`. A single word is ambiguous.
        let is_test =
            is_path(name) && (name.contains("::") || self.is_in_deps || self.has("--exact"));
        (is_test && !self.has("--bench")).then(|| name.to_owned())
    }

    /// The only test of the process, if it was started for one test.
    fn only_test(&self) -> Option<String> {
        if !self.has("--exact") || self.has("--bench") {
            return None;
        }
        let mut names = self.arguments.iter().filter(|argument| is_path(argument));
        names.next().filter(|_| names.next().is_none()).cloned()
    }
}

/// Whether it is a path, like the name of a test: words with `::` between them.
fn is_path(name: &str) -> bool {
    name.split("::").all(|word| {
        let mut characters = word.chars();
        let first = characters.next();
        first.is_some_and(|first| first.is_alphabetic() || first == '_')
            && characters.all(|character| character.is_alphanumeric() || character == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(arguments: &[&str], is_in_deps: bool) -> Process {
        Process {
            arguments: arguments
                .iter()
                .map(|argument| (*argument).to_owned())
                .collect(),
            is_in_deps,
        }
    }

    #[test]
    fn a_test_is_known_by_its_thread() {
        let test = |thread| process(&[], true).test_of_thread(thread);
        for name in ["orders", "orders::are_stored", "r\u{e4}ume::_1"] {
            assert_eq!(test(Some(name)).as_deref(), Some(name));
        }
        for name in [
            "main",
            "seatrial",
            "tokio-rt-worker",
            "actix-rt|system:0",
            "pool 1",
            "a::",
            "1",
        ] {
            assert_eq!(test(Some(name)), None, "{name}");
        }
        assert_eq!(test(None), None);
    }

    #[test]
    fn a_test_that_runs_alone_is_known_by_the_arguments() {
        for arguments in [
            &["--exact", "orders::are_stored", "--nocapture"][..],
            &["orders::are_stored", "--exact", "--test-threads", "1"],
        ] {
            let process = process(arguments, true);
            let expected = Some("orders::are_stored".to_owned());
            assert_eq!(process.only_test(), expected);
            assert_eq!(process.test_of_thread(Some("main")), expected);
        }
        for arguments in [
            &["orders"][..],
            &["--exact", "orders", "more"],
            &["--exact"],
        ] {
            assert_eq!(process(arguments, true).only_test(), None, "{arguments:?}");
        }
    }

    #[test]
    fn no_other_program_is_a_test() {
        let program = process(&["serve"], false);
        assert_eq!(program.test_of_thread(Some("worker")), None);
        assert_eq!(program.test_of_thread(Some("main")), None);
        let benchmark = process(&["--bench", "--exact", "sorts"], true);
        assert_eq!(benchmark.test_of_thread(Some("sorts")), None);
        assert_eq!(benchmark.only_test(), None);
    }
}
