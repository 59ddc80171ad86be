//! The identity of a run in labels and names on the engine.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::engine::Engine;
use crate::run::{Owner, process};

/// The prefix of every label.
pub(crate) const LABEL: &str = "dev.seatrial";

/// The label that names the owner.
pub(super) const OWNER: &str = "dev.seatrial.owner";

/// The label with the owner's container, if the owner runs in one of the same engine.
pub(super) const OWNERS_CONTAINER: &str = "dev.seatrial.owner.container";

/// The value of the run's label for what outlives runs.
const KEPT: &str = "kept";

/// The identity of a run.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// `SEATRIAL_RUN_ID`, nextest's run id, or this process.
    pub(super) run: String,
    /// This process.
    pub(super) owner: Owner,
    /// The container of this process, if it is one of the engine's.
    container: OnceLock<String>,
    /// The prefix of this supervisor's names on the engine. It is unique.
    pub(super) prefix: String,
}

/// What kind of services a supervisor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The services of a run.
    Run,
    /// The services that outlive the runs that use them.
    Keeper,
}

/// The container of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OwnContainer<'a> {
    /// The engine has the container, by this id.
    OfEngine(&'a str),
    /// Another engine has the container, or its id is not known. Or there is no container, as a machine that was made
    /// from an image may look like one.
    Other,
}

impl OwnContainer<'_> {
    /// The container in a message.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::OfEngine(id) => {
                format!(
                    "the tests run in the container `{}`",
                    &id[..id.len().min(12)]
                )
            }
            Self::Other => "the tests seem to run in a container".to_owned(),
        }
    }
}

impl Identity {
    pub(super) fn of_process(role: Role) -> Self {
        let pid = std::process::id();
        // Two supervisors of one process may begin in the same microsecond.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let token = format!("{pid:x}-{:x}-{count}", now_micros() & 0xffff_ffff_ffff);
        let (run, beginning) = match role {
            Role::Run => {
                let named = ["SEATRIAL_RUN_ID", "NEXTEST_RUN_ID"]
                    .iter()
                    .find_map(|name| std::env::var(name).ok().filter(|id| !id.is_empty()));
                (named.unwrap_or_else(|| token.clone()), "seatrial")
            }
            // A container on several networks publishes its ports through the network whose name comes first. The
            // network of a run comes and goes, so its name must come later (libnetwork sorts the endpoints of a sandbox
            // like that).
            Role::Keeper => (KEPT.to_owned(), "kept-by-seatrial"),
        };
        Self {
            run,
            prefix: format!("{beginning}-{token}"),
            owner: Owner::this_process(now_micros),
            container: OnceLock::new(),
        }
    }

    /// Finds out whether this process runs in a container of that engine. Others who cannot see this process can then
    /// ask the engine whether it is dead.
    pub(super) async fn look_for_own_container(&self, engine: &Engine) {
        if let Some(id) = process::container()
            && engine.inspect(&id).await.is_ok_and(|found| found.running)
        {
            let _ = self.container.set(id);
        }
    }

    /// The container of this process.
    pub(super) fn own_container(&self) -> Option<OwnContainer<'_>> {
        match self.container.get() {
            Some(id) => Some(OwnContainer::OfEngine(id)),
            None => process::is_in_container().then_some(OwnContainer::Other),
        }
    }

    /// The labels of everything that belongs to the run.
    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        let container = self.container.get();
        let container = container.map(|id| (OWNERS_CONTAINER.to_owned(), id.clone()));
        [
            (format!("{LABEL}.run"), self.run.clone()),
            (OWNER.to_owned(), self.owner.to_string()),
            (format!("{LABEL}.created"), now_micros().to_string()),
        ]
        .into_iter()
        .chain(container)
        .collect()
    }
}

/// Microseconds since the Unix epoch.
pub(super) fn now_micros() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
        })
}
