//! //! What happens to a network that an engine cannot remove, and which of these networks is taken over.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use super::claim::Claim;
use super::subnet::{overlap, parsed};
use super::*;
use crate::engine::fake::{Answers, Call, answer, refusal};
use crate::engine::{ContainerListing, NetworkInfo};
use crate::supervisor::Role;
use crate::supervisor::identity::OWNER;
use crate::supervisor::journal::Journal;

/// An engine with networks.
#[derive(Default)]
struct Networks {
    there: Mutex<Vec<NetworkInfo>>,
    /// The attached containers at each question. The last answer repeats.
    attached: Mutex<VecDeque<Vec<String>>>,
    containers: Mutex<Vec<ContainerListing>>,
    /// How often a removal is refused because containers are said to be attached.
    counts: Mutex<u32>,
    removals: Mutex<u32>,
}

impl Answers for Arc<Networks> {
    fn networks(&self) -> Call<'_, Vec<NetworkInfo>> {
        answer(Ok(self.there.lock().unwrap().clone()))
    }

    fn create_network<'a>(&'a self, network: &'a NetworkSpec) -> Call<'a, String> {
        let mut there = self.there.lock().unwrap();
        let id = format!("new-{}", there.len());
        there.push(NetworkInfo {
            id: id.clone(),
            name: network.name.clone(),
            subnets: vec![network.subnet],
            labels: network.labels.clone(),
        });
        answer(Ok(id))
    }

    fn attached<'a>(&'a self, _: &'a str) -> Call<'a, Vec<String>> {
        let mut attached = self.attached.lock().unwrap();
        let now = match attached.len() {
            0 => Vec::new(),
            1 => attached[0].clone(),
            _ => attached.pop_front().unwrap(),
        };
        answer(Ok(now))
    }

    fn containers<'a>(&'a self, _: &'a str) -> Call<'a, Vec<ContainerListing>> {
        answer(Ok(self.containers.lock().unwrap().clone()))
    }

    fn remove_network<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        *self.removals.lock().unwrap() += 1;
        let mut counts = self.counts.lock().unwrap();
        if *counts > 0 {
            *counts -= 1;
            let message = "network has active endpoints";
            return answer(Err(refusal(EngineErrorKind::Conflict, message)));
        }
        self.there
            .lock()
            .unwrap()
            .retain(|network| network.id != id);
        answer(Ok(()))
    }
}

const FOR_EVER: u32 = u32::MAX;

fn engine(networks: Networks) -> (Arc<Networks>, Engine) {
    let networks = Arc::new(networks);
    (networks.clone(), Engine::fake(networks))
}

fn network(claim: Option<Arc<Claim>>) -> Network {
    Network {
        name: "seatrial-tests".to_owned(),
        id: "the-network".to_owned(),
        subnet: parsed("10.1.16.0/20"),
        claim,
    }
}

fn reaper() -> Reaper {
    Reaper::new(Journal::default(), Duration::from_secs(10))
}

#[tokio::test(start_paused = true)]
async fn a_network_that_containers_leave_late_is_removed() {
    let (networks, engine) = engine(Networks {
        attached: Mutex::new([vec!["late".to_owned()], vec![]].into()),
        counts: Mutex::new(3),
        ..Networks::default()
    });
    try_to_remove(&engine, &network(None), &reaper())
        .await
        .expect("removed");
    assert_eq!(*networks.removals.lock().unwrap(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_network_that_containers_do_not_leave_is_reported() {
    let (_, engine) = engine(Networks {
        attached: Mutex::new([vec!["somebody".to_owned()]].into()),
        counts: Mutex::new(FOR_EVER),
        ..Networks::default()
    });
    let error = try_to_remove(&engine, &network(None), &reaper())
        .await
        .expect_err("it is in use");
    assert_eq!(error.kind, EngineErrorKind::Conflict);
}

#[tokio::test(start_paused = true)]
async fn a_network_that_nothing_but_the_count_holds_is_given_up() {
    let (networks, engine) = engine(Networks {
        counts: Mutex::new(FOR_EVER),
        ..Networks::default()
    });
    let begun = tokio::time::Instant::now();
    try_to_remove(&engine, &network(None), &reaper())
        .await
        .expect("given up");
    assert!(
        *networks.removals.lock().unwrap() > 1,
        "the count may be late"
    );
    assert!(begun.elapsed() < DETACHED_WITHIN, "{:?}", begun.elapsed());
}

/// A network of a dead owner. Its id is unique to the test, as claims hold for the whole machine.
fn abandoned(test: &str) -> NetworkInfo {
    let own = Identity::of_process(Role::Run).owner.to_string();
    let [boot, process, _, namespace, machine] = own.split('/').collect::<Vec<_>>()[..] else {
        panic!("{own}")
    };
    // A process with this number exists, but it began at another time.
    let owner = format!("{boot}/{process}/1/{namespace}/{machine}");
    NetworkInfo {
        id: format!("{test}-{process}"),
        name: "seatrial-of-another".to_owned(),
        subnets: vec![parsed("10.7.16.0/20")],
        labels: [(OWNER.to_owned(), owner)].into(),
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(start_paused = true)]
async fn a_network_that_was_given_up_is_used_again_by_one_run_at_a_time() {
    let given_up = abandoned("given-up");
    let (_, engine) = engine(Networks {
        there: Mutex::new(vec![given_up.clone()]),
        counts: Mutex::new(FOR_EVER),
        ..Networks::default()
    });
    let identity = Identity::of_process(Role::Run);
    let first = create(&engine, &identity, "seatrial-tests".to_owned(), &reaper())
        .await
        .expect("a network");
    assert_eq!(
        (&first.id, first.subnet),
        (&given_up.id, given_up.subnets[0])
    );
    let second = create(&engine, &identity, "seatrial-tests".to_owned(), &reaper())
        .await
        .expect("a network");
    assert_ne!(second.id, given_up.id);
    assert!(!overlap(second.subnet, first.subnet));

    try_to_remove(&engine, &first, &reaper())
        .await
        .expect("given up again");
    drop(first);
    let third = create(&engine, &identity, "seatrial-tests".to_owned(), &reaper())
        .await
        .expect("a network");
    assert_eq!(third.id, given_up.id);
}

/// A supervisor whose engine hangs at the end leaves it to the next reader of its journal, and reports nothing.
#[cfg(target_os = "linux")]
#[tokio::test(start_paused = true)]
async fn the_journal_has_a_network_that_is_used_again() {
    let path = std::env::temp_dir().join(format!("seatrial-used-again-{}", std::process::id()));
    let identity = Identity::of_process(Role::Run);
    let journal = Journal::open(&path, identity.owner.clone()).expect("a file");
    std::fs::remove_file(&path).expect("it was made here");
    let reaper = Reaper::new(journal, Duration::from_secs(10));
    let (_, engine) = engine(Networks {
        there: Mutex::new(vec![abandoned("used-again")]),
        counts: Mutex::new(FOR_EVER),
        ..Networks::default()
    });
    let network = create(&engine, &identity, "seatrial-tests".to_owned(), &reaper)
        .await
        .expect("a network");
    assert_eq!(network.name, "seatrial-of-another");
    assert!(reaper.journal.has("network seatrial-of-another"));
    remove(&engine, &network, &reaper).await;
    assert!(reaper.journal.is_settled());
}

#[cfg(target_os = "linux")]
#[tokio::test(start_paused = true)]
async fn a_network_of_a_dead_run_that_can_be_removed_is() {
    let left = abandoned("left");
    let (networks, engine) = engine(Networks {
        there: Mutex::new(vec![left.clone()]),
        ..Networks::default()
    });
    let network = create(
        &engine,
        &Identity::of_process(Role::Run),
        "seatrial-tests".to_owned(),
        &reaper(),
    )
    .await;
    assert_ne!(network.expect("a network").id, left.id);
    assert!(!networks.there.lock().unwrap().contains(&left));
}

#[tokio::test(start_paused = true)]
async fn a_network_of_which_anybody_may_have_need_is_not_touched() {
    let of_the_living = NetworkInfo {
        labels: Identity::of_process(Role::Run).labels(),
        ..abandoned("living")
    };
    let foreign = NetworkInfo {
        labels: Default::default(),
        ..abandoned("foreign")
    };
    for (network, attached) in [
        (of_the_living, vec![]),
        (foreign, vec![]),
        (abandoned("in-use"), vec!["somebody".to_owned()]),
    ] {
        let (networks, engine) = engine(Networks {
            there: Mutex::new(vec![network.clone()]),
            attached: Mutex::new([attached].into()),
            counts: Mutex::new(FOR_EVER),
            ..Networks::default()
        });
        let own = create(
            &engine,
            &Identity::of_process(Role::Run),
            "seatrial-tests".to_owned(),
            &reaper(),
        )
        .await;
        assert_ne!(own.expect("a network").id, network.id);
        assert_eq!(*networks.removals.lock().unwrap(), 0, "{network:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_network_of_a_dead_run_is_left_to_the_sweep_while_its_containers_are_there() {
    let left = abandoned("has-containers");
    let container = ContainerListing {
        labels: left.labels.clone(),
        ..ContainerListing::default()
    };
    let (networks, engine) = engine(Networks {
        there: Mutex::new(vec![left.clone()]),
        containers: Mutex::new(vec![container]),
        counts: Mutex::new(FOR_EVER),
        ..Networks::default()
    });
    let identity = Identity::of_process(Role::Run);
    let own = create(&engine, &identity, "seatrial-tests".to_owned(), &reaper()).await;
    assert_ne!(own.expect("a network").id, left.id);
    assert_eq!(*networks.removals.lock().unwrap(), 0);
}

#[test]
fn host_numbers_stay_within_the_subnet() {
    let hosts = Hosts::new();
    let network = Network {
        name: "seatrial-tests".to_owned(),
        id: String::new(),
        subnet: parsed("10.1.16.0/20"),
        claim: None,
    };
    for _ in 0..10_000 {
        let address = network.address(hosts.next());
        assert!(
            overlap(
                Subnet {
                    address,
                    prefix: 32
                },
                network.subnet
            ),
            "{address}"
        );
        assert_ne!(address, network.gateway());
        assert_ne!(address, Ipv4Addr::new(10, 1, 31, 255));
    }
}
