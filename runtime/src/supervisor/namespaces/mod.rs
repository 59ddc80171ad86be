//! Network namespaces that are prepared ahead, for the services of a run.
//!
//! More than half of a container's start on Docker is the work on its network. A service that joins the namespace of a
//! [`Holder`] starts without it. Holders are prepared while images are fetched and, once a run launches again what it has
//! launched, while tests run. A service that gets none has a network of its own, and its start is not slower for it.
//!
//! This module decides who gets which namespace, how many there are, and which are used again. Every service has a
//! [`Seat`], which is its address and, if there is one, its holder. It must not know what a service is.

mod holder;
mod maker;
mod program;
mod wish;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use tokio::sync::watch;

pub(super) use self::holder::Holder;
use self::maker::NotMade;
pub(super) use self::maker::{Made, Maker};
use self::wish::Key;
pub(super) use self::wish::Wish;
use super::network::{HostNumber, Hosts};
use super::reaper::TaskGuard;
use crate::engine::EngineError;

/// The most holders that are prepared at the same time. Engines do most of this work one after another.
const AT_ONCE: usize = 2;

/// How many holders in a row an engine refuses before no more are prepared. A single refusal may have a cause that passes,
/// such as a port that another process has just taken.
const REFUSALS: usize = 3;

/// The namespaces of a run.
#[derive(Clone)]
pub(super) struct Namespaces(Arc<Inner>);

struct Inner {
    hosts: Hosts,
    maker: OnceLock<Maker>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The seats that are taken, and those whose container is not removed yet.
    seats: BTreeMap<u64, Taken>,
    next: u64,
    /// The most seats of a kind that were taken at the same time.
    peaks: HashMap<Key, usize>,
    /// The most recently used last.
    idle: Vec<Holder>,
    /// What is being prepared for services to come.
    making: Vec<Key>,
    /// The seats of waiting services that would use a holder.
    waiting: VecDeque<Weak<Place>>,
    /// How many holders are being prepared for seats.
    for_seats: usize,
    /// The most seats that were taken at the same time.
    peak: usize,
    /// The most idle holders, as the latest service had it.
    most: usize,
    /// How many holders in a row the engine has refused.
    refusals: usize,
    is_over: bool,
}

struct Taken {
    wish: Wish,
    step: Step,
}

/// How far a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// It waits for its image.
    Waiting,
    Starting,
    Ready,
}

/// A service's place on the network: its address and, if there is one, its holder. The address is in use as long as a clone
/// lives.
#[derive(Clone)]
pub(super) struct Seat(Arc<Place>);

struct Place {
    namespaces: Namespaces,
    number: u64,
    host: HostNumber,
    wish: Wish,
    holder: OnceLock<Holder>,
    /// Whether a holder is there, is being prepared, or will not come.
    progress: watch::Sender<Progress>,
    is_given_up: AtomicBool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    None,
    Begun,
    /// What there is now is all there will be.
    Over,
}

impl Namespaces {
    pub(super) fn new(hosts: Hosts) -> Self {
        Self(Arc::new(Inner {
            hosts,
            maker: OnceLock::new(),
            state: Mutex::default(),
        }))
    }

    /// Lets holders be made, once the run has a network.
    pub(super) fn make_with(&self, maker: impl FnOnce() -> Maker) {
        self.0.maker.get_or_init(maker);
        self.go_on();
    }

    /// A seat for a service, with a holder if one is ready.
    pub(super) fn seat(&self, wish: Wish) -> Seat {
        let mut state = self.state();
        state.next += 1;
        let number = state.next;
        let key = self.key(&wish);
        let holder = match wish.most {
            0 => None,
            _ => state.take(&key),
        };
        if wish.most > 0 && holder.is_none() && state.idle.len() >= wish.most {
            // Another kind is wanted now.
            state.idle.remove(0);
        }
        let taken = Taken {
            wish: wish.clone(),
            step: Step::Starting,
        };
        state.seats.insert(number, taken);
        state.peak = state.peak.max(state.seats.len());
        if wish.most > 0 {
            state.most = wish.most;
            let taken = self.taken(&state, &key);
            let peak = state.peaks.entry(key).or_default();
            *peak = taken.max(*peak);
        }
        let host = holder.as_ref().map(|holder| holder.host);
        let progress = match &holder {
            None if wish.most > 0 => Progress::None,
            _ => Progress::Over,
        };
        Seat(Arc::new(Place {
            namespaces: self.clone(),
            number,
            host: host.unwrap_or_else(|| self.0.hosts.next()),
            wish,
            holder: holder.map(OnceLock::from).unwrap_or_default(),
            progress: watch::Sender::new(progress),
            is_given_up: AtomicBool::new(false),
        }))
    }

    /// The number of taken seats of a kind.
    fn taken(&self, state: &State, key: &Key) -> usize {
        let wishes = state.seats.values().map(|taken| &taken.wish);
        let same = wishes.filter(|wish| wish.most > 0 && self.key(wish) == *key);
        same.count()
    }

    fn key(&self, wish: &Wish) -> Key {
        let maker = self.0.maker.get();
        let is_reached =
            maker.is_none_or(|maker| maker.reachability.is_expected(maker.network.gateway()));
        wish.key(is_reached)
    }

    /// Prepares what is wanted next: first for services that wait, then as many as the run is likely to need.
    fn go_on(&self) {
        let Some(maker) = self.0.maker.get() else {
            return;
        };
        // The last clone of a seat must not be dropped while the state is locked.
        let mut looked_at = Vec::new();
        let mut state = self.state();
        while let Some(place) = state.next_waiting(&mut looked_at) {
            state.for_seats += 1;
            let task_guard = maker.reaper.task_guard();
            tokio::spawn(async move {
                place.make().await;
                drop(place);
                drop(task_guard);
            });
        }
        while let Some(key) = self.missing(&state) {
            state.making.push(key.clone());
            let (namespaces, task_guard) = (self.clone(), maker.reaper.task_guard());
            tokio::spawn(namespaces.make(key, task_guard));
        }
    }

    /// The kind of the holder to prepare next for services to come.
    fn missing(&self, state: &State) -> Option<Key> {
        // A run whose services are all in use at once may launch no more.
        let is_repeated = state.next > state.peak as u64;
        if state.is_over || state.is_refused() || !is_repeated {
            return None;
        }
        let mut taken = state.seats.values();
        let at_once = match taken.all(|taken| taken.step == Step::Ready) {
            true => AT_ONCE,
            // There may always be some that are not.
            false => 1,
        };
        let others = state.idle.len() + state.making.len();
        if state.making.len() + state.for_seats >= at_once || others >= state.most {
            return None;
        }
        let missing = state.peaks.iter().filter_map(|(key, peak)| {
            let idle = state
                .idle
                .iter()
                .filter(|holder| holder.key == *key)
                .count();
            let making = state.making.iter().filter(|it| *it == key).count();
            // What is being removed counts as taken, so the next test may begin before that is over.
            let wanted = peak.saturating_sub(self.taken(state, key));
            let missing = wanted.saturating_sub(idle + making);
            (missing > 0).then_some((missing, key))
        });
        missing
            .max_by_key(|(missing, _)| *missing)
            .map(|(_, key)| key.clone())
    }

    async fn make(self, key: Key, _task_guard: TaskGuard) {
        let made = self.made(key.clone(), self.0.hosts.next()).await;
        {
            let mut state = self.state();
            if let Some(position) = state.making.iter().position(|it| *it == key) {
                state.making.remove(position);
            }
            match made {
                Ok(holder) => {
                    state.refusals = 0;
                    if !state.is_over {
                        state.idle.push(holder);
                    }
                }
                Err(error) => self.failed(&mut state, error),
            }
        }
        self.go_on();
    }

    async fn made(&self, key: Key, host: HostNumber) -> Result<Holder, NotMade> {
        let maker = self.0.maker.get();
        let maker = maker.expect("holders are made once there is something to make them with");
        Holder::start(maker, key, host).await
    }

    /// Draws the consequences of a failure.
    fn failed(&self, state: &mut State, why: NotMade) {
        if let NotMade::Refused(_) = why {
            state.refusals += 1;
            return;
        }
        // From now on holders publish their ports, and are of other kinds.
        state.peaks.clear();
        let wishes: Vec<Wish> = state
            .seats
            .values()
            .map(|taken| taken.wish.clone())
            .collect();
        for wish in wishes.iter().filter(|wish| wish.most > 0) {
            *state.peaks.entry(self.key(wish)).or_default() += 1;
        }
    }

    /// Takes back what a seat had.
    fn give_back(&self, number: u64, holder: Option<Holder>) {
        {
            let mut state = self.state();
            state.seats.remove(&number);
            if let Some(mut holder) = holder {
                holder.is_used = true;
                if !state.is_over && holder.is_fit() {
                    state.idle.push(holder);
                }
            }
        }
        self.go_on();
    }

    /// Removes every holder that no service has, and prepares no more.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.is_over = true;
        state.idle.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn step(&mut self, seat: u64, step: Step) {
        if let Some(taken) = self.seats.get_mut(&seat) {
            taken.step = step;
        }
    }

    /// Whether the engine seems to refuse all holders. No more are prepared then.
    fn is_refused(&self) -> bool {
        self.refusals >= REFUSALS
    }

    fn is_starting(&self) -> bool {
        let mut taken = self.seats.values();
        taken.any(|taken| taken.step == Step::Starting)
    }

    /// The next waiting service to prepare a holder for. None is prepared beside the start of a service, which would take longer.
    fn next_waiting(&mut self, looked_at: &mut Vec<Arc<Place>>) -> Option<Arc<Place>> {
        if self.is_over || self.is_starting() {
            return None;
        }
        while self.for_seats < AT_ONCE {
            let Some(place) = self.waiting.pop_front()?.upgrade() else {
                continue;
            };
            looked_at.push(place.clone());
            let is_refused = self.is_refused();
            let is_wanted = place.progress.send_if_modified(|progress| {
                let is_wanted = *progress == Progress::None;
                if is_wanted {
                    *progress = if is_refused {
                        Progress::Over
                    } else {
                        Progress::Begun
                    };
                }
                is_wanted
            });
            if is_wanted && !is_refused {
                return Some(place);
            }
        }
        None
    }

    /// An idle holder of this kind, the one that has been idle for the longest time.
    fn take(&mut self, key: &Key) -> Option<Holder> {
        loop {
            let position = self.idle.iter().position(|holder| holder.key == *key)?;
            let holder = self.idle.remove(position);
            // Something may have happened to it meanwhile.
            if holder.is_fit() {
                return Some(holder);
            }
        }
    }
}

impl Seat {
    pub(super) fn host(&self) -> HostNumber {
        self.0.host
    }

    /// Has a holder prepared for the service, which has to wait for its image, and returns when that is done. It may be
    /// refused.
    pub(super) async fn prepared(&self) {
        {
            let mut state = self.0.namespaces.state();
            state.step(self.0.number, Step::Waiting);
            state.waiting.push_back(Arc::downgrade(&self.0));
        }
        self.0.namespaces.go_on();
        self.until(|progress| progress == Progress::Over).await;
    }

    /// Waits while a holder is being prepared for the service.
    pub(super) async fn is_decided(&self) {
        self.until(|progress| progress != Progress::Begun).await;
    }

    async fn until(&self, is_it: impl Fn(Progress) -> bool) {
        let mut progress = self.0.progress.subscribe();
        // The sender is part of this value.
        let _ = progress.wait_for(|progress| is_it(*progress)).await;
    }

    /// Notes that the service has waited long enough. A holder that is being prepared is still worth waiting for; no other
    /// comes any more.
    pub(super) fn goes_on(&self) {
        let mut state = self.0.namespaces.state();
        state.step(self.0.number, Step::Starting);
        self.0.progress.send_if_modified(|progress| {
            let is_none = *progress == Progress::None;
            if is_none {
                *progress = Progress::Over;
            }
            is_none
        });
    }

    /// The holder of this seat.
    pub(super) fn holder(&self) -> Option<&Holder> {
        let is_given_up = self.0.is_given_up.load(Ordering::Relaxed);
        self.0.holder.get().filter(|_| !is_given_up)
    }

    /// Removes the holder, so that a container with a network of its own can have the address.
    ///
    /// # Errors
    ///
    /// Returns an error if the engine does not remove it.
    pub(super) async fn give_up(&self) -> Result<(), EngineError> {
        self.0.is_given_up.store(true, Ordering::Relaxed);
        match self.0.holder.get() {
            Some(holder) => holder.remove().await,
            None => Ok(()),
        }
    }

    /// Notes that the service is ready.
    pub(super) fn is_ready(&self) {
        let step = Step::Ready;
        self.0.namespaces.state().step(self.0.number, step);
        self.0.namespaces.go_on();
    }
}

impl Place {
    async fn make(&self) {
        let namespaces = &self.namespaces;
        let made = namespaces.made(namespaces.key(&self.wish), self.host).await;
        {
            let mut state = namespaces.state();
            state.for_seats -= 1;
            match made {
                Ok(holder) => {
                    state.refusals = 0;
                    let _ = self.holder.set(holder);
                }
                Err(why) => namespaces.failed(&mut state, why),
            }
        }
        self.progress.send_replace(Progress::Over);
        namespaces.go_on();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let holder = self.holder.take();
        if self.wish.changes
            && let Some(holder) = &holder
        {
            holder.has_changed();
        }
        self.namespaces.give_back(self.number, holder);
    }
}

#[cfg(test)]
mod tests;
