//! Telling people what is kept, at the end of what used it.
//!
//! Where the run's terminal is known the keeper does so at the end of the run, see `supervisor/process.rs`. Where there is
//! none, as in CI, each process that has used something says so when it ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, Once, PoisonError};

use seatrial_model::Plan;

use crate::protocol::Kept;
use crate::run::Run;
use crate::terminal::{self, Stay};

static USED: Mutex<BTreeSet<Stay>> = Mutex::new(BTreeSet::new());

/// How long each of these services stays.
pub(super) fn stays(plan: &Plan, kept: &BTreeMap<usize, Kept>) -> Vec<Stay> {
    let kept = kept.iter().filter_map(|(index, kept)| match kept {
        Kept::Wanted { stays, .. } => Some(Stay {
            composition: plan.name.clone(),
            service: plan.services[*index].field.clone(),
            stays: *stays,
        }),
        Kept::Running(_) => None,
    });
    kept.collect()
}

/// Notes that this process uses services that are kept.
pub(super) fn used(stays: Vec<Stay>) {
    let mut used = USED.lock().unwrap_or_else(PoisonError::into_inner);
    used.extend(stays);
    drop(used);
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let run = Run::of_process().ok();
        if run.and_then(|run| run.process.terminal()).is_none() {
            // SAFETY: the handler is a plain function that takes no reference to anything on a stack.
            let _ = unsafe { libc::atexit(at_exit) };
        }
    });
}

extern "C" fn at_exit() {
    // Whoever has it at this moment will not give it back.
    if let Ok(used) = USED.try_lock() {
        terminal::show(&terminal::kept(used.iter()));
    }
}
