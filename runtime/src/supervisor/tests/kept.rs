//! What a keeper keeps, and how a run uses it.

use std::collections::BTreeMap;
use std::time::Duration;

use seatrial_model::{Scope, ServicePlan, Volume};

use super::clients::{Peer, Run};
use super::{echo, lasting, launch, script};
use crate::engine::discovery::{self, EngineChoice};
use crate::protocol::{
    Action, Caller, Kept, KeptKey, KeptService, Launch, Message, Reply, RequestBody, ServiceInfo,
};
use crate::run::process::ProcessId;
use crate::terminal::Shown;

/// Long enough not to matter.
const LONG: Duration = Duration::from_secs(600);

fn kept(service: ServicePlan) -> ServicePlan {
    super::clients::scoped(service, Scope::Keep)
}

fn key(slot: &str, content: &str) -> KeptKey {
    KeptKey {
        slot: slot.to_owned(),
        content: content.to_owned(),
    }
}

/// A launch of services that are kept as one unit of this content, each in a slot of its name.
fn wanted(services: Vec<ServicePlan>, content: &str, stays: Duration) -> Launch {
    let mut launch = launch(services);
    let services = launch.plan.services.iter().enumerate();
    let kept = services.filter(|(_, service)| service.scope == Scope::Keep);
    launch.kept = kept
        .map(|(index, service)| {
            let key = key(&service.field, content);
            (index, Kept::Wanted { key, stays })
        })
        .collect();
    launch
}

fn db() -> Vec<ServicePlan> {
    vec![kept(lasting("db", &[]))]
}

async fn take(peer: &mut Peer, launch: Launch) -> Vec<ServiceInfo> {
    let call = peer.begin(launch);
    peer.launched(call).await.expect("it is ready")
}

async fn list(peer: &mut Peer, body: RequestBody) -> Vec<KeptService> {
    let call = peer.send(body);
    match peer.answer(call).await {
        Ok(Reply::Kept(kept)) => kept,
        other => panic!("not {other:?}"),
    }
}

/// Whether the engine has the container.
async fn exists(service: &ServiceInfo) -> bool {
    let choice = EngineChoice::from(None);
    let engine = discovery::connect(&choice, BTreeMap::new()).await;
    let engine = engine.expect("an engine");
    engine.inspect(&service.container).await.is_ok()
}

/// Waits until the engine no longer has the container, which no event reports.
async fn until_gone(service: &ServiceInfo) {
    while exists(service).await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn engine_what_is_kept_is_used_again() {
    let mut keeper = Run::keeper();
    let mut first = keeper.connect();
    let mut other = keeper.connect();
    // At the same moment.
    let calls = [&mut first, &mut other].map(|peer| peer.begin(wanted(db(), "a", LONG)));
    let one = first
        .launched(calls[0])
        .await
        .expect("it is ready")
        .remove(0);
    let same = other
        .launched(calls[1])
        .await
        .expect("it is ready")
        .remove(0);
    assert_eq!(one.container, same.container);
    first.disconnect();
    other.disconnect();
    // Nobody is connected, and the service stays.
    let mut late = keeper.connect();
    let again = take(&mut late, wanted(db(), "a", LONG)).await.remove(0);
    assert_eq!(again.container, one.container);
    assert!(again.times.shared && !one.times.shared);
}

#[tokio::test]
async fn engine_another_content_takes_the_place_of_what_nobody_uses() {
    let mut keeper = Run::keeper();
    let mut first = keeper.connect();
    let old = take(&mut first, wanted(db(), "old", LONG)).await.remove(0);
    let mut second = keeper.connect();
    let new = take(&mut second, wanted(db(), "new", LONG)).await.remove(0);
    assert_ne!(old.container, new.container);
    // Somebody uses the service.
    assert!(exists(&old).await);
    let output = first.exec(&old, Caller::Handle).await;
    assert!(output.expect("it runs").success());
    first.disconnect();
    until_gone(&old).await;
    assert!(exists(&new).await);
}

#[tokio::test]
async fn engine_what_is_idle_for_its_time_is_removed_and_then_the_keeper_ends() {
    let mut keeper = Run::keeper();
    let mut client = keeper.connect();
    let stays = Duration::from_millis(50);
    let db = take(&mut client, wanted(db(), "a", stays)).await.remove(0);
    // Somebody still holds the service.
    tokio::time::sleep(2 * stays).await;
    assert!(exists(&db).await);
    client.disconnect();
    keeper.ended();
    assert!(!exists(&db).await);
}

#[tokio::test]
async fn engine_what_was_broken_is_replaced_and_that_is_said() {
    let mut keeper = Run::keeper();
    let mut client = keeper.connect();
    let mut unit = db();
    unit.push(kept(lasting("app", &[0])));
    let before = take(&mut client, wanted(unit.clone(), "a", LONG)).await;
    let killed = Action::Kill { signal: None };
    let killed = client.act(&before[0], killed, Caller::Handle).await;
    killed.expect("it is killed");
    client.disconnect();

    let mut next = keeper.connect();
    let call = next.begin(wanted(unit, "a", LONG));
    let mut said = String::new();
    let after = loop {
        match next.next().await {
            Message::Show(Shown::Text(text)) => said.push_str(&text),
            Message::Answer { call: of, outcome } if of == call => match outcome {
                Ok(Reply::Launched(services)) => break services,
                other => panic!("not {other:?}"),
            },
            _ => {}
        }
    };
    for (before, after) in before.iter().zip(&after) {
        assert_ne!(before.container, after.container);
        until_gone(before).await;
    }
    assert!(
        said.contains("the service `db` of `Composition` that was kept is replaced: the container exited with code 137"),
        "{said}"
    );
}

#[tokio::test]
async fn engine_what_failed_is_tried_again_by_the_next_run() {
    let mut keeper = Run::keeper();
    let [one, other] = [1, 2].map(|pid| ProcessId { pid, start: 0 });
    let failing = || {
        let mut db = kept(script("db", "exit 3", &[]));
        db.ready = vec![super::log("up")];
        wanted(vec![db], "a", LONG)
    };
    let note = "not tried again";
    for (run, is_told) in [(one, false), (one, true), (other, false), (other, true)] {
        let mut client = keeper.connect_of(run);
        let call = client.begin(failing());
        let error = client.launched(call).await.expect_err("it ends");
        client.disconnect();
        assert!(error.to_string().contains("code 3"), "{error}");
        assert_eq!(error.to_string().contains(note), is_told, "{error}");
    }
    // At the end of the run, nothing is kept any more that would have to be reported.
    keeper.run_ended(one);
    keeper.run_ended(other);
    keeper.ended();
}

#[tokio::test]
async fn engine_what_was_set_up_half_way_is_not_kept() {
    let mut keeper = Run::keeper();
    let services = || wanted(super::setup::half_way(Scope::Keep), "a", LONG);
    let (mut first, mut other) = (keeper.connect(), keeper.connect());
    first.begin(services());
    let (_, half) = first.hook().await;
    let call = other.begin(services());
    first.disconnect();
    let (hook, fresh) = other.hook().await;
    assert_ne!(fresh.container, half.container);
    other.end_hook(hook);
    let launched = other.launched(call).await.expect("it is ready");
    assert_eq!(launched[0].container, fresh.container);
    until_gone(&half).await;
}

#[tokio::test]
async fn engine_a_replaced_service_has_volumes_of_its_own() {
    let mut keeper = Run::keeper();
    let mut client = keeper.connect();
    let unit = || {
        let mark =
            "test ! -e /data/mark && echo here > /data/mark && echo up && exec sleep infinity";
        let mut db = kept(script("db", mark, &[]));
        db.ready = vec![super::log("up")];
        db.volumes = vec![Volume {
            name: Some("data".to_owned()),
            at: "/data".to_owned(),
        }];
        vec![db]
    };
    let before = take(&mut client, wanted(unit(), "a", LONG)).await.remove(0);
    let killed = client.act(&before, Action::Kill { signal: None }, Caller::Handle);
    killed.await.expect("it is killed");
    let mut other = keeper.connect();
    let after = take(&mut other, wanted(unit(), "a", LONG)).await.remove(0);
    assert_ne!(before.container, after.container);
}

#[tokio::test]
async fn engine_what_is_kept_can_be_seen_and_dropped() {
    let mut keeper = Run::keeper();
    let mut user = keeper.connect();
    let held = take(&mut user, wanted(db(), "a", LONG)).await.remove(0);
    let mut passing = keeper.connect();
    let cache = vec![kept(lasting("cache", &[]))];
    let idle = take(&mut passing, wanted(cache, "b", LONG)).await.remove(0);
    passing.disconnect();

    let mut looks = keeper.connect();
    let seen = list(&mut looks, RequestBody::ListKept).await;
    let of = |seen: &[KeptService]| -> Vec<(String, String, bool)> {
        let seen = seen.iter();
        seen.map(|it| (it.service.clone(), it.container.clone(), it.idle.is_some()))
            .collect()
    };
    let expected = [
        ("cache".to_owned(), idle.container.clone(), true),
        ("db".to_owned(), held.container.clone(), false),
    ];
    assert_eq!(of(&seen), expected);
    let dropped = list(&mut looks, RequestBody::DropKept).await;
    assert_eq!(of(&dropped), expected);
    // The service is removed before the answer. The other one goes with its user.
    assert!(!exists(&idle).await);
    assert!(exists(&held).await);
    let next = take(&mut looks, wanted(db(), "a", LONG)).await.remove(0);
    assert_ne!(next.container, held.container);
    user.disconnect();
    until_gone(&held).await;
}

#[tokio::test]
async fn engine_services_of_runs_reach_what_is_kept() {
    let mut keeper = Run::keeper();
    let mut runs = [Run::new(), Run::new()];
    let services = || {
        let ask = "perl -MIO::Socket::INET -e '$s=IO::Socket::INET->new(PeerAddr=>\"db:7\") or die \"no db\"; print $s \"hello\\n\"; \
                   print scalar <$s>'";
        let mut app = script("app", &format!("{ask}; echo up; exec sleep infinity"), &[0]);
        app.ready = vec![super::log("hello")];
        vec![kept(echo("db", 7)), app]
    };
    let mut client = keeper.connect();
    let db = take(&mut client, wanted(services(), "a", LONG))
        .await
        .remove(0);
    for run in &mut runs {
        let mut launch = launch(services());
        launch.kept = BTreeMap::from([(0, Kept::Running(Box::new(db.clone())))]);
        let launched = take(&mut run.connect(), launch).await;
        assert_eq!(launched[0], db);
    }
    // Each run detaches the service from its network before it removes the network.
    drop(runs);
    let again = take(&mut client, wanted(services(), "a", LONG))
        .await
        .remove(0);
    assert_eq!(again.container, db.container);
}
