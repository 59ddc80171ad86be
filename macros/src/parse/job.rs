//! `#[job(..)]`: the table of its keys, and the readers of those that a service does not have.

use seatrial_model::{Artifact, command};

use super::arguments::{Argument, Name};
use super::habits;
use super::keys::{Key, Table, read_entries};
use super::{service, values};
use crate::message;
use crate::report::Report;
use crate::syntax::{JobSyntax, Service, Spanned};

pub(super) const TABLE: Table<Service> = Table {
    place: "`#[job(..)]`",
    keys: KEYS,
    habits: habits::OF_JOBS,
};

/// The form of `#[job]` in messages.
pub(super) const FORM: &str = "#[job(image = \"node:20\", run = \"npm test\")]";

const ARTIFACTS_FORM: &str = "\"/reports\" = \"target/reports\"";

const KEYS: &[Key<Service>] = &[
    service::IMAGE,
    service::BIN,
    service::BASE,
    service::BUILD,
    Key::once("run", "run = \"npm test\"", run).known_as(&["command", "cmd", "args", "script"]),
    Key::once(
        "artifacts",
        "artifacts(\"/reports\" = \"target/reports\")",
        artifacts,
    )
    .known_as(&["artifact", "outputs", "reports"]),
    Key::once("timeout", "timeout = \"10m\"", timeout).known_as(&["time_limit", "deadline"]),
    service::SCOPE,
    service::ENV,
    service::ENTRYPOINT,
    service::NEEDS,
    service::FILES,
    service::SOURCE,
    service::USER,
    service::WORKDIR,
    service::TMPFS,
    service::VOLUME,
    service::MOUNT,
    service::LABELS,
    service::HOSTS,
    service::MEMORY,
    service::SHM_SIZE,
    service::ULIMITS,
    service::SYSCTLS,
    service::CAP_ADD,
    service::PRIVILEGED,
    service::PLATFORM,
    service::PULL,
];

fn run(job: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    job.command = values::command(argument.expr()?, command::words_or_shell, report);
    Some(())
}

fn timeout(job: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    let literal = argument.expr().and_then(values::string)?;
    job.timing.timeout = values::time(literal, report);
    Some(())
}

fn artifacts(job: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    let found = &mut job.job.get_or_insert_with(JobSyntax::default).artifacts;
    read_entries(argument, ARTIFACTS_FORM, report, |entry, report| {
        let Name::Text(from) = &entry.name else {
            return None;
        };
        let to = values::spanned_string(entry.expr()?)?;
        let (path, span) = (from.value(), from.span());
        if path.is_empty() || path.split('/').any(|part| part == "..") {
            report.error(
                span,
                message::invalid(
                    "path",
                    &path,
                    "it must be a path in the container without `..`",
                ),
            );
        } else if let Err(problem) = check_destination(&to.value) {
            report.error(to.span, message::invalid("path", &to.value, problem));
        } else {
            let artifact = Artifact {
                from: path,
                to: to.value,
            };
            found.push(Spanned::new(artifact, entry.span()));
        }
        Some(())
    })
}

fn check_destination(path: &str) -> Result<(), &'static str> {
    if path.starts_with('/') {
        return Err("it must be relative to this package's directory");
    }
    let mut parts = path.split('/');
    match parts.all(|part| matches!(part, "" | "." | "..")) {
        true => Err("it must name a directory or file of its own"),
        false => Ok(()),
    }
}
