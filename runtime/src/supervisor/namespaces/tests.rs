//! Who gets a holder, and how many are prepared, on an engine that answers at once. What a container finds in a namespace is
//! tested on real engines.

use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use super::*;
use crate::engine::fake::{Answers, Call, answer, refusal};
use crate::engine::{ContainerInfo, ContainerSpec, Engine, EngineErrorKind, ImageInfo, Subnet};
use crate::supervisor::identity::{Identity, Role};
use crate::supervisor::journal::Journal;
use crate::supervisor::network::Network;
use crate::supervisor::ports::Ports;
use crate::supervisor::reachability::Reachability;
use crate::supervisor::reaper::Reaper;

/// An engine whose containers are counted.
#[derive(Default)]
struct Counted {
    created: AtomicUsize,
    removed: AtomicUsize,
    /// The numbers of the containers that are refused.
    refuses: Range<usize>,
}

impl Answers for Arc<Counted> {
    fn image<'a>(&'a self, _: &'a str) -> Call<'a, Option<ImageInfo>> {
        answer(Ok(Some(ImageInfo::default())))
    }

    fn create<'a>(&'a self, spec: &'a ContainerSpec) -> Call<'a, String> {
        let number = self.created.fetch_add(1, Ordering::SeqCst);
        answer(match self.refuses.contains(&number) {
            true => Err(refusal(EngineErrorKind::Failed, "no")),
            false => Ok(spec.name.clone()),
        })
    }

    fn start<'a>(&'a self, _: &'a str) -> Call<'a, ()> {
        answer(Ok(()))
    }

    // Its processes are not of this machine, so nobody can look into its namespaces.
    fn inspect<'a>(&'a self, _: &'a str) -> Call<'a, ContainerInfo> {
        answer(Ok(ContainerInfo::default()))
    }

    fn remove<'a>(&'a self, _: &'a str) -> Call<'a, ()> {
        self.removed.fetch_add(1, Ordering::SeqCst);
        answer(Ok(()))
    }
}

struct Pool {
    namespaces: Namespaces,
    reaper: Reaper,
    counted: Arc<Counted>,
}

impl Pool {
    fn new(counted: Counted) -> Self {
        let counted = Arc::new(counted);
        let reaper = Reaper::new(Journal::default(), Duration::ZERO);
        let namespaces = Namespaces::new(Hosts::new());
        namespaces.make_with(|| Maker {
            engine: Engine::fake(counted.clone()),
            network: Network::of_subnet(Subnet {
                address: Ipv4Addr::new(10, 0, 0, 0),
                prefix: 20,
            }),
            identity: Identity::of_process(Role::Run),
            reaper: reaper.clone(),
            ports: Ports::default(),
            reachability: Arc::<Reachability>::default(),
            made: Made::default(),
        });
        Self {
            namespaces,
            reaper,
            counted,
        }
    }

    fn seat(&self, most: usize) -> Seat {
        self.namespaces.seat(Wish {
            ports: Vec::new(),
            range: 20000..=29999,
            published: true,
            changes: false,
            most,
        })
    }

    /// The numbers of holders that were created and removed, once nothing goes on any more.
    async fn created_and_removed(&self) -> (usize, usize) {
        // Each step of a task takes one turn, and there are a few dozen.
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        let Counted {
            created, removed, ..
        } = &*self.counted;
        (
            created.load(Ordering::SeqCst),
            removed.load(Ordering::SeqCst),
        )
    }

    async fn close(self) -> (usize, usize) {
        self.namespaces.close();
        self.reaper.close().await;
        self.created_and_removed().await
    }
}

#[tokio::test]
async fn as_many_are_prepared_as_were_needed_at_once() {
    let pool = Pool::new(Counted::default());
    let seats = [pool.seat(8), pool.seat(8)];
    for seat in &seats {
        seat.goes_on();
        seat.is_decided().await;
        assert!(seat.holder().is_none(), "nothing was ready");
        seat.is_ready();
    }
    assert_eq!(pool.created_and_removed().await, (0, 0), "no other comes");
    drop(seats);
    assert_eq!(pool.created_and_removed().await, (0, 0), "no other comes");
    let again = pool.seat(8);
    assert!(again.holder().is_none(), "nothing was ready");
    again.is_ready();
    // One is in use, and two were.
    assert_eq!(pool.created_and_removed().await, (1, 0));
    let third = pool.seat(8);
    assert!(third.holder().is_some());
    assert_ne!(third.host(), again.host());
    third.is_ready();
    assert_eq!(pool.created_and_removed().await, (1, 0));
    drop(again);
    assert_eq!(pool.created_and_removed().await, (2, 0));
    // Nobody can tell whether it is as if new.
    drop(third);
    assert_eq!(pool.created_and_removed().await, (3, 1));
    assert_eq!(pool.close().await, (3, 3));
}

#[tokio::test]
async fn no_more_are_prepared_than_configured() {
    let pool = Pool::new(Counted::default());
    drop(pool.seat(2));
    let seats = [0; 5].map(|_| pool.seat(2));
    for seat in &seats {
        seat.is_ready();
    }
    drop(seats);
    assert_eq!(pool.created_and_removed().await, (2, 0));
    let none = pool.seat(0);
    assert!(none.holder().is_none());
    none.prepared().await;
    assert!(none.holder().is_none());
    drop(none);
    assert_eq!(pool.close().await, (2, 2));
}

#[tokio::test]
async fn a_waiting_service_gets_one_as_soon_as_nothing_starts() {
    let pool = Pool::new(Counted::default());
    let (starts, waits) = (pool.seat(8), pool.seat(8));
    let prepared = {
        let waits = waits.clone();
        tokio::spawn(async move { waits.prepared().await })
    };
    assert_eq!(pool.created_and_removed().await, (0, 0), "one starts");
    starts.is_ready();
    prepared.await.expect("no panic");
    assert!(waits.holder().is_some());
    assert_eq!(pool.created_and_removed().await, (1, 0));
    drop((starts, waits));
    assert_eq!(pool.close().await, (1, 1));
}

#[tokio::test]
async fn a_service_that_goes_on_waits_for_what_was_begun_and_for_nothing_else() {
    let pool = Pool::new(Counted::default());
    let (starts, waits) = (pool.seat(8), pool.seat(8));
    let mut prepared = Box::pin(waits.prepared());
    assert!(futures_util::poll!(&mut prepared).is_pending());
    waits.goes_on();
    waits.is_decided().await;
    assert!(waits.holder().is_none(), "none was begun");
    prepared.await;
    starts.is_ready();
    waits.is_ready();
    assert_eq!(pool.created_and_removed().await, (0, 0));
    drop((starts, waits));
    assert_eq!(pool.close().await, (0, 0));
}

#[tokio::test]
async fn nothing_more_is_prepared_once_an_engine_has_refused_it_some_times_in_a_row() {
    // What each of some services has got, one after another, and how many containers there were.
    let prepared = async |refused: Range<usize>, services| {
        let pool = Pool::new(Counted {
            refuses: refused,
            ..Counted::default()
        });
        let mut got = Vec::new();
        for _ in 0..services {
            let waits = pool.seat(8);
            waits.prepared().await;
            got.push(waits.holder().is_some());
            drop(waits);
            pool.created_and_removed().await;
        }
        (got, pool.close().await.0)
    };
    let (got, created) = prepared(0..100, 5).await;
    assert_eq!((got, created), (vec![false; 5], REFUSALS));
    // The second one has had the run begin to prepare them, too.
    let (got, _) = prepared(0..REFUSALS - 1, 3).await;
    assert_eq!(got, [false, false, true]);
}

#[tokio::test]
async fn a_holder_that_is_given_up_is_removed_at_once_and_never_used() {
    let pool = Pool::new(Counted::default());
    let waits = pool.seat(8);
    waits.prepared().await;
    assert!(waits.holder().is_some());
    waits.give_up().await.expect("it is removed");
    assert!(waits.holder().is_none());
    assert_eq!(pool.created_and_removed().await, (1, 1));
    drop(waits);
    let other = pool.seat(8);
    assert!(other.holder().is_none());
    drop(other);
    pool.close().await;
}
