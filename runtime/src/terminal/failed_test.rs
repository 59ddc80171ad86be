//! The texts about a test that has failed, or that is out of time: the status of its services, and the services it has lost.

use std::fmt::Write as _;
use std::panic::Location;

use crate::Error;
use crate::protocol::ServiceInfo;
use crate::visible::harmless;
use crate::wording::names;

/// The beginning of each line of a log.
pub(crate) const LOG_LINE: &str = "    | ";

/// The setting for the number of lines.
pub(crate) const NUMBER_OF_LINES: &str = "seatrial: `logs_on_failure` in seatrial.toml sets the number of these lines for each service\n";

/// The status and the last lines of a service of a failed test. What the failure itself has `said` is not repeated.
pub(crate) fn log_of_failed_test(
    info: &ServiceInfo,
    ended: Option<&str>,
    tail: Result<String, Error>,
    said: &str,
) -> String {
    let (field, composition) = (&info.field, &info.composition);
    let end = ended.map_or_else(String::new, |ended| {
        format!("seatrial: service `{field}` of `{composition}` does not run any more: {ended}\n")
    });
    end + &last_lines(info, tail, said)
}

/// Names the compositions that a failed test was still launching.
pub(crate) fn still_launching(compositions: &[String]) -> String {
    let (it, were) = match compositions {
        [_] => ("it", "was"),
        _ => ("they", "were"),
    };
    format!(
        "{}: still being launched when the test failed; {it} {were} given up",
        names(compositions)
    )
}

/// Names services that were removed before the test that had launched them failed.
pub(crate) fn given_back(composition: &str, services: &[String], place: &Location<'_>) -> String {
    let (what, were) = match services {
        [_] => ("service", "was"),
        _ => ("services", "were"),
    };
    let services = names(services);
    format!(
        "seatrial: the {what} {services} of `{composition}`, launched at {place}, {were} gone when the test failed: no handle of \
         that launch was left\n\
         \x20 help: where the test still needs it, hold what `launch()` returns to the test's end: \
         `let launched = {composition}::launch().wait()?;` and then `launched.{{..}}`, not `{composition}::launch().wait()?.{{..}}` \
         (with `.await?` in async code)\n"
    )
}

/// The operations that a test waited for when its time was over, each in a line, and what to do.
pub(crate) fn waited_for(operations: &[String], help: &str) -> String {
    if operations.is_empty() {
        return String::new();
    }
    let lines = operations.iter().map(|operation| {
        let operation = harmless(operation);
        format!("\n  it waited for {operation}")
    });
    let lines: String = lines.collect();
    match help {
        "" => lines,
        help => format!("{lines}\n  help: {help}"),
    }
}

/// Explains why a test that is out of time ends its process.
pub(crate) fn test_is_stuck(timed_out: &str) -> String {
    format!(
        "{timed_out}\n\
         \x20 the test blocks its thread in code that cannot be ended from outside, so the process ends; the other unfinished tests \
         of this executable end with it, and their output is lost\n\
         \x20 help: use a time-out in the code that blocks, or make the test `async`; `cargo nextest run` gives every test a process \
         of its own\n"
    )
}

fn last_lines(info: &ServiceInfo, tail: Result<String, Error>, said: &str) -> String {
    let (field, composition) = (&info.field, &info.composition);
    let mut text = match tail {
        Ok(tail) if tail.is_empty() => {
            return format!("seatrial: service `{field}` of `{composition}` has logged nothing\n");
        }
        Ok(tail) => {
            let mut lines = String::new();
            for line in tail.lines() {
                let _ = writeln!(lines, "{LOG_LINE}{}", harmless(line));
            }
            let of = format!("the last lines of service `{field}` of `{composition}`");
            match said.contains(lines.trim_end()) {
                true => format!("seatrial: {of} are in the error above\n"),
                false => format!("seatrial: {of}:\n{lines}"),
            }
        }
        Err(error) if said.contains(&error.report().what) => {
            format!("seatrial: the log of service `{field}` cannot be read: see the error above\n")
        }
        Err(error) => format!("seatrial: the log of service `{field}` cannot be read: {error}\n"),
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn info() -> ServiceInfo {
        ServiceInfo {
            instance: 1,
            composition: "Shop".to_owned(),
            field: "app".to_owned(),
            name: "app".to_owned(),
            container: "id".to_owned(),
            address: std::net::Ipv4Addr::LOCALHOST,
            host: "localhost".to_owned(),
            ports: Vec::new(),
            published: Vec::new(),
            owner: crate::protocol::Owner::default(),
            mounted: Vec::new(),
            times: crate::protocol::Times::default(),
        }
    }

    #[test]
    fn what_the_error_has_said_is_not_repeated() {
        let lost = || Error::new(ErrorKind::Engine, "lost the connection");
        let error = lost().with(|report| report.log = vec!["calm".to_owned(), "sea".to_owned()]);
        let said = format!("called `Result::unwrap()` on an `Err` value: {error}");
        let shown = |tail| log_of_failed_test(&info(), None, tail, &said);
        assert_eq!(
            shown(Ok("calm\nsea".to_owned())),
            "seatrial: the last lines of service `app` of `Shop` are in the error above\n"
        );
        assert_eq!(
            shown(Ok("sea\nstorm".to_owned())),
            "seatrial: the last lines of service `app` of `Shop`:\n    | sea\n    | storm\n"
        );
        assert_eq!(
            shown(Err(lost())),
            "seatrial: the log of service `app` cannot be read: see the error above\n"
        );
    }

    #[test]
    fn no_text_from_outside_reaches_a_terminal_with_its_control_sequences() {
        const CLEAR: &str = "\u{1b}[2J\u{1b}[31mtext\u{1b}[0m";
        let text = || CLEAR.to_owned();
        let error = Error::new(ErrorKind::Exited, text());
        let info = info();
        let shown = [Ok(text()), Err(error)]
            .map(|tail| log_of_failed_test(&info, Some("code 1"), tail, ""));
        for shown in shown {
            assert!(
                shown.contains("text") && !shown.contains('\u{1b}'),
                "{shown:?}"
            );
        }
    }
}
