//! The ends of a container's runs. A container runs from its start, and again after each start that follows a stop.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::engine::{Engine, EngineError};

/// The end of a container's latest run, for everyone but the task that follows the container.
#[derive(Clone)]
pub(super) struct LatestExit(Arc<watch::Sender<State>>);

impl LatestExit {
    /// How the container ended and how long ago, if it has ended.
    pub(super) fn get(&self) -> Option<(Exit, Duration)> {
        let state = self.0.borrow();
        state
            .exit
            .as_ref()
            .map(|(exit, at)| (exit.clone(), at.elapsed()))
    }
}

/// How a run of a container ended.
#[derive(Clone, Debug)]
pub(super) enum Exit {
    Code(i64),
    /// The engine does not say, for example because it went away.
    Unknown(EngineError),
}

/// Is called with the exit code of each run.
type OnExit = Arc<dyn Fn(i64) + Send + Sync>;

/// Follows a container from start to end.
pub(super) struct Exits {
    state: Arc<watch::Sender<State>>,
    on_exit: OnExit,
    /// The task that waits for the engine. It ends with this value.
    following: Mutex<JoinSet<()>>,
}

#[derive(Debug, Default)]
struct State {
    /// The number of the container's latest run.
    run: u64,
    /// How the latest run ended, and when the engine reported it.
    exit: Option<(Exit, Instant)>,
}

impl Exits {
    /// Follows a container that was just started. `on_exit` is called with the exit code of each run that ends, before anyone who waits
    /// for that end goes on. The removal of the container is not such an end.
    pub(super) fn of(
        engine: &Engine,
        id: &str,
        on_exit: impl Fn(i64) + Send + Sync + 'static,
    ) -> Self {
        let exits = Self {
            state: Arc::new(watch::Sender::new(State::default())),
            on_exit: Arc::new(on_exit),
            following: Mutex::default(),
        };
        exits.started(engine, id);
        exits
    }

    /// Notes that the container was started again.
    pub(super) fn started(&self, engine: &Engine, id: &str) {
        let run = self.begin_run();
        let (engine, id, state) = (engine.clone(), id.to_owned(), self.state.clone());
        let on_exit = self.on_exit.clone();
        let mut following = self
            .following
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        following.spawn(async move {
            let exit = engine
                .wait(&id)
                .await
                .map_or_else(Exit::Unknown, Exit::Code);
            if let Exit::Code(code) = exit {
                on_exit(code);
            }
            state.send_if_modified(|state| {
                let is_latest = state.run == run;
                if is_latest {
                    state.exit = Some((exit, Instant::now()));
                }
                is_latest
            });
        });
    }

    /// Notes that the container is about to be stopped on purpose. Waiting for its end then means the end of its next
    /// run.
    pub(super) fn disregard_latest(&self) {
        self.begin_run();
    }

    fn begin_run(&self) -> u64 {
        let mut run = 0;
        self.state.send_modify(|state| {
            run = state.run + 1;
            *state = State { run, exit: None };
        });
        run
    }

    /// The end of the run that is the latest at each look.
    pub(super) fn latest_exit(&self) -> LatestExit {
        LatestExit(self.state.clone())
    }

    /// How the latest run ended, if it has.
    pub(super) fn latest(&self) -> Option<Exit> {
        self.latest_exit().get().map(|(exit, _)| exit)
    }

    /// How long ago the latest run ended, if it has.
    pub(super) fn ended_ago(&self) -> Option<Duration> {
        self.latest_exit().get().map(|(_, ago)| ago)
    }

    /// Waits until the latest run has ended.
    pub(super) async fn ended(&self) {
        let mut state = self.state.subscribe();
        let _ = state.wait_for(|state| state.exit.is_some()).await;
    }
}
