//! Every text that people read, but for the progress of images.
//!
//! Errors become text here; what is said outside an error goes to standard error directly, past the capture of a test
//! harness, for it is about the run and not about one test.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::panic::Location;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use seatrial_model::{Origin, Plan};
use serde::{Deserialize, Serialize};

use crate::images::ProgressReport;
use crate::protocol::{KeptService, Launch, ServiceInfo};
use crate::visible::harmless;
pub(crate) use crate::wording::{bytes, duration};
use crate::{Error, wording};

/// Says something about the run.
pub(crate) fn say(text: &str) {
    show(&format!("seatrial: {text}\n"));
}

/// Something for people to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Shown {
    /// A text, whole lines.
    Text(String),
    /// How far work on an image is.
    Progress(ProgressReport),
}

/// What is done instead of writing to standard error.
type Elsewhere = Box<dyn Fn(Shown) + Send + Sync>;

static ELSEWHERE: OnceLock<Elsewhere> = OnceLock::new();

/// Has everything shown elsewhere, for a process that nobody sees.
pub(crate) fn redirect(elsewhere: impl Fn(Shown) + Send + Sync + 'static) {
    let _ = ELSEWHERE.set(Box::new(elsewhere));
}

/// Shows a report elsewhere; nothing where that is not asked for.
pub(crate) fn show_progress(report: ProgressReport) {
    if let Some(elsewhere) = ELSEWHERE.get() {
        elsewhere(Shown::Progress(report));
    }
}

/// Whether people see what this process writes to standard error.
pub(crate) fn is_seen() -> bool {
    ELSEWHERE.get().is_none()
}

/// Shows a text.
pub(crate) fn show(text: &str) {
    let text = harmless(text);
    if let Some(elsewhere) = ELSEWHERE.get() {
        return elsewhere(Shown::Text(text.into_owned()));
    }
    // One write, so that lines of several processes do not mix. Nobody can be told that standard error is gone.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Says what went wrong without making anything fail.
pub(crate) fn warn(text: &str) {
    say(&format!("warning: {text}"));
}

/// Says why the process takes a moment to end.
pub(crate) fn interrupted(signal: i32) {
    let name = signal_hook::low_level::signal_name(signal).unwrap_or("a signal");
    say(&format!(
        "{name}: removing what was started; once more ends this at once"
    ));
}

/// Says that an ending process gave up on its engine.
pub(crate) fn not_removed(after: Duration) {
    warn(&format!(
        "the engine has not removed everything within {}; what is left carries the label `dev.seatrial.run`: \
         look with `docker ps --all --filter label=dev.seatrial.run`",
        duration(after)
    ));
}

/// A service that stays when a run is over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stay {
    pub(crate) composition: String,
    pub(crate) service: String,
    /// For how long after its last use.
    pub(crate) stays: Duration,
}

/// Says what stays, and how to have it removed.
pub(crate) fn kept<'a>(stays: impl Iterator<Item = &'a Stay>) -> String {
    let stays = stays.map(|stay| {
        let for_so_long = seatrial_model::duration::format(stay.stays);
        format!(
            "`{}.{}` until unused for {for_so_long}",
            stay.composition, stay.service
        )
    });
    let stays = stays.collect::<Vec<_>>().join(", ");
    format!(
        "seatrial: kept for later runs: {stays}; `SEATRIAL_KEEP=drop cargo test` removes what is kept\n"
    )
}

/// What is kept no more.
pub(crate) fn dropped(dropped: &[KeptService]) -> String {
    let names = dropped.iter().map(|kept| {
        let users = if kept.idle.is_none() {
            ", when its last user is done"
        } else {
            ""
        };
        format!("`{}.{}`{users}", kept.composition, kept.service)
    });
    format!(
        "removed what was kept: {}",
        names.collect::<Vec<_>>().join(", ")
    )
}

/// Says something on a terminal that this process has not; nothing where it is gone.
pub(crate) fn say_on(path: &Path, text: &str) {
    let opened = std::fs::OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_NOCTTY | libc::O_NONBLOCK)
        .open(path);
    if let Ok(mut opened) = opened {
        let _ = opened.write_all(text.as_bytes());
    }
}

/// Says that a service that was kept has another in its place.
pub(crate) fn replaced(composition: &str, service: &str, why: &str) -> String {
    format!(
        "seatrial: the service `{service}` of `{composition}` that was kept is replaced: {why}\n"
    )
}

/// What a service of a failed test was doing and last said.
pub(crate) fn log_of_failed_test(
    info: &ServiceInfo,
    ended: Option<&str>,
    tail: Result<String, Error>,
) -> String {
    let (field, composition) = (&info.field, &info.composition);
    let end = ended.map_or_else(String::new, |ended| {
        format!("seatrial: service `{field}` of `{composition}` does not run any more: {ended}\n")
    });
    end + &last_lines(info, tail)
}

/// Says what a test has given up that was still being launched.
pub(crate) fn still_launching(compositions: &[String]) -> String {
    let (it, were) = match compositions {
        [_] => ("it", "was"),
        _ => ("they", "were"),
    };
    format!(
        "{}: still being launched when the test failed; {it} {were} given up",
        wording::names(compositions)
    )
}

/// Says that services were gone when the test failed that had launched them.
pub(crate) fn given_back(composition: &str, services: &[String], place: &Location<'_>) -> String {
    let (what, were) = match services {
        [_] => ("service", "was"),
        _ => ("services", "were"),
    };
    let services = wording::names(services);
    format!(
        "seatrial: the {what} {services} of `{composition}`, launched at {place}, {were} gone when the test failed: no handle of \
         that launch was left\n\
         \x20 help: where the test still needs it, hold what `launch()` returns to the test's end: \
         `let launched = {composition}::launch().await?;` and then `launched.{{..}}`, not `{composition}::launch().await?.{{..}}`\n"
    )
}

/// Says why a test that is out of time ends its process.
pub(crate) fn test_is_stuck(timed_out: &str) -> String {
    format!(
        "{timed_out}\n\
         \x20 it blocks its thread in code that cannot be ended from outside, so the process ends; with it end the other tests of \
         this executable that have not finished, and what they have printed is lost\n\
         \x20 help: give what it waits for a time-out of its own, or make the test `async`; `cargo nextest run` gives every test \
         a process of its own\n"
    )
}

fn last_lines(info: &ServiceInfo, tail: Result<String, Error>) -> String {
    let (field, composition) = (&info.field, &info.composition);
    let mut text = match tail {
        Ok(tail) if tail.is_empty() => {
            return format!("seatrial: service `{field}` of `{composition}` has logged nothing\n");
        }
        Ok(tail) => {
            let mut text =
                format!("seatrial: the last lines of service `{field}` of `{composition}`:\n");
            for line in tail.lines() {
                let _ = writeln!(text, "    | {}", harmless(line));
            }
            text
        }
        Err(error) => format!("seatrial: the log of service `{field}` cannot be read: {error}\n"),
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// The tree of a launch that succeeded, with what each service took until ready.
pub(crate) fn launched(launch: &Launch, services: &[ServiceInfo], took: Duration) -> String {
    let plan = &launch.plan;
    let mut text = format!(
        "seatrial: `{}` is ready after {}",
        plan.name,
        duration(took)
    );
    if let Some(test) = &launch.test {
        let _ = write!(text, ", for {test}");
    }
    text.push('\n');
    let needed: Vec<usize> = plan
        .services
        .iter()
        .flat_map(|service| service.needs.clone())
        .collect();
    let roots: Vec<usize> = (0..plan.services.len())
        .filter(|index| !needed.contains(index))
        .collect();
    let mut lines: Vec<(String, usize, bool)> = Vec::new();
    for (position, root) in roots.iter().enumerate() {
        branch(plan, *root, "", position + 1 == roots.len(), &mut lines);
    }
    let width = lines
        .iter()
        .map(|(label, ..)| label.chars().count())
        .max()
        .unwrap_or(0);
    for (label, index, again) in lines {
        let padding = " ".repeat(width - label.chars().count());
        let told = if again {
            "(see above)".to_owned()
        } else {
            told(plan, index, &services[index])
        };
        let _ = writeln!(text, "  {label}{padding}  {told}");
    }
    text
}

/// One line per service below `index`: a label drawn as a tree, the service, and whether it was shown already.
fn branch(
    plan: &Plan,
    index: usize,
    indent: &str,
    last: bool,
    lines: &mut Vec<(String, usize, bool)>,
) {
    let service = &plan.services[index];
    let again = lines.iter().any(|(_, shown, _)| *shown == index);
    let turn = if last { "└─ " } else { "├─ " };
    lines.push((format!("{indent}{turn}{}", service.field), index, again));
    if again {
        return;
    }
    let indent = format!("{indent}{}", if last { "   " } else { "│  " });
    for (position, need) in service.needs.iter().enumerate() {
        branch(
            plan,
            *need,
            &indent,
            position + 1 == service.needs.len(),
            lines,
        );
    }
}

fn told(plan: &Plan, index: usize, info: &ServiceInfo) -> String {
    let origin = match &plan.services[index].origin {
        Origin::Image(image) => image.to_string(),
        Origin::Bin {
            name,
            base: Some(base),
            ..
        } => format!("{name} in {base}"),
        Origin::Bin {
            name, base: None, ..
        } => format!("{name} (binary)"),
    };
    let times = &info.times;
    if times.shared {
        return format!("{origin}  was running, checked again");
    }
    let between = |from: Option<Duration>, to: Option<Duration>| {
        duration(
            to.unwrap_or_default()
                .saturating_sub(from.unwrap_or_default()),
        )
    };
    let mut parts = vec![format!(
        "ready after {}",
        duration(times.set_up.or(times.ready).unwrap_or_default())
    )];
    parts.push(format!("image {}", between(None, times.image)));
    if times.unblocked > times.created {
        parts.push(format!(
            "waited {}",
            between(times.created, times.unblocked)
        ));
    }
    parts.push(format!("start {}", between(times.unblocked, times.started)));
    parts.push(format!("readiness {}", between(times.started, times.ready)));
    if times.set_up.is_some() {
        parts.push(format!("setup {}", between(times.ready, times.set_up)));
    }
    let ports = info
        .published
        .iter()
        .map(|port| format!("{}:{}", port.host_ip, port.host));
    let ports: Vec<String> = ports.collect();
    format!("{origin}  {}  {}", parts.join(", "), ports.join(" "))
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn no_text_from_outside_reaches_a_terminal_with_its_control_sequences() {
        const CLEAR: &str = "\u{1b}[2J\u{1b}[31mtext\u{1b}[0m";
        let text = || CLEAR.to_owned();
        let error = Error::new(ErrorKind::Exited, text());
        let info = ServiceInfo {
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
        };
        let shown =
            [Ok(text()), Err(error)].map(|tail| log_of_failed_test(&info, Some("code 1"), tail));
        for shown in shown {
            assert!(
                shown.contains("text") && !shown.contains('\u{1b}'),
                "{shown:?}"
            );
        }
    }

    #[test]
    fn what_stays_is_told_with_how_to_have_it_removed() {
        let stay = |service: &str, seconds| Stay {
            composition: "Shop".to_owned(),
            service: service.to_owned(),
            stays: Duration::from_secs(seconds),
        };
        assert_eq!(
            kept([stay("db", 7200), stay("cache", 90)].iter()),
            "seatrial: kept for later runs: `Shop.db` until unused for 2h, `Shop.cache` until unused for 1m30s; \
             `SEATRIAL_KEEP=drop cargo test` removes what is kept\n"
        );
    }
}
