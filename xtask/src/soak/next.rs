//! The next run on a machine, which removes what is left of one before.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::left::Gone;
use super::round::Round;
use crate::api::Api;

/// Starts a run after one of which something is left, and waits until that is gone. Of the run itself nothing may be left,
/// either. `prepare` adds to its surroundings.
pub(super) fn gone(
    api: &Api,
    round: &Round,
    executable: &Path,
    within: Duration,
    prepare: impl FnOnce(&mut Command),
) -> Result<Gone> {
    let directories = round.run_directories();
    let next = round.next();
    let mut command = Command::new(executable);
    command.arg("--ignored");
    next.prepare(&mut command)?;
    prepare(&mut command);
    let begun = Instant::now();
    let mut run = command.spawn().context("cannot run the next run")?;
    let gone = round.gone_by_next(api, begun, within, || {
        round.left_on_engine_and_in(api, &directories)
    })?;
    let status = next.ended(&mut run)?;
    ensure!(status.success(), "the next run failed: {status}");
    let own = round.gone_by_next(api, Instant::now(), within, || next.left(api))?;
    ensure!(
        own.late.is_none(),
        "left of the next run: {}",
        own.late.unwrap_or_default()
    );
    Ok(gone)
}
