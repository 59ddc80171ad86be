//! What is brought up ahead, and which launch gets it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use seatrial_model::{Mount, MountMode, Scope, ServicePlan, Volume};

use super::clients::{self, Peer, hooked, scoped};
use super::events::{Events, engine};
use super::setup::hook;
use super::{exec_call, lasting, launch, log, script};
use crate::config::Config;
use crate::protocol::{Action, Caller, HookFailure, InstanceId, RequestBody, ServiceInfo};

/// How long an event may take: far longer than it does on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// A run whose events are recorded.
struct Run {
    run: clients::Run,
    config: Config,
    events: PathBuf,
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.events);
    }
}

impl Run {
    /// A run with at most this many services ahead.
    fn new(name: &str, ahead: Option<usize>) -> Self {
        let events = format!("seatrial-test-ahead-{name}-{}.jsonl", std::process::id());
        let events = std::env::temp_dir().join(events);
        let workspace = crate::workspace::of_process();
        let mut config = Config::of_process(&workspace).expect("the workspace's configuration");
        config.events = Some(events.clone());
        config.ahead = ahead;
        Self {
            run: clients::Run::new(),
            config,
            events,
        }
    }

    fn connect(&mut self) -> Peer {
        self.run.connect_with(self.config.clone(), None)
    }

    fn events(&self) -> Events {
        Events::so_far(&self.events)
    }

    /// The instances of a service with such an event, once there are `count`.
    async fn until(&self, service: &str, event: &str, count: usize) -> Vec<InstanceId> {
        let all = |instances: Vec<_>| (instances.len() >= count).then_some(instances);
        self.until_there_are(service, event, all).await
    }

    async fn until_there_are<T>(
        &self,
        service: &str,
        event: &str,
        wanted: impl Fn(Vec<InstanceId>) -> Option<T>,
    ) -> T {
        let begun = Instant::now();
        loop {
            let events = self.events();
            if let Some(found) = wanted(events.instances(service, event)) {
                return found;
            }
            assert!(
                begun.elapsed() < LIMIT,
                "no `{event}` of `{service}`: {events:#?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Launches twice. Returns the instance that was then brought up ahead until it is `event`.
    async fn bring_up(
        &self,
        peer: &mut Peer,
        services: &dyn Fn() -> Vec<ServicePlan>,
        (service, event): (&str, &str),
    ) -> InstanceId {
        let mut used = Vec::new();
        for _ in 0..2 {
            used.extend(ids(&again(peer, services()).await));
        }
        let latest = used.into_iter().max().expect("it has services");
        self.until_later(service, event, latest).await
    }

    /// The first instance with such an event that was begun after another.
    async fn until_later(&self, service: &str, event: &str, other: InstanceId) -> InstanceId {
        // Numbers are given in order.
        let later = |instances: Vec<_>| instances.into_iter().find(|it| *it > other);
        self.until_there_are(service, event, later).await
    }

    /// Ends the run, and returns its events. Everything that was created is removed by then.
    fn end(mut self) -> Events {
        let unused = clients::Run::new();
        std::mem::replace(&mut self.run, unused).ended();
        let events = self.events();
        let containers = |event| {
            let services = ["db", "app"];
            let containers = services.map(|service| events.details(service, event, "container"));
            BTreeSet::from_iter(containers.concat())
        };
        assert_eq!(containers("created"), containers("removed"), "{events:#?}");
        events
    }
}

/// Gives the services back, and launches.
async fn again(peer: &mut Peer, services: Vec<ServicePlan>) -> Vec<ServiceInfo> {
    peer.send(RequestBody::Release { lease: 1 });
    peer.launch(services).await.expect("all are ready")
}

fn ids(services: &[ServiceInfo]) -> Vec<InstanceId> {
    services.iter().map(|service| service.instance).collect()
}

fn one() -> Vec<ServicePlan> {
    vec![lasting("db", &[])]
}

fn pair() -> Vec<ServicePlan> {
    vec![lasting("db", &[]), lasting("app", &[0])]
}

/// Two services of which the first is the run's.
fn on_shared() -> Vec<ServicePlan> {
    vec![scoped(lasting("db", &[]), Scope::Run), lasting("app", &[0])]
}

#[tokio::test]
async fn engine_the_third_launch_gets_what_was_brought_up_before_it() {
    let mut run = Run::new("third", None);
    let mut peer = run.connect();
    let spare = run.bring_up(&mut peer, &pair, ("app", "ready")).await;
    let third = again(&mut peer, pair()).await;
    assert_eq!(third[1].instance, spare);
    for service in &third {
        assert!(service.times.ahead, "{service:?}");
        assert_eq!(
            service.times.ready, None,
            "it was ready before it was asked for"
        );
        let works = peer.exec(service, Caller::Handle).await;
        assert!(works.expect("it runs").success());
    }
    let events = run.events();
    for (index, service) in ["db", "app"].into_iter().enumerate() {
        let taken = events.instances(service, "taken");
        assert_eq!(taken, [third[index].instance], "{events:#?}");
    }
    peer.disconnect();
    run.end();
}

/// Services on a test's parameters are a composition of that test's name.
#[tokio::test]
async fn engine_a_composition_gets_what_another_of_the_same_services_has_brought_up() {
    let mut run = Run::new("named", None);
    let mut peer = run.connect();
    let mut services = Vec::new();
    for name in ["first", "second", "third"] {
        if name == "third" {
            let latest = services.iter().map(|it: &ServiceInfo| it.instance).max();
            run.until_later("db", "ready", latest.expect("it has services"))
                .await;
        }
        peer.send(RequestBody::Release { lease: 1 });
        let mut launch = launch(one());
        launch.identity = format!("tests::{name}");
        launch.plan.name = name.to_owned();
        let call = peer.begin(launch);
        services = peer.launched(call).await.expect("it is ready");
    }
    let [third] = &services[..] else {
        panic!("{services:#?}");
    };
    assert!(third.times.ahead, "{third:?}");
    assert_eq!(third.composition, "third");
    let command = exec_call(vec!["no-such-command".to_owned()]);
    let outcome = peer.act(third, command, Caller::Handle).await;
    let error = outcome.expect_err("there is no such command").to_string();
    assert!(error.contains("third"), "{error}");
    peer.disconnect();
    let events = run.end();
    let compositions = |event| events.compositions(third.instance, event);
    assert_eq!(compositions("ready"), [""], "it was for either");
    assert_eq!(compositions("taken"), ["third"]);
    assert_eq!(compositions("removed"), ["third"]);
}

#[tokio::test]
async fn engine_no_instance_is_handed_out_twice() {
    let mut run = Run::new("once", Some(4));
    let mut peers = [run.connect(), run.connect()];
    let mut seen = BTreeSet::new();
    for _ in 0..4 {
        for peer in &mut peers {
            peer.send(RequestBody::Release { lease: 1 });
        }
        let calls: Vec<u64> = peers
            .iter_mut()
            .map(|peer| peer.begin_launch(one()))
            .collect();
        for (peer, call) in peers.iter_mut().zip(calls) {
            let services = peer.launched(call).await.expect("all are ready");
            for service in services {
                assert!(seen.insert(service.container), "it had another user");
            }
        }
    }
    let taken = run.events().instances("db", "taken");
    assert!(!taken.is_empty(), "nothing was brought up ahead");
    peers.into_iter().for_each(Peer::disconnect);
    run.end();
}

#[tokio::test]
async fn engine_services_share_the_volumes_of_their_own_launch() {
    let mut run = Run::new("volumes", None);
    let services = || {
        let mut db = script(
            "db",
            "test ! -e /data/mark && echo here > /data/mark && echo up; exec sleep infinity",
            &[],
        );
        db.ready = vec![log("up")];
        let mut app = script("app", "cat /data/mark; exec sleep infinity", &[0]);
        app.ready = vec![log("here")];
        for service in [&mut db, &mut app] {
            service.volumes.push(Volume {
                name: Some("data".to_owned()),
                at: "/data".to_owned(),
            });
        }
        vec![db, app]
    };
    // The volumes of a launch are called after its client and its lease.
    let mut peers = [run.connect(), run.connect(), run.connect()];
    let [one, two, three] = &mut peers;
    for peer in [one, two] {
        peer.launch(services()).await.expect("all are ready");
    }
    let spare = run.until("app", "ready", 3).await[2];
    assert_eq!(again(three, services()).await[1].instance, spare);
    peers.into_iter().for_each(Peer::disconnect);
    run.end();
}

#[tokio::test]
async fn engine_a_spare_keeps_what_it_needs_and_goes_with_its_change() {
    let mut run = Run::new("changed", Some(1));
    let (mut peer, mut beside) = (run.connect(), run.connect());
    // Side by side.
    beside.launch(on_shared()).await.expect("all are ready");
    let spare = run.bring_up(&mut peer, &on_shared, ("app", "ready")).await;
    beside.disconnect();
    let mut latest = again(&mut peer, on_shared()).await;
    assert_eq!(latest[1].instance, spare);
    assert!(latest[0].times.shared);

    for action in [Action::Restart, super::exec_call(vec!["true".to_owned()])] {
        let next = run.until_later("app", "ready", latest[1].instance).await;
        let changed = peer.act(&latest[0], action.clone(), Caller::Handle).await;
        changed.expect("it is done");
        latest = again(&mut peer, on_shared()).await;
        assert!(latest[1].instance > next, "{action:?}");
        assert!(!latest[1].times.ahead, "{action:?}");
        // The one after it is of use again.
        let next = run.until_later("app", "ready", latest[1].instance).await;
        latest = again(&mut peer, on_shared()).await;
        assert_eq!(latest[1].instance, next);
    }
    peer.disconnect();
    run.end();
}

#[tokio::test]
async fn engine_nothing_begins_on_a_shared_service_beside_tests_that_run_one_at_a_time() {
    let mut run = Run::new("one-at-a-time", None);
    let mut peer = run.connect();
    let mut used = BTreeSet::new();
    for _ in 0..4 {
        used.extend(ids(&again(&mut peer, on_shared()).await));
    }
    peer.disconnect();
    let events = run.end();
    let created = ["db", "app"].map(|service| events.instances(service, "created"));
    assert_eq!(BTreeSet::from_iter(created.concat()), used);
}

#[tokio::test]
async fn engine_a_file_that_has_changed_since_the_start_makes_a_spare_useless() {
    let mut run = Run::new("files", None);
    let mut peer = run.connect();
    let directory = format!("seatrial-test-ahead-files-{}", std::process::id());
    let directory = std::env::temp_dir().join(directory);
    std::fs::create_dir_all(&directory).expect("it is created");
    let file = directory.join("seed");
    std::fs::write(&file, "one").expect("it is written");
    let services = || {
        let mut db = lasting("db", &[]);
        db.mounts.push(Mount {
            from: directory.to_string_lossy().into_owned(),
            at: "/data".to_owned(),
            mode: MountMode::Ro,
        });
        vec![db]
    };
    let spare = run.bring_up(&mut peer, &services, ("db", "ready")).await;
    std::fs::write(&file, "two").expect("it is written");
    let fresh = again(&mut peer, services()).await;
    assert_ne!(fresh[0].instance, spare);
    assert!(!fresh[0].times.ahead);
    assert_eq!(run.events().find("db", "taken"), None);
    let next = run.until("db", "ready", 5).await[4];
    assert_eq!(again(&mut peer, services()).await[0].instance, next);
    peer.disconnect();
    run.end();
    std::fs::remove_dir_all(&directory).expect("it is removed");
}

/// Ends the container of an instance, and waits until the supervisor knows.
async fn kill(run: &Run, service: &str, instance: InstanceId) {
    let events = run.events();
    let position = events.instances(service, "created");
    let position = position.iter().position(|it| *it == instance);
    let containers = events.details(service, "created", "container");
    let container = containers[position.expect("it was created")];
    let killed = engine().await.kill(container, None).await;
    killed.expect("it ran");
    run.until(service, "exited", 1).await;
}

#[tokio::test]
async fn engine_a_spare_that_has_exited_is_not_handed_out() {
    let mut run = Run::new("exited", None);
    let mut peer = run.connect();
    let spare = run.bring_up(&mut peer, &pair, ("app", "ready")).await;
    kill(&run, "app", spare).await;
    let fresh = again(&mut peer, pair()).await;
    assert_ne!(fresh[1].instance, spare);
    assert_eq!(run.events().find("app", "taken"), None);
    peer.disconnect();
    run.end();
}

/// Launches twice, and runs the function for each.
async fn launch_with_function(peer: &mut Peer, services: &dyn Fn() -> Vec<ServicePlan>) {
    for _ in 0..2 {
        peer.send(RequestBody::Release { lease: 1 });
        let call = peer.begin_launch(services());
        let (hook, _) = peer.hook().await;
        peer.end_hook(hook);
        peer.launched(call).await.expect("it is ready");
    }
}

fn set_up() -> Vec<ServicePlan> {
    let mut db = lasting("db", &[]);
    db.setups.push(hook());
    vec![db, lasting("app", &[0])]
}

#[tokio::test]
async fn engine_a_function_is_called_by_the_client_that_takes_the_service_once() {
    let looked_at = || vec![hooked("db"), lasting("app", &[0])];
    let kinds: [(&str, &dyn Fn() -> Vec<ServicePlan>); 2] =
        [("set-up", &set_up), ("looked-at", &looked_at)];
    for (name, services) in kinds {
        let mut run = Run::new(name, None);
        let (mut one, mut other) = (run.connect(), run.connect());
        launch_with_function(&mut one, services).await;
        let spare = run.until("db", "started", 3).await[2];
        run.until("app", "created", 3).await;
        assert!(one.hook_if_asked().is_none(), "{name}: nobody uses it yet");

        let call = other.begin_launch(services());
        let (hook, service) = other.hook().await;
        assert_eq!(service.instance, spare, "{name}");
        assert!(one.hook_if_asked().is_none(), "{name}");
        other.end_hook(hook);
        let third = other.launched(call).await.expect("it is ready");
        assert_eq!(third[0].instance, spare, "{name}");
        assert!(third[0].times.ahead && third[0].times.ready.is_some());
        assert!(other.hook_if_asked().is_none(), "{name}: once");
        one.disconnect();
        other.disconnect();
        run.end();
    }
}

#[tokio::test]
async fn engine_a_function_that_fails_for_a_spare_fails_its_test() {
    let mut run = Run::new("fails", None);
    let mut peer = run.connect();
    launch_with_function(&mut peer, &set_up).await;
    run.until("db", "started", 3).await;
    peer.send(RequestBody::Release { lease: 1 });
    let call = peer.begin_launch(set_up());
    let (hook, _) = peer.hook().await;
    let outcome = Err(HookFailure::Failed("no table".to_owned()));
    peer.send(RequestBody::HookEnded { hook, outcome });
    let error = peer.launched(call).await.expect_err("it fails");
    assert!(error.to_string().contains("no table"), "{error}");
    peer.disconnect();
    run.end();
}

#[tokio::test]
async fn engine_a_spare_that_ends_while_it_waits_for_a_test_is_replaced() {
    let mut run = Run::new("ends", None);
    let mut peer = run.connect();
    launch_with_function(&mut peer, &set_up).await;
    let spare = run.until("db", "started", 3).await[2];
    kill(&run, "db", spare).await;
    run.until("db", "failed", 1).await;
    peer.send(RequestBody::Release { lease: 1 });
    let call = peer.begin_launch(set_up());
    let (hook, service) = peer.hook().await;
    assert_ne!(service.instance, spare);
    peer.end_hook(hook);
    peer.launched(call).await.expect("it is ready");
    peer.disconnect();
    run.end();
}

#[tokio::test]
async fn engine_nothing_is_brought_up_ahead_if_nothing_may_be() {
    let mut run = Run::new("none", Some(0));
    let mut peer = run.connect();
    let mut used = Vec::new();
    for _ in 0..4 {
        used.extend(ids(&again(&mut peer, one()).await));
    }
    peer.disconnect();
    assert_eq!(run.end().instances("db", "created"), used);
}

#[tokio::test]
async fn engine_a_number_bounds_what_is_brought_up_ahead() {
    let mut run = Run::new("bounded", Some(1));
    let mut peer = run.connect();
    let mut used = Vec::new();
    // These are two, and one may be brought up.
    for _ in 0..3 {
        used.extend(ids(&again(&mut peer, pair()).await));
    }
    let spare = run.bring_up(&mut peer, &one, ("db", "ready")).await;
    assert!(!used.contains(&spare));
    assert_eq!(run.events().find("db", "taken"), None);
    assert_eq!(again(&mut peer, one()).await[0].instance, spare);
    peer.disconnect();
    run.end();
}

#[tokio::test]
async fn engine_a_run_does_not_wait_for_a_spare() {
    let mut run = Run::new("ended", None);
    let mut peer = run.connect();
    launch_with_function(&mut peer, &set_up).await;
    run.until("db", "started", 3).await;
    peer.disconnect();
    // It waits for a client that calls its function, and none will come.
    run.end();
}
