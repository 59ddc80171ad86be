//! The notice of what is kept, shown when its users have ended.
//!
//! If the run has a terminal, the keeper shows the notice at the end of the run, see `supervisor/process.rs`. If it has none,
//! as in CI, each process that has used a kept service shows the notice when the process ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, Once, PoisonError};

use seatrial_model::Plan;

use crate::protocol::Kept;
use crate::run::Run;
use crate::terminal::{self, Stay};

static USED: Mutex<BTreeSet<Stay>> = Mutex::new(BTreeSet::new());

/// The kept services of a plan, with the time that each stays.
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

/// Notes that this process uses these kept services.
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
    // Blocking could last for ever: a thread that holds the lock now may never release it.
    if let Ok(used) = USED.try_lock() {
        terminal::show(&terminal::kept(used.iter()));
    }
}
