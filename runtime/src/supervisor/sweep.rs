//! Removes what dead supervisors left, in the background.
//!
//! The label of a thing names its owner. Only things of an owner who is certainly dead are removed. Journals name other
//! engines to search, and creations that may still succeed. Several supervisors may sweep the same things at once, so a
//! thing that is already gone is not an error.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt as _, stream};
use tokio::time::{Instant, sleep};

use super::builds;
use super::identity::{OWNER, OWNERS_CONTAINER};
use super::journal::{Belongings, Journal};
use super::network::abandoned;
use super::reaper::{Reaper, passes, report_leftover};
use crate::engine::discovery::{self, EngineChoice};
use crate::engine::{Engine, EngineError, EngineErrorKind};
use crate::run::{Life, Owner};

/// How many things are removed at once.
const PARALLEL_REMOVALS: usize = 8;

/// The pauses between two passes: the first and the longest while something is expected, and the longest while an
/// engine does not answer or cannot remove something yet.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
const LONG_PAUSE: Duration = Duration::from_secs(10);

/// How long an engine may go on with a creation for a client that was killed.
const CREATED_WITHIN: Duration = Duration::from_secs(4);

/// How long the kernel may take to end a killed process.
const DIES_WITHIN: Duration = Duration::from_secs(4);

/// What earlier supervisors left, and the journal of this one.
#[derive(Default)]
pub(crate) struct History {
    pub(crate) journal: Journal,
    pub(crate) abandoned: Vec<Abandoned>,
    /// Whether nobody waits for the end of this supervisor, so that it may take time for what cannot be removed at
    /// once.
    pub(crate) is_detached: bool,
}

/// What dead supervisors left, according to a journal.
pub(crate) struct Abandoned {
    pub(crate) belongings: Vec<Belongings>,
    /// How long nothing has been written to the journal.
    pub(crate) idle: Duration,
    /// Called when nothing is left.
    pub(crate) forget: Box<dyn FnOnce() + Send + Sync>,
}

/// Removes what dead supervisors left on `engine` and on the engines of their journals, until that is done. Connections
/// use this time-out and these variables. What their builds have made is removed at the end of the run, unless
/// something was built on it.
pub(super) async fn sweep(
    engine: Engine,
    (timeout, variables): (Duration, BTreeMap<String, String>),
    abandoned: Vec<Abandoned>,
    reaper: Reaper,
) {
    let own = engine.info().address.clone();
    let all = || abandoned.iter().flat_map(|it| &it.belongings);
    let mut addresses: BTreeSet<&String> = all().flat_map(|it| &it.engines).collect();
    addresses.insert(&own);
    // Concurrently, so that an engine that does not answer delays no other.
    let cleaning = addresses.into_iter().map(|address| {
        let (engine, own, variables) = (engine.clone(), &own, variables.clone());
        let (expected, reaper) = (Expected::on(address, &abandoned), &reaper);
        let builds = builds_on(address, &abandoned);
        async move {
            let engine = match address == own {
                true => engine,
                false => {
                    let choice = EngineChoice::from(Some(address.clone()));
                    // An engine that does not run now is swept by a run that finds it running.
                    let found = discovery::connect_within(timeout, &choice, variables).await;
                    found.ok()?
                }
            };
            let is_clean = clean(&engine, expected).await;
            let are_removed = remove_builds(&engine, reaper, builds).await;
            (is_clean && are_removed).then_some(address)
        }
    });
    let cleaned: HashSet<&String> = join_all(cleaning).await.into_iter().flatten().collect();
    let is_done = |abandoned: &Abandoned| {
        abandoned.belongings.iter().all(|belongings| {
            belongings.engines.iter().all(|it| cleaned.contains(it))
                && belongings.owner.as_ref().is_none_or(is_dead)
        })
    };
    let done: Vec<bool> = abandoned.iter().map(is_done).collect();
    for (abandoned, is_done) in abandoned.into_iter().zip(done) {
        if is_done {
            (abandoned.forget)();
        }
    }
}

/// What builds of dead supervisors have made on an engine.
fn builds_on<'a>(engine: &str, abandoned: &'a [Abandoned]) -> BTreeMap<&'a str, Vec<String>> {
    let belongings = abandoned.iter().flat_map(|it| &it.belongings);
    let there = belongings.filter(|it| it.engines.contains(engine));
    builds::of_journal(there.flat_map(|it| it.things.keys()))
}

/// Removes it at the end of the run. Returns `false` if anything stays for the next sweep.
async fn remove_builds(
    engine: &Engine,
    reaper: &Reaper,
    builds: BTreeMap<&str, Vec<String>>,
) -> bool {
    if builds.is_empty() {
        return true;
    }
    reaper.over().await;
    let mut all = true;
    for (build, images) in builds {
        let removed = builds::remove(engine, reaper, build, &images).await;
        all &= removed.unwrap_or(false);
    }
    all
}

fn is_dead(owner: &Owner) -> bool {
    owner.life() != Life::Possible
}

/// What may still happen.
#[derive(Default)]
struct Expected {
    /// The creations that may still succeed, and for how long.
    things: HashSet<String>,
    things_within: Duration,
    /// The processes that were killed just now.
    owners: Vec<Owner>,
}

impl Expected {
    fn on(engine: &str, abandoned: &[Abandoned]) -> Self {
        let mut expected = Self::default();
        for journal in abandoned {
            for belongings in &journal.belongings {
                if !belongings.engines.contains(engine) {
                    continue;
                }
                expected.owners.extend(belongings.owner.clone());
                let things = expected.things.len();
                let under_way = belongings.under_way().map(str::to_owned);
                expected.things.extend(under_way);
                if expected.things.len() > things {
                    let within = CREATED_WITHIN.saturating_sub(journal.idle);
                    expected.things_within = expected.things_within.max(within);
                }
            }
        }
        expected
    }

    /// How long something may still come, by the time since the first pass.
    fn goes_on_for(&self, elapsed: Duration) -> Duration {
        let things = match self.things.is_empty() {
            true => Duration::ZERO,
            false => self.things_within,
        };
        let owners = match self.owners.iter().all(is_dead) {
            true => Duration::ZERO,
            false => DIES_WITHIN,
        };
        things.max(owners).saturating_sub(elapsed)
    }
}

/// Removes what dead supervisors left on an engine. Returns when nothing is left and nothing is expected any more.
/// Returns `false` if something stays that cannot be removed.
async fn clean(engine: &Engine, mut expected: Expected) -> bool {
    let begun = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut reported = HashSet::new();
    loop {
        let elapsed = begun.elapsed();
        match look(engine).await {
            Ok(pass) => {
                expected.things.retain(|thing| !pass.seen.contains(thing));
                let (passing, lasting): (Vec<_>, Vec<_>) = pass
                    .failed
                    .into_iter()
                    .partition(|(_, error)| passes(error));
                let is_clean = lasting.is_empty();
                for (thing, error) in lasting {
                    if reported.insert(thing.clone()) {
                        report_leftover(&format!("{thing}, left by a dead run"), &error);
                    }
                }
                if passing.is_empty() {
                    let goes_on = expected.goes_on_for(elapsed);
                    if goes_on.is_zero() {
                        return is_clean;
                    }
                    pause = pause.min(goes_on);
                }
            }
            Err(error) if passes(&error) => {}
            Err(_) => return false,
        }
        sleep(pause).await;
        let longest = match elapsed < 2 * CREATED_WITHIN {
            true => LONGEST_PAUSE,
            false => LONG_PAUSE,
        };
        pause = (pause * 2).min(longest);
    }
}

/// The result of one pass over everything.
#[derive(Default)]
struct Pass {
    /// Everything of dead supervisors that existed.
    seen: HashSet<String>,
    failed: Vec<(String, EngineError)>,
}

/// Removes everything that exists now.
async fn look(engine: &Engine) -> Result<Pass, EngineError> {
    let (containers, volumes, networks) = tokio::try_join!(
        engine.containers(OWNER),
        engine.volumes(OWNER),
        engine.networks()
    )?;
    let all_labels = containers
        .iter()
        .map(|it| &it.labels)
        .chain(volumes.iter().map(|it| &it.labels))
        .chain(networks.iter().map(|it| &it.labels));
    let gone = gone_containers(engine, all_labels).await;
    let owner = |labels: &BTreeMap<String, String>| labels.get(OWNER).cloned();
    let running: HashSet<String> = containers
        .iter()
        .filter(|container| container.running)
        .filter_map(|container| owner(&container.labels))
        .collect();
    let mut known = HashMap::new();
    let mut is_of_dead = |labels: &BTreeMap<String, String>| {
        let is_in = labels.get(OWNERS_CONTAINER);
        if is_in.is_some_and(|container| gone.contains(container)) {
            return true;
        }
        owner(labels).is_some_and(|owner| {
            *known.entry(owner).or_insert_with_key(|owner| {
                match Owner::life_of(owner) {
                    Life::Ended => true,
                    // This also shows that there was a boot since.
                    Life::BeforeBoot => !running.contains(owner),
                    Life::Possible => false,
                }
            })
        })
    };
    let mut pass = Pass::default();

    let containers: Vec<_> = containers
        .into_iter()
        .filter(|container| is_of_dead(&container.labels))
        .map(|container| (format!("container {}", container.name), container.id))
        .collect();
    let volumes: Vec<_> = volumes
        .into_iter()
        .filter(|volume| is_of_dead(&volume.labels))
        .map(|volume| (format!("volume {}", volume.name), volume.name))
        .collect();
    let networks: Vec<_> = networks
        .into_iter()
        .filter(|network| is_of_dead(&network.labels))
        .map(|network| (format!("network {}", network.name), network.id))
        .collect();

    pass.remove(containers, |id| async move { engine.remove(&id).await })
        .await;
    // Both are in use while their containers exist.
    pass.remove(networks, |id| async move {
        abandoned::remove(engine, &id).await
    })
    .await;
    pass.remove(
        volumes,
        |name| async move { engine.remove_volume(&name).await },
    )
    .await;
    Ok(pass)
}

/// The containers of owners that no longer exist, or that do not run. Their processes have ended with them.
async fn gone_containers(
    engine: &Engine,
    labels: impl Iterator<Item = &BTreeMap<String, String>>,
) -> HashSet<String> {
    let containers: HashSet<&String> = labels.filter_map(|it| it.get(OWNERS_CONTAINER)).collect();
    let mut gone = HashSet::new();
    for container in containers {
        let is_gone = match engine.inspect(container).await {
            Ok(found) => !found.running,
            Err(error) => error.kind == EngineErrorKind::NotFound,
        };
        if is_gone {
            gone.insert(container.clone());
        }
    }
    gone
}

impl Pass {
    async fn remove<F>(&mut self, things: Vec<(String, String)>, removal: impl Fn(String) -> F)
    where
        F: Future<Output = Result<(), EngineError>>,
    {
        let removal = &removal;
        let outcomes: Vec<_> = stream::iter(things)
            .map(|(thing, id)| async move { (thing, removal(id).await) })
            .buffer_unordered(PARALLEL_REMOVALS)
            .collect()
            .await;
        for (thing, outcome) in outcomes {
            if let Err(error) = outcome {
                self.failed.push((thing.clone(), error));
            }
            self.seen.insert(thing);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
