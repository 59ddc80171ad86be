//! The messages with which engines, the kernel, loaders and shells refuse to run something.

/// What was refused, and why. Names are as in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal<'a> {
    /// The file does not exist, or is not in the search path.
    Missing(&'a str),
    /// The engine sees the file, but the kernel reports it as missing.
    NotRunnable(&'a str),
    /// The kernel does not know the format.
    Format(&'a str),
    /// The file is not executable.
    Denied(&'a str),
    Directory(&'a str),
    /// The program that `env` should find for the first line of a script.
    Interpreter(&'a str),
}

/// What a loader does not find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loading<'a> {
    /// A library is older than needed.
    Old {
        /// The missing version: `GLIBC_2.38`.
        version: &'a str,
        by: Option<&'a str>,
    },
    Missing {
        library: &'a str,
        by: Option<&'a str>,
    },
}

/// What an engine could not start: `exec: "server": executable file not found in $PATH`.
pub(super) fn refusal(words: &str) -> Option<Refusal<'_>> {
    // A description of the engine's call may come before.
    if let Some((_, behind)) = words.split_once("exec: \"") {
        let (name, why) = behind.split_once("\": ")?;
        return if why.starts_with("executable file not found") || why.starts_with("stat ") {
            Some(Refusal::Missing(name))
        } else {
            of_kernel(name, why)
        };
    }
    if let Some((_, behind)) = words.split_once("executable file `") {
        let (name, why) = behind.split_once('`')?;
        return why
            .starts_with(" not found")
            .then_some(Refusal::Missing(name));
    }
    let (_, behind) = words.split_once("exec ")?;
    let (path, why) = behind.split_once(": ")?;
    of_kernel(path, why)
}

fn of_kernel<'a>(path: &'a str, why: &str) -> Option<Refusal<'a>> {
    let why = why.trim_end();
    let is = |words: &str| why.starts_with(words);
    if is("no such file or directory") {
        Some(Refusal::NotRunnable(path))
    } else if is("exec format error") {
        Some(Refusal::Format(path))
    } else if is("permission denied") {
        Some(Refusal::Denied(path))
    } else if is("is a directory") {
        Some(Refusal::Directory(path))
    } else {
        None
    }
}

/// What the last lines of a container that ended with this exit code report. If the engine had gone too far for an
/// error, its message is in the log.
pub(super) fn in_log(log: &[String], code: Option<i64>) -> Option<Refusal<'_>> {
    let mut latest = log.iter().rev();
    latest.find_map(|line| {
        let line = line.trim_end();
        let of_engine = line
            .strip_prefix("exec ")
            .filter(|rest| rest.starts_with('/'));
        if let Some((path, why)) = of_engine.and_then(|rest| rest.split_once(": ")) {
            return of_kernel(path, why);
        }
        match code {
            Some(127) => of_env(line).or_else(|| of_shell(line)),
            Some(126) => {
                let (said, why) = line.rsplit_once(": ")?;
                let mut parts = said.rsplit(": ").map(unquoted);
                let path = parts.find(|part| part.starts_with('/'))?;
                of_kernel(path, &why.to_ascii_lowercase())
            }
            _ => None,
        }
    })
}

/// `/usr/bin/env: 'node': No such file or directory`, and BusyBox's message.
fn of_env(line: &str) -> Option<Refusal<'_>> {
    let said = line.strip_suffix(": No such file or directory")?;
    let (program, name) = said.split_once(": ")?;
    let name = name.strip_prefix("can't execute ").unwrap_or(name);
    let name = unquoted(name);
    let is_env = program == "env" || program.ends_with("/env");
    is_env.then_some(Refusal::Interpreter(name))
}

/// A name without the quotes of GNU's programs.
fn unquoted(name: &str) -> &str {
    name.trim_matches(['\'', '"', '\u{2018}', '\u{2019}'])
}

/// `sh: 1: server: not found`, `bash: line 1: server: command not found`.
fn of_shell(line: &str) -> Option<Refusal<'_>> {
    let said = line
        .strip_suffix(": command not found")
        .or_else(|| line.strip_suffix(": not found"))?;
    let name = said.rsplit(": ").next()?;
    // A program's message about something else is longer.
    let is_name = !name.is_empty() && !name.contains(char::is_whitespace) && name != said;
    is_name.then_some(Refusal::Missing(name))
}

/// The message of a loader, of glibc or musl.
pub(super) fn loading(log: &[String]) -> Option<Loading<'_>> {
    let old = log.iter().filter_map(|line| old(line));
    old.max_by_key(|(_, _, number)| number.clone())
        .map(|(version, by, _)| Loading::Old { version, by })
        .or_else(|| log.iter().rev().find_map(|line| missing(line)))
}

/// ``/app: /lib/libc.so.6: version `GLIBC_2.38' not found (required by /app)``.
fn old(line: &str) -> Option<(&str, Option<&str>, Vec<u32>)> {
    let (_, behind) = line.split_once("version `")?;
    let (version, behind) = behind.split_once('\'')?;
    let behind = behind.strip_prefix(" not found")?;
    if !["GLIBC", "CXXABI"].iter().any(|it| version.starts_with(it)) {
        return None;
    }
    let (_, number) = version.split_once('_')?;
    let number = number.split('.').map(|part| part.parse().unwrap_or(0));
    let by = behind.split_once("(required by ");
    let by = by.and_then(|(_, by)| by.trim_end().strip_suffix(')'));
    Some((version, by, number.collect()))
}

fn missing(line: &str) -> Option<Loading<'_>> {
    if let Some((by, behind)) = line.split_once(": error while loading shared libraries: ") {
        let (library, _) = behind.split_once(": cannot open shared object file")?;
        return Some(Loading::Missing {
            library,
            by: Some(by),
        });
    }
    let behind = line.strip_prefix("Error loading shared library ")?;
    let (library, behind) = behind.split_once(": ")?;
    let by = behind.split_once("(needed by ");
    let by = by.and_then(|(_, by)| by.trim_end().strip_suffix(')'));
    Some(Loading::Missing { library, by })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_engines_are_understood() {
        for (words, expected) in [
            (
                "exec: \"nope\": executable file not found in $PATH",
                Some(Refusal::Missing("nope")),
            ),
            (
                "error during container init: exec: \"/nope\": stat /nope: no such file or directory",
                Some(Refusal::Missing("/nope")),
            ),
            (
                "crun: executable file `nope` not found in $PATH: No such file or directory",
                Some(Refusal::Missing("nope")),
            ),
            (
                "exec: \"/etc/passwd\": permission denied",
                Some(Refusal::Denied("/etc/passwd")),
            ),
            (
                "exec: \"/etc\": is a directory",
                Some(Refusal::Directory("/etc")),
            ),
            (
                "exec: \"a b\": executable file not found in $PATH",
                Some(Refusal::Missing("a b")),
            ),
            (
                "exec /app: exec format error",
                Some(Refusal::Format("/app")),
            ),
            (
                "exec /app: no such file or directory",
                Some(Refusal::NotRunnable("/app")),
            ),
            ("unable to find user captain", None),
            ("exec: \"/app", None),
        ] {
            assert_eq!(refusal(words), expected, "{words}");
        }
    }

    #[test]
    fn the_last_lines_of_a_log_are_understood() {
        for (line, code, expected) in [
            (
                "exec /serve: no such file or directory",
                1,
                Some(Refusal::NotRunnable("/serve")),
            ),
            (
                "exec /serve: exec format error",
                1,
                Some(Refusal::Format("/serve")),
            ),
            (
                "/usr/bin/env: 'node': No such file or directory",
                127,
                Some(Refusal::Interpreter("node")),
            ),
            (
                "env: \u{2018}node\u{2019}: No such file or directory",
                127,
                Some(Refusal::Interpreter("node")),
            ),
            (
                "env: can't execute 'node': No such file or directory",
                127,
                Some(Refusal::Interpreter("node")),
            ),
            (
                "sh: 1: server: not found",
                127,
                Some(Refusal::Missing("server")),
            ),
            (
                "bash: line 1: server: command not found",
                127,
                Some(Refusal::Missing("server")),
            ),
            (
                "sh: 1: /serve: Permission denied",
                126,
                Some(Refusal::Denied("/serve")),
            ),
            (
                "bash: line 1: /app: cannot execute binary file: Exec format error",
                126,
                Some(Refusal::Format("/app")),
            ),
            (
                "env: '/app': Exec format error",
                126,
                Some(Refusal::Format("/app")),
            ),
            // Messages of a program about its own work.
            ("sh: 1: server: not found", 1, None),
            ("the file: it was not found", 127, None),
            ("user: no row was: not found", 127, None),
            ("exec of /serve: no such file or directory", 1, None),
        ] {
            let log = ["begun".to_owned(), line.to_owned()];
            assert_eq!(in_log(&log, Some(code)), expected, "{line}");
        }
    }

    #[test]
    fn loaders_are_understood() {
        let lines = |lines: &[&str]| {
            lines
                .iter()
                .map(|line| (*line).to_owned())
                .collect::<Vec<_>>()
        };
        let old = lines(&[
            "/app: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.9' not found (required by /app)",
            "/app: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by /lib/b.so)",
            "/app: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by /app)",
        ]);
        let expected = Loading::Old {
            version: "GLIBC_2.38",
            by: Some("/lib/b.so"),
        };
        assert_eq!(loading(&old), Some(expected));
        let glibc = lines(&[
            "/app: error while loading shared libraries: libssl.so.3: cannot open shared object file: No such file or directory",
        ]);
        let musl = lines(&[
            "Error loading shared library libssl.so.3: No such file or directory (needed by /app)",
            "Error relocating /app: SSL_new: symbol not found",
        ]);
        for log in [glibc, musl] {
            let expected = Loading::Missing {
                library: "libssl.so.3",
                by: Some("/app"),
            };
            assert_eq!(loading(&log), Some(expected));
        }
        let other = lines(&["version `3' not found", "postgres: version `15' not found"]);
        assert_eq!(loading(&other), None);
    }
}
