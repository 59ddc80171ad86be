//! The result of a job that has ended.

use std::time::Duration;

use seatrial_model::duration;

use super::ended::how_it_ended;
use super::log;
use super::target::Started;
use crate::junit::FailedCase;
use crate::supervisor::artifacts::{Artifacts, TestReport};
use crate::visible::quoted;
use crate::{Error, ErrorKind, terminal};

/// How many failed cases an error names.
const NAMED: usize = 20;

/// Why a job has ended.
#[derive(Clone, Copy, Debug)]
pub(in crate::supervisor) enum JobEnd {
    ByItself,
    /// It was killed after this time.
    TimedOut(Duration),
}

/// The result of a job that has ended.
///
/// # Errors
///
/// Returns an error if it has failed, with the cases that its reports name.
pub(in crate::supervisor) async fn job_result(
    started: &Started<'_>,
    end: JobEnd,
    artifacts: &Artifacts,
) -> Result<(), Error> {
    let target = started.target;
    let (log, no_log) = log::tail(target.engine, target.container).await;
    let ended = how_it_ended(started, &log).await;
    let (what, cause, help) = match end {
        JobEnd::TimedOut(within) => (
            format!(
                "the job did not end within {}, and was killed",
                terminal::duration(within)
            ),
            None,
            Some(format!(
                "see in its output what it waited for; if it is only slow, write `timeout = \"{}\"` in its `#[job(..)]`",
                duration::format(within * 2)
            )),
        ),
        JobEnd::ByItself if ended.code != Some(0) => (ended.what, ended.cause, ended.help),
        JobEnd::ByItself if !artifacts.problems.is_empty() => (
            "the job has succeeded, and not all of its artifacts could be copied".to_owned(),
            None,
            Some(
                "see in its output where it has written them; a path in `artifacts(..)` that is not absolute is below the working directory"
                    .to_owned(),
            ),
        ),
        JobEnd::ByItself => return Ok(()),
    };
    let cases = artifacts.reports.iter().flat_map(failures);
    let cases = cases.map(|text| quoted(target.redactor, &text));
    let problems = artifacts.problems.iter().chain(&artifacts.unread);
    let problems = problems.map(|text| quoted(target.redactor, text));
    Err(Error::new(ErrorKind::Job, what).with(|report| {
        report.details = cause.into_iter().chain(cases).chain(problems).collect();
        report.details.extend(no_log);
        report.exit_code = match end {
            JobEnd::ByItself => ended.code,
            JobEnd::TimedOut(_) => None,
        };
        report.help = help;
        report.log = log;
    }))
}

/// The lines about the failed cases of a report.
fn failures(report: &TestReport) -> Vec<String> {
    let TestReport { path, cases } = report;
    let failed = &cases.failed;
    if failed.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![format!(
        "{} of {} cases failed, says {path}:",
        failed.len(),
        cases.count
    )];
    let named = failed.iter().take(NAMED);
    lines.extend(
        named.map(|FailedCase { name, message }| match message.is_empty() {
            true => format!("  {name}"),
            false => format!("  {name}: {message}"),
        }),
    );
    if let Some(more @ 1..) = failed.len().checked_sub(NAMED) {
        lines.push(format!("  and {more} more"));
    }
    lines
}
