//! //! Whose things are removed, and how long something is waited for.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::engine::fake::{Answers, Call, answer, refusal};
use crate::engine::{ContainerInfo, ContainerListing, EngineErrorKind, NetworkInfo, VolumeInfo};

/// An engine with things of several owners.
#[derive(Default)]
struct Things {
    containers: Mutex<Vec<ContainerListing>>,
    /// With the number of the look at which the engine has created it.
    later: Mutex<Vec<(u32, ContainerListing)>>,
    networks: Mutex<Vec<NetworkInfo>>,
    attached: Mutex<Vec<String>>,
    volumes: Mutex<Vec<VolumeInfo>>,
    images: Mutex<Vec<String>>,
    /// How often the engine does not answer at first.
    unreachable: AtomicU32,
    /// The error of the removal of a container.
    refused: Option<EngineErrorKind>,
    looks: AtomicU32,
}

impl Answers for Arc<Things> {
    fn containers<'a>(&'a self, label: &'a str) -> Call<'a, Vec<ContainerListing>> {
        assert_eq!(label, OWNER);
        let look = self.looks.fetch_add(1, Ordering::SeqCst);
        if look < self.unreachable.load(Ordering::SeqCst) {
            return answer(Err(refusal(EngineErrorKind::Unreachable, "gone")));
        }
        let mut there = self.containers.lock().unwrap();
        let made = self.later.lock().unwrap();
        let made = made.iter().filter(|(at, _)| *at == look);
        there.extend(made.map(|(_, container)| container.clone()));
        answer(Ok(there.clone()))
    }

    fn inspect<'a>(&'a self, id: &'a str) -> Call<'a, ContainerInfo> {
        let running = match id {
            "running" => true,
            "stopped" => false,
            _ => return answer(Err(refusal(EngineErrorKind::NotFound, "none"))),
        };
        answer(Ok(ContainerInfo {
            running,
            ..ContainerInfo::default()
        }))
    }

    /// Each image is built on the one after it, and `three` has a name.
    fn remove_unused_image<'a>(&'a self, id: &'a str) -> Call<'a, bool> {
        let mut images = self.images.lock().unwrap();
        let at = images.iter().position(|image| image == id);
        let is_in_use = id == "three" || id == "two" && images.contains(&"one".to_owned());
        if let (Some(at), false) = (at, is_in_use) {
            images.remove(at);
        }
        answer(Ok(!is_in_use))
    }

    fn networks(&self) -> Call<'_, Vec<NetworkInfo>> {
        answer(Ok(self.networks.lock().unwrap().clone()))
    }

    fn volumes<'a>(&'a self, _: &'a str) -> Call<'a, Vec<VolumeInfo>> {
        answer(Ok(self.volumes.lock().unwrap().clone()))
    }

    fn remove<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        if let Some(kind) = self.refused {
            return answer(Err(refusal(kind, "it stays")));
        }
        self.containers.lock().unwrap().retain(|it| it.id != id);
        self.attached.lock().unwrap().retain(|it| it != id);
        answer(Ok(()))
    }

    fn attached<'a>(&'a self, _: &'a str) -> Call<'a, Vec<String>> {
        answer(Ok(self.attached.lock().unwrap().clone()))
    }

    fn disconnect<'a>(&'a self, container: &'a str, _: &'a str) -> Call<'a, ()> {
        let mut attached = self.attached.lock().unwrap();
        attached.retain(|it| it != container);
        answer(Ok(()))
    }

    fn remove_network<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        assert!(self.attached.lock().unwrap().is_empty(), "it is in use");
        self.networks.lock().unwrap().retain(|it| it.id != id);
        answer(Ok(()))
    }

    fn remove_volume<'a>(&'a self, name: &'a str) -> Call<'a, ()> {
        self.volumes.lock().unwrap().retain(|it| it.name != name);
        answer(Ok(()))
    }
}

impl Things {
    /// The names of the existing containers.
    fn names(&self) -> Vec<String> {
        let containers = self.containers.lock().unwrap();
        containers.iter().map(|it| it.name.clone()).collect()
    }
}

/// This process, and an earlier one with the same number.
fn living_and_dead() -> [String; 2] {
    let living = Owner::this_process(|| unreachable!("the system tells")).to_string();
    let parts: Vec<&str> = living.split('/').collect();
    let dead = [parts[0], parts[1], "1", parts[3], parts[4]].join("/");
    [living, dead]
}

fn labels(owner: &str) -> BTreeMap<String, String> {
    [(OWNER.to_owned(), owner.to_owned())].into()
}

fn container(name: &str, owner: &str) -> ContainerListing {
    ContainerListing {
        id: format!("id of {name}"),
        name: name.to_owned(),
        running: true,
        labels: labels(owner),
    }
}

/// What is expected if a journal has one supervisor.
fn expected(owner: &str, under_way: &[&str]) -> Expected {
    let things = under_way.iter();
    let belongings = Belongings {
        owner: owner.parse().ok(),
        engines: ["here".to_owned()].into(),
        things: things.map(|thing| ((*thing).to_owned(), false)).collect(),
    };
    Expected::on("here", &[abandoned(belongings, Duration::ZERO, || ())])
}

fn abandoned(
    belongings: Belongings,
    idle: Duration,
    forget: impl FnOnce() + Send + Sync + 'static,
) -> Abandoned {
    Abandoned {
        belongings: vec![belongings],
        idle,
        forget: Box::new(forget),
    }
}

async fn clean_all(things: Things, expected: Expected) -> (Arc<Things>, bool) {
    let things = Arc::new(things);
    let engine = Engine::fake(things.clone());
    let is_clean = clean(&engine, expected).await;
    (things, is_clean)
}

#[tokio::test(start_paused = true)]
async fn only_what_the_dead_have_is_removed() {
    let [living, dead] = living_and_dead();
    let network = |name: &str, owner: &str| NetworkInfo {
        // Claims hold for the whole machine.
        id: format!("sweep-{}-{name}", std::process::id()),
        name: name.to_owned(),
        labels: labels(owner),
        ..NetworkInfo::default()
    };
    let volume = |name: &str, owner: &str| VolumeInfo {
        name: name.to_owned(),
        labels: labels(owner),
    };
    let things = Things {
        containers: Mutex::new(vec![
            container("mine", &living),
            container("left", &dead),
            container("strange", "somebody"),
        ]),
        networks: Mutex::new(vec![network("left", &dead), network("mine", &living)]),
        // What the living keep is on the network of the dead.
        attached: Mutex::new(vec!["id of left".to_owned(), "id of mine".to_owned()]),
        volumes: Mutex::new(vec![volume("left", &dead), volume("mine", &living)]),
        ..Things::default()
    };
    let (things, is_clean) = clean_all(things, expected(&dead, &[])).await;
    assert!(is_clean);
    assert_eq!(things.names(), ["mine", "strange"]);
    assert_eq!(
        things.networks.lock().unwrap()[..],
        [network("mine", &living)]
    );
    assert_eq!(
        things.volumes.lock().unwrap()[..],
        [volume("mine", &living)]
    );
    assert_eq!(things.looks.load(Ordering::SeqCst), 1, "once is enough");
}

#[tokio::test(start_paused = true)]
async fn what_the_engine_was_still_creating_is_waited_for() {
    let [_, dead] = living_and_dead();
    let things = Things {
        later: Mutex::new(vec![(3, container("late", &dead))]),
        ..Things::default()
    };
    let (things, is_clean) = clean_all(things, expected(&dead, &["container late"])).await;
    assert!(is_clean && things.names().is_empty());
    assert_eq!(things.looks.load(Ordering::SeqCst), 4, "and not longer");

    let begun = Instant::now();
    let (things, is_clean) =
        clean_all(Things::default(), expected(&dead, &["container never"])).await;
    assert!(is_clean);
    assert!(things.looks.load(Ordering::SeqCst) > 4);
    assert_eq!(begun.elapsed(), CREATED_WITHIN);

    // Creations of long ago do not succeed any more.
    let belongings = Belongings {
        owner: dead.parse().ok(),
        engines: ["here".to_owned()].into(),
        things: [("container never".to_owned(), false)].into(),
    };
    let long_ago = Expected::on("here", &[abandoned(belongings, CREATED_WITHIN, || ())]);
    let (things, _) = clean_all(Things::default(), long_ago).await;
    assert_eq!(things.looks.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_does_not_answer_is_asked_again() {
    let [_, dead] = living_and_dead();
    let things = Things {
        containers: Mutex::new(vec![container("left", &dead)]),
        unreachable: AtomicU32::new(100),
        ..Things::default()
    };
    let (things, is_clean) = clean_all(things, expected(&dead, &[])).await;
    assert!(is_clean && things.names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_removed_is_left_to_who_comes_next() {
    let [_, dead] = living_and_dead();
    let things = Things {
        containers: Mutex::new(vec![container("left", &dead)]),
        refused: Some(EngineErrorKind::Failed),
        ..Things::default()
    };
    let (_, is_clean) = clean_all(things, expected(&dead, &[])).await;
    assert!(!is_clean);
}

#[tokio::test(start_paused = true)]
async fn what_is_from_before_the_boot_is_removed_where_none_of_it_runs() {
    let [living, _] = living_and_dead();
    let (_, rest) = living.split_once('/').expect("a boot");
    let before = format!("another-boot/{rest}");
    if before.parse::<Owner>().map(|owner| owner.life()) != Ok(Life::BeforeBoot) {
        // This machine has no name of its own, so nothing is known of its boots.
        return;
    }
    let stopped = ContainerListing {
        running: false,
        ..container("stopped", &before)
    };
    let all_stopped = Things {
        containers: Mutex::new(vec![stopped.clone()]),
        ..Things::default()
    };
    let (things, _) = clean_all(all_stopped, expected(&before, &[])).await;
    assert!(things.names().is_empty());
    let one_runs = Things {
        containers: Mutex::new(vec![stopped, container("running", &before)]),
        ..Things::default()
    };
    let (things, _) = clean_all(one_runs, expected(&before, &[])).await;
    assert_eq!(things.names(), ["stopped", "running"]);
}

#[tokio::test(start_paused = true)]
async fn an_owner_in_a_container_is_dead_with_it() {
    let [living, _] = living_and_dead();
    let elsewhere = living.replacen('/', "x/", 1);
    let of_owner_in = |container: &str| ContainerListing {
        labels: [
            (OWNER.to_owned(), elsewhere.clone()),
            (OWNERS_CONTAINER.to_owned(), container.to_owned()),
        ]
        .into(),
        ..self::container(container, &elsewhere)
    };
    let things = Things {
        containers: Mutex::new(["running", "stopped", "removed"].map(of_owner_in).into()),
        ..Things::default()
    };
    let (things, _) = clean_all(things, Expected::default()).await;
    assert_eq!(things.names(), ["running"]);
}

#[tokio::test(start_paused = true)]
async fn a_directory_is_forgotten_when_its_engine_is_clean_and_its_owner_dead() {
    let [living, dead] = living_and_dead();
    let things = Arc::new(Things::default());
    let engine: Engine = Engine::fake(things);
    let forgotten = Arc::new(Mutex::new(Vec::new()));
    let abandoned = |name: &'static str, owner: &str, address: &str| {
        let belongings = Belongings {
            owner: owner.parse().ok(),
            engines: [address.to_owned()].into(),
            things: [("container one".to_owned(), true)].into(),
        };
        let forgotten = forgotten.clone();
        abandoned(belongings, Duration::ZERO, move || {
            forgotten.lock().unwrap().push(name);
        })
    };
    let own = &engine.info().address;
    let elsewhere = "unix:///nonexistent/engine.sock";
    let all = vec![
        abandoned("dead", &dead, own),
        abandoned("leaving", &living, own),
        abandoned("elsewhere", &dead, elsewhere),
    ];
    let reaper = Reaper::new(Journal::default(), DIES_WITHIN);
    sweep(engine.clone(), (DIES_WITHIN, BTreeMap::new()), all, reaper).await;
    assert_eq!(*forgotten.lock().unwrap(), ["dead"]);
}

#[tokio::test(start_paused = true)]
async fn what_builds_of_the_dead_have_made_stays_until_the_end_of_the_run() {
    let [_, dead] = living_and_dead();
    // The first is built on the second, and the third has a name by now.
    let images = ["one", "two", "three"].map(str::to_owned);
    let things = Arc::new(Things {
        images: Mutex::new(images.into()),
        ..Things::default()
    });
    let engine: Engine = Engine::fake(things.clone());
    // No lock has this name.
    let build = format!("tests-of-sweep-{}", std::process::id());
    let left = ["one", "two", "three", "gone"].map(|it| format!("image {it} of build {build}"));
    let belongings = Belongings {
        owner: dead.parse().ok(),
        engines: [engine.info().address.clone()].into(),
        things: left.map(|thing| (thing, true)).into(),
    };
    let is_forgotten = Arc::new(Mutex::new(false));
    let forgotten = is_forgotten.clone();
    let all = vec![abandoned(belongings, Duration::ZERO, move || {
        *forgotten.lock().unwrap() = true;
    })];
    let reaper = Reaper::new(Journal::default(), DIES_WITHIN);
    let variables = BTreeMap::new();
    let sweeping = sweep(engine, (DIES_WITHIN, variables), all, reaper.clone());
    let mut sweeping = std::pin::pin!(sweeping);
    let early = tokio::time::timeout(10 * LONG_PAUSE, &mut sweeping).await;
    early.expect_err("the run goes on");
    assert_eq!(things.images.lock().unwrap().len(), 3);
    reaper.close().await;
    sweeping.await;
    assert_eq!(*things.images.lock().unwrap(), ["three"]);
    assert!(*is_forgotten.lock().unwrap());
}
