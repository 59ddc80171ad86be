//! //! What is done to a service before anyone uses it.

use seatrial_model::{EnvVar, Setup, SetupKind, Template, Volume};
use std::time::Duration;

use super::clients::{self, Peer};
use super::{IMAGE, Run, lasting, log, script};
use crate::protocol::{Action, Caller, HookFailure, HookKind, Reply, RequestBody};
use crate::{Error, ErrorKind};
use seatrial_model::{Scope, ServicePlan};

fn setup(kind: SetupKind) -> Setup {
    Setup {
        name: None,
        kind,
        timeout: None,
        key: None,
    }
}

fn literals(words: &[&str]) -> Vec<Template> {
    words.iter().copied().map(Template::literal).collect()
}

fn shell(text: &str) -> Vec<Template> {
    literals(&["/bin/sh", "-c", text])
}

fn variable(name: &str, value: &str) -> EnvVar {
    EnvVar {
        name: name.to_owned(),
        value: Template::literal(value),
    }
}

fn exec(command: Vec<Template>) -> Setup {
    setup(SetupKind::Exec {
        command,
        env: vec![variable("SEED_PASSWORD", "tangy-brine")],
    })
}

fn in_image(command: Vec<Template>) -> Setup {
    setup(SetupKind::Container {
        image: IMAGE.parse().expect("an image"),
        command,
        env: vec![variable("WHO", "the setup")],
    })
}

pub(super) fn hook() -> Setup {
    setup(SetupKind::Hook {
        binding: 0,
        name: "migrate".to_owned(),
    })
}

/// A service that is ready, to be set up.
fn with(setups: Vec<Setup>) -> ServicePlan {
    let mut service = lasting("db", &[]);
    service.setups = setups;
    service
}

pub(super) const IN_SETUP: Caller = Caller::Hook(HookKind::Setup);

#[tokio::test]
async fn engine_setups_are_done_in_order_before_a_dependent_starts() {
    let mut run = Run::new("setups");
    let db = with(vec![
        exec(shell(
            "test $SEED_PASSWORD = tangy-brine && echo one > /order",
        )),
        exec(shell("echo two >> /order")),
    ]);
    let services = vec![db, lasting("app", &[0])];
    let launched = run.launch(1, services).await.expect("all are ready");
    let order = run.exec(&launched[0], "cat /order").await;
    assert_eq!(order.stdout, "one\ntwo\n");
    assert!(launched[0].times.set_up >= launched[0].times.ready);
    let events = run.close().await;
    let at = ["started", "setup", "set_up", "ready"].map(|event| events.at("db", event));
    assert!(at.is_sorted(), "{events:#?}");
    assert!(events.at("app", "starting") > at[3], "{events:#?}");
}

#[tokio::test]
async fn engine_a_setup_in_an_image_reaches_the_service_and_has_the_source() {
    let mut run = Run::new("setup-image");
    let mut db = super::echo("db", 7);
    let script = "test -f Cargo.toml && test \"$WHO\" = 'the setup' && pwd | grep -q '^/workspace/' && \
                  exec perl -MIO::Socket::INET -e '$s=IO::Socket::INET->new(PeerAddr=>\"db:7\") or die \"no db\"; \
                  print $s \"hello\\n\"; print scalar <$s>; exit 4'";
    db.setups = vec![in_image(shell(script))];
    let error = run.launch(1, vec![db]).await.expect_err("code 4");
    let text = error.to_string();
    assert!(text.contains("exited with code 4"), "{text}");
    assert!(text.contains("| hello"), "{text}");
    run.close().await;
}

#[tokio::test]
async fn engine_a_failed_setup_is_reported_with_its_output_and_what_is_not_started() {
    let mut run = Run::new("setup-fails");
    let mut failing = exec(shell(
        "echo creating; echo no such table >&2; echo $SEED_PASSWORD; exit 3",
    ));
    failing.name = Some("schema".to_owned());
    let mut db = with(vec![failing, exec(shell("echo never > /never"))]);
    db.env = vec![variable("DB_PASSWORD", "echo creating")];
    let error = run.launch(1, vec![db, lasting("app", &[0])]).await;
    let events = run.close().await;
    let error = error.expect_err("it fails");
    assert_eq!(
        (error.kind(), error.service()),
        (ErrorKind::Setup, Some("db"))
    );
    assert_eq!(events.find("app", "starting"), None);
    let text = error.to_string();
    for part in [
        "service `db` of `Composition`: the setup `schema` (`",
        "exited with code 3\n",
        "| no such table\n",
        "the last lines of its log:\n    | up\n",
        "not started because of it: `app`",
        "help: ",
    ] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
    for secret in ["tangy-brine", "echo creating"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn engine_each_way_to_fail_says_what_to_do() {
    let mut endless = exec(shell("exec sleep infinity"));
    endless.timeout = Some(Duration::from_millis(100));
    let cases = [
        (
            exec(literals(&["nothing-here"])),
            "could not be run",
            "help: name an executable that the service's image has",
        ),
        (
            exec(shell("nothing-here")),
            "exited with code 127",
            "help: name an executable that the service's image has",
        ),
        (
            in_image(literals(&["nothing-here"])),
            "could not be run",
            "help: name an executable that the setup's image has",
        ),
        (endless, "did not finish within 100 ms", "timeout = "),
        (
            exec(shell("kill -9 -1; kill -9 1; exec sleep infinity")),
            "the container exited with",
            "help: check in the log",
        ),
    ];
    for (setup, what, help) in cases {
        let mut run = Run::new("setup-ways");
        // Its first process is one that may be killed.
        let mut db = script(
            "db",
            "trap 'exit 9' TERM; echo up; while :; do sleep 0.1; done",
            &[],
        );
        db.ready = vec![log("up")];
        let ends = what.starts_with("the container");
        db.setups = vec![if ends {
            exec(shell("kill -TERM 1; exec sleep infinity"))
        } else {
            setup
        }];
        let error = run.launch(1, vec![db]).await.expect_err(what);
        run.close().await;
        let text = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Setup, "{text}");
        assert!(
            text.contains(what) && text.contains(help),
            "{what}, {help}:\n{text}"
        );
    }
}

#[tokio::test]
async fn engine_a_function_may_do_everything_to_its_service() {
    let mut run = clients::Run::new();
    let mut client = run.connect();
    let mut db = with(vec![hook()]);
    db.stop_signal = Some("SIGKILL".to_owned());
    let call = client.begin_launch(vec![db]);
    let (hook, service) = client.hook().await;
    for action in [
        Action::WaitReady,
        Action::Restart,
        Action::Stop { grace_period: None },
        Action::Start,
        Action::Pause,
        Action::Unpause,
        Action::Disconnect,
        Action::Reconnect,
    ] {
        let done = client.act(&service, action.clone(), IN_SETUP).await;
        assert_eq!(done, Ok(Reply::Done), "{action:?}");
    }
    let output = client.exec(&service, IN_SETUP).await.expect("it runs");
    assert!(output.success());
    client.end_hook(hook);
    client.launched(call).await.expect("it is ready");
}

#[tokio::test]
async fn engine_a_service_that_its_function_leaves_stopped_is_not_handed_over() {
    let mut run = clients::Run::new();
    let mut client = run.connect();
    let mut db = with(vec![hook()]);
    db.timing.timeout = Some(Duration::from_secs(1));
    let call = client.begin_launch(vec![db]);
    let (hook, service) = client.hook().await;
    let stopped = client
        .act(&service, Action::Kill { signal: None }, IN_SETUP)
        .await;
    stopped.expect("it is stopped");
    client.end_hook(hook);
    let error = client.launched(call).await.expect_err("it does not run");
    assert!(
        error.to_string().contains("it was ready before its setup"),
        "{error}"
    );
}

fn fails(client: &mut Peer, hook: u64) -> u64 {
    let outcome = Err(HookFailure::Failed("no table".to_owned()));
    client.send(RequestBody::HookEnded { hook, outcome })
}

#[tokio::test]
async fn engine_a_function_that_fails_fails_all_who_share_the_service() {
    let mut run = clients::Run::new();
    let services = || vec![clients::scoped(with(vec![hook()]), Scope::Run)];
    let (mut one, mut other) = (run.connect(), run.connect());
    let call = one.begin_launch(services());
    let (hook, _) = one.hook().await;
    let others = other.begin_launch(services());
    fails(&mut one, hook);
    let assert_reported = |error: Error| {
        let text = error.to_string();
        assert!(
            text.contains("the setup `migrate` failed\n  no table\n"),
            "{text}"
        );
    };
    assert_reported(one.launched(call).await.expect_err("it fails"));
    assert_reported(other.launched(others).await.expect_err("it fails"));
    // The setup is not tried again.
    assert_reported(other.launch(services()).await.expect_err("it failed"));
}

/// A shared service whose setup leaves something in a volume, and calls a function to go on.
pub(super) fn half_way(scope: Scope) -> Vec<ServicePlan> {
    let mark = "test ! -e /data/mark && echo here > /data/mark";
    let mut db = clients::scoped(with(vec![exec(shell(mark)), hook()]), scope);
    db.volumes = vec![Volume {
        name: Some("data".to_owned()),
        at: "/data".to_owned(),
    }];
    // A service that also uses the volume, and that is ready long before.
    let mut beside = clients::scoped(lasting("beside", &[]), scope);
    beside.volumes = db.volumes.clone();
    vec![db, beside, lasting("app", &[0])]
}

#[tokio::test]
async fn engine_who_waits_gets_a_fresh_instance_where_a_setups_process_has_ended() {
    let mut run = clients::Run::new();
    let mut first = run.connect();
    first.begin_launch(half_way(Scope::Run));
    let (_, half) = first.hook().await;
    let mut others: Vec<Peer> = (0..3).map(|_| run.connect()).collect();
    let calls: Vec<u64> = others
        .iter_mut()
        .map(|peer| peer.begin_launch(half_way(Scope::Run)))
        .collect();
    first.disconnect();

    // One of the clients is called, for an instance without any earlier setup.
    let (who, hook, fresh) = loop {
        let mut found = None;
        for (index, peer) in others.iter_mut().enumerate() {
            if let Some((hook, service)) = peer.hook_if_asked() {
                found = Some((index, hook, service));
            }
        }
        match found {
            Some(found) => break found,
            None => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    assert_ne!(fresh.container, half.container);
    others[who].end_hook(hook);
    for (peer, call) in others.iter_mut().zip(calls) {
        let launched = peer.launched(call).await.expect("it is ready");
        assert_eq!(launched[0].container, fresh.container);
        let gone = peer.exec(&half, Caller::Handle).await;
        gone.expect_err("the half-made one is gone");
    }
}

#[tokio::test]
async fn engine_who_comes_after_a_setups_process_has_ended_starts_afresh() {
    let mut run = clients::Run::new();
    let mut first = run.connect();
    first.begin_launch(half_way(Scope::Run));
    let (_, half) = first.hook().await;
    first.disconnect();
    let mut late = run.connect();
    let call = late.begin_launch(half_way(Scope::Run));
    let (hook, fresh) = late.hook().await;
    assert_ne!(fresh.container, half.container);
    late.end_hook(hook);
    late.launched(call).await.expect("it is ready");
}

#[tokio::test]
async fn engine_a_launch_that_is_given_up_does_not_begin_anew() {
    let mut run = clients::Run::new();
    let (mut first, mut other) = (run.connect(), run.connect());
    first.begin_launch(half_way(Scope::Run));
    first.hook().await;
    other.begin_launch(half_way(Scope::Run));
    other.send(RequestBody::Release { lease: 1 });
    first.disconnect();
    // The next launch is the only one.
    let mut late = run.connect();
    let call = late.begin_launch(half_way(Scope::Run));
    let (hook, _) = late.hook().await;
    late.end_hook(hook);
    late.launched(call).await.expect("it is ready");
    assert!(other.hook_if_asked().is_none());
}
