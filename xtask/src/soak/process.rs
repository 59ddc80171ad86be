//! A process of a round, as its command line tells it.

use std::path::Path;

/// What a supervisor is called, from its first moment on.
const SUPERVISOR: &str = "seatrial-supervisor";

/// A process of the round.
#[derive(Clone, Debug)]
pub(super) struct Process {
    pub(super) id: u32,
    pub(super) arguments: Vec<String>,
}

impl Process {
    pub(super) fn is_supervisor(&self) -> bool {
        self.arguments[0] == SUPERVISOR
    }

    /// The name of its test executable, where it runs tests.
    pub(super) fn test_executable(&self) -> Option<&str> {
        let path = Path::new(&self.arguments[0]);
        let is_built = path.parent().is_some_and(|it| it.ends_with("deps"));
        if !is_built || self.arguments.iter().any(|it| it == "--list") {
            return None;
        }
        let (name, _hash) = path.file_name()?.to_str()?.rsplit_once('-')?;
        Some(name)
    }

    /// The test that it was told to run, where that is one.
    pub(super) fn test(&self) -> Option<&str> {
        let exact = self.arguments.iter().any(|it| it == "--exact");
        let mut names = self.arguments[1..].iter().filter(|it| !it.starts_with('-'));
        names.next().filter(|_| exact).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(words: &str) -> Process {
        Process {
            id: 1,
            arguments: words.split(' ').map(str::to_owned).collect(),
        }
    }

    #[test]
    fn a_test_process_is_told_from_others() {
        for (words, executable, test) in [
            (
                "/w/target/debug/deps/first-62 --exact first_a --nocapture",
                Some("first"),
                Some("first_a"),
            ),
            (
                "/w/target/debug/deps/first-62 --ignored",
                Some("first"),
                None,
            ),
            (
                "/w/target/debug/deps/first-62 --list --format terse",
                None,
                None,
            ),
            ("/root/.cargo/bin/cargo-nextest nextest run", None, None),
            ("seatrial-supervisor", None, None),
        ] {
            let process = process(words);
            assert_eq!(process.test_executable(), executable, "{words}");
            assert_eq!(process.test().filter(|_| executable.is_some()), test);
        }
        assert!(process("seatrial-supervisor").is_supervisor());
    }
}
