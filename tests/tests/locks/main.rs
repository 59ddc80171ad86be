//! A suite as it was written for another framework: many small tests, each with three Redis of its own, which it may break.

mod lock;
mod redis;

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use lock::{Lock, Locks};
use redis::{Reply, command};
use seatrial::{Composition, Error, Service};

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(600);
/// So short that it is waited for.
const SHORT: Duration = Duration::from_millis(50);

#[derive(Composition)]
struct Nodes {
    #[service(image = "redis:7", port = 6379)]
    first: Service,
    #[service(image = "redis:7", port = 6379)]
    second: Service,
    #[service(image = "redis:7", port = 6379)]
    third: Service,
}

impl Nodes {
    fn all(&self) -> [SocketAddr; 3] {
        [&self.first, &self.second, &self.third].map(Service::addr)
    }

    fn locks(&self) -> Locks {
        Locks::new(self.all())
    }

    /// What each node has under this name.
    #[track_caller]
    fn values(&self, name: &str) -> [Option<String>; 3] {
        self.all().map(|node| value(node, name))
    }

    #[track_caller]
    fn assert_free(&self, name: &str) {
        assert_eq!(self.values(name), [const { None }; 3]);
    }

    #[track_caller]
    fn assert_held(&self, lock: &Lock) {
        let value = Some(lock.value.clone());
        assert_eq!(
            self.values(&lock.name),
            [value.clone(), value.clone(), value]
        );
    }

    #[track_caller]
    fn times_to_live(&self, name: &str) -> [i64; 3] {
        self.all().map(|node| match command(node, &["PTTL", name]) {
            Ok(Reply::Number(millis)) => millis,
            other => panic!("{other:?}"),
        })
    }
}

#[track_caller]
fn value(node: SocketAddr, name: &str) -> Option<String> {
    match command(node, &["GET", name]).expect("the node answers") {
        Reply::Text(value) => Some(value),
        Reply::Nothing => None,
        other @ Reply::Number(_) => panic!("{other:?}"),
    }
}

/// Somebody else holds the lock there.
#[track_caller]
fn hold(nodes: &[SocketAddr], name: &str) {
    for node in nodes {
        let set = command(*node, &["SET", name, "another's"]);
        assert_eq!(set.expect("the node answers"), Reply::Text("OK".to_owned()));
    }
}

/// Waits until a lock of a short life has expired everywhere.
#[track_caller]
fn wait_until_free(nodes: &Nodes, name: &str) {
    while nodes.values(name).iter().any(Option::is_some) {
        std::thread::yield_now();
    }
}

mod acquiring {
    use super::*;

    #[seatrial::test]
    fn a_free_lock_is_acquired(nodes: Nodes) {
        let lock = nodes.locks().acquire("pier", LONG).expect("it is free");
        nodes.assert_held(&lock);
    }

    #[seatrial::test]
    fn a_held_lock_is_not_acquired(nodes: Nodes) {
        let held = nodes.locks().acquire("pier", LONG).expect("it is free");
        assert_eq!(nodes.locks().acquire("pier", LONG), None);
        nodes.assert_held(&held);
    }

    #[seatrial::test]
    fn a_lock_that_was_given_back_is_acquired_again(nodes: Nodes) {
        let locks = nodes.locks();
        let first = locks.acquire("pier", LONG).expect("it is free");
        locks.release(&first);
        let second = locks.acquire("pier", LONG).expect("it is free again");
        assert_ne!(first.value, second.value);
    }

    #[seatrial::test]
    fn a_lock_that_has_expired_is_acquired_again(nodes: Nodes) {
        let locks = nodes.locks();
        // On a slow machine it has expired before all nodes have answered, and is not granted.
        let _ = locks.acquire("pier", SHORT);
        wait_until_free(&nodes, "pier");
        let lock = locks.acquire("pier", LONG).expect("it is free again");
        nodes.assert_held(&lock);
    }

    #[seatrial::test]
    fn locks_of_other_names_are_independent(nodes: Nodes) {
        let locks = nodes.locks();
        let pier = locks.acquire("pier", LONG).expect("it is free");
        let quay = locks.acquire("quay", LONG).expect("it is another");
        locks.release(&pier);
        nodes.assert_free("pier");
        nodes.assert_held(&quay);
    }

    #[seatrial::test]
    fn a_lock_has_a_time_to_live_on_every_node(nodes: Nodes) {
        let _lock = nodes.locks().acquire("pier", LONG).expect("it is free");
        let long = i64::try_from(LONG.as_millis()).expect("a number");
        for lives in nodes.times_to_live("pier") {
            assert!((1..=long).contains(&lives), "{lives}");
        }
    }

    #[seatrial::test]
    fn a_name_may_be_anything(nodes: Nodes) {
        let locks = nodes.locks();
        for name in ["", "a b", "a\r\nb", "\u{2693}", "*"] {
            let lock = locks.acquire(name, LONG).expect("it is free");
            nodes.assert_held(&lock);
        }
    }
}

mod giving_back {
    use super::*;

    #[seatrial::test]
    fn removes_the_lock_from_every_node(nodes: Nodes) {
        let lock = nodes.locks().acquire("pier", LONG).expect("it is free");
        nodes.locks().release(&lock);
        nodes.assert_free("pier");
    }

    #[seatrial::test]
    fn twice_does_no_harm(nodes: Nodes) {
        let locks = nodes.locks();
        let lock = locks.acquire("pier", LONG).expect("it is free");
        locks.release(&lock);
        locks.release(&lock);
        assert!(locks.acquire("pier", LONG).is_some());
    }

    #[seatrial::test]
    fn leaves_the_lock_of_another(nodes: Nodes) {
        let locks = nodes.locks();
        let before = locks.acquire("pier", LONG).expect("it is free");
        locks.release(&before);
        let held = locks.acquire("pier", LONG).expect("it is free again");
        locks.release(&before);
        nodes.assert_held(&held);
    }

    #[seatrial::test]
    fn leaves_what_was_never_a_lock(nodes: Nodes) {
        hold(&nodes.all(), "pier");
        let lock = Lock {
            name: "pier".to_owned(),
            value: "mine".to_owned(),
        };
        nodes.locks().release(&lock);
        assert!(nodes.values("pier").iter().all(Option::is_some));
    }

    #[seatrial::test]
    fn reaches_the_nodes_that_are_there(nodes: Nodes) {
        let lock = nodes.locks().acquire("pier", LONG).expect("it is free");
        nodes.second.kill().wait().expect("it runs");
        nodes.locks().release(&lock);
        assert_eq!(value(nodes.first.addr(), "pier"), None);
        assert_eq!(value(nodes.third.addr(), "pier"), None);
    }
}

mod extending {
    use super::*;

    #[seatrial::test]
    fn gives_a_lock_more_time_on_every_node(nodes: Nodes) {
        let locks = nodes.locks();
        let lock = locks.acquire("pier", LONG).expect("it is free");
        assert!(locks.extend(&lock, 2 * LONG));
        let long = i64::try_from(LONG.as_millis()).expect("a number");
        for lives in nodes.times_to_live("pier") {
            assert!(lives > long, "{lives}");
        }
    }

    #[seatrial::test]
    fn keeps_the_holder(nodes: Nodes) {
        let locks = nodes.locks();
        let lock = locks.acquire("pier", LONG).expect("it is free");
        assert!(locks.extend(&lock, LONG));
        nodes.assert_held(&lock);
    }

    #[seatrial::test]
    fn is_refused_where_the_lock_has_expired(nodes: Nodes) {
        let locks = nodes.locks();
        let lock = locks.acquire("pier", LONG).expect("it is free");
        // As if its time were over.
        assert!(locks.extend(&lock, Duration::from_millis(1)));
        wait_until_free(&nodes, "pier");
        assert!(!locks.extend(&lock, LONG));
        nodes.assert_free("pier");
    }

    #[seatrial::test]
    fn is_refused_where_another_holds_the_lock(nodes: Nodes) {
        let locks = nodes.locks();
        let before = locks.acquire("pier", LONG).expect("it is free");
        locks.release(&before);
        let held = locks.acquire("pier", LONG).expect("it is free again");
        assert!(!locks.extend(&before, 2 * LONG));
        nodes.assert_held(&held);
    }

    #[seatrial::test]
    fn is_granted_by_most_nodes(nodes: Nodes) {
        let locks = nodes.locks();
        let lock = locks.acquire("pier", LONG).expect("it is free");
        nodes.third.stop().wait().expect("it stops");
        assert!(locks.extend(&lock, LONG));
        nodes.second.stop().wait().expect("it stops");
        assert!(!locks.extend(&lock, LONG));
    }
}

/// As tests are that had a constructor of their own for what they need.
mod nodes_that_fail {
    use super::*;

    async fn nodes() -> (Nodes, Locks) {
        let nodes = Nodes::launch().await.expect("three nodes");
        let locks = nodes.locks();
        (nodes, locks)
    }

    #[tokio::test]
    async fn one_of_three_is_not_needed() -> Result<(), Error> {
        let (nodes, locks) = nodes().await;
        nodes.first.kill().await?;
        assert!(locks.acquire("pier", LONG).is_some());
        Ok(())
    }

    #[tokio::test]
    async fn one_of_three_is_not_enough() -> Result<(), Error> {
        let (nodes, locks) = nodes().await;
        tokio::try_join!(nodes.first.kill(), nodes.second.kill())?;
        assert_eq!(locks.acquire("pier", LONG), None);
        // What the last one has granted was taken back.
        assert_eq!(value(nodes.third.addr(), "pier"), None);
        Ok(())
    }

    #[tokio::test]
    async fn one_that_comes_back_has_forgotten_and_does_not_matter() -> Result<(), Error> {
        let (nodes, locks) = nodes().await;
        let lock = locks.acquire("pier", LONG).expect("it is free");
        nodes.second.kill().await?;
        nodes.second.start().await?;
        assert_eq!(value(nodes.second.addr(), "pier"), None);
        assert_eq!(locks.acquire("pier", LONG), None);
        assert!(locks.extend(&lock, LONG));
        Ok(())
    }

    #[tokio::test]
    async fn one_that_grants_to_another_does_not_matter() {
        let (nodes, locks) = nodes().await;
        hold(&nodes.all()[..1], "pier");
        let lock = locks.acquire("pier", LONG).expect("most nodes grant it");
        assert_eq!(value(nodes.second.addr(), "pier"), Some(lock.value));
    }

    #[tokio::test]
    async fn two_that_grant_to_another_do() {
        let (nodes, locks) = nodes().await;
        hold(&nodes.all()[..2], "pier");
        assert_eq!(locks.acquire("pier", LONG), None);
        assert_eq!(value(nodes.third.addr(), "pier"), None);
    }

    #[tokio::test]
    async fn all_that_come_back_grant_again() -> Result<(), Error> {
        let (nodes, locks) = nodes().await;
        assert!(locks.acquire("pier", LONG).is_some());
        let Nodes {
            first,
            second,
            third,
        } = &nodes;
        tokio::try_join!(first.kill(), second.kill(), third.kill())?;
        assert_eq!(locks.acquire("pier", LONG), None);
        tokio::try_join!(first.start(), second.start(), third.start())?;
        assert!(locks.acquire("pier", LONG).is_some());
        Ok(())
    }
}

mod many_at_once {
    use super::*;

    const MANY: usize = 8;

    #[seatrial::test]
    fn at_most_one_acquires(nodes: Nodes) {
        let locks = nodes.locks();
        let acquired = std::thread::scope(|scope| {
            let threads = [(); MANY].map(|()| scope.spawn(|| locks.acquire("pier", LONG)));
            let locks = threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic"));
            locks.flatten().count()
        });
        // Where no one has most nodes, nobody has it.
        assert!(acquired <= 1, "{acquired}");
    }

    #[seatrial::test]
    fn all_have_it_one_after_another(nodes: Nodes) {
        let locks = nodes.locks();
        let inside = Mutex::new(());
        std::thread::scope(|scope| {
            for _ in 0..MANY {
                scope.spawn(|| {
                    let lock = std::iter::repeat_with(|| locks.acquire("pier", LONG));
                    let lock = lock.flatten().next().expect("it is tried until it is free");
                    let alone = inside.try_lock().expect("nobody else is inside");
                    drop(alone);
                    locks.release(&lock);
                });
            }
        });
        nodes.assert_free("pier");
    }

    #[seatrial::test(runtime = "multi_thread")]
    async fn each_has_one_of_its_own_name(nodes: Nodes) {
        let locks = nodes.locks();
        let tasks = (0..MANY).map(|number| {
            let locks = locks.clone();
            tokio::task::spawn_blocking(move || locks.acquire(&format!("pier {number}"), LONG))
        });
        for task in tasks.collect::<Vec<_>>() {
            assert!(task.await.expect("no panic").is_some());
        }
    }
}

mod machines {
    use super::*;

    #[seatrial::test]
    fn two_with_the_same_nodes_see_the_same_locks(nodes: Nodes) {
        let (one, other) = (nodes.locks(), nodes.locks());
        let lock = one.acquire("pier", LONG).expect("it is free");
        assert_eq!(other.acquire("pier", LONG), None);
        other.release(&lock);
        assert!(one.acquire("pier", LONG).is_some());
    }
}
