//! A service that a function of the user stops: what is served until it has ended.

use std::time::Duration;

use seatrial_model::ServicePlan;

use super::clients::{IN_CHECK, Peer, Run, hooked};
use super::setup::{self, IN_SETUP};
use super::{log, script};
use crate::protocol::{Action, Caller, Message, Reply, ServiceInfo};

/// A service that ignores its stop signal.
fn deaf(field: &str) -> ServicePlan {
    let wait = "trap '' TERM; echo up; while :; do sleep 0.1; done";
    let mut service = script(field, wait, &[]);
    service.ready = vec![log("up")];
    service
}

/// Stops a service without an end, and queries and kills it meanwhile.
async fn stop_and_query(client: &mut Peer, service: &ServiceInfo, caller: Caller) {
    let hour = Some(Duration::from_secs(3600));
    let stop = Action::Stop { grace_period: hour };
    let stopping = client.begin_act(service, stop, caller);
    let output = client.exec(service, caller).await.expect("it still runs");
    assert!(output.success());
    let kill = Action::Kill { signal: None };
    let mut calls = vec![stopping, client.begin_act(service, kill, caller)];
    while !calls.is_empty() {
        if let Message::Answer { call, outcome } = client.next().await {
            assert_eq!(outcome, Ok(Reply::Done));
            calls.retain(|awaited| *awaited != call);
        }
    }
    let started = client.act(service, Action::Start, caller).await;
    assert_eq!(started, Ok(Reply::Done));
}

#[tokio::test]
async fn engine_a_readiness_function_queries_and_kills_a_service_that_it_stops() {
    let mut run = Run::new();
    let mut client = run.connect();
    let mut service = deaf("hooked");
    service.ready.extend(hooked("").ready.pop());
    let call = client.begin_launch(vec![service]);
    let (hook, service) = client.hook().await;
    stop_and_query(&mut client, &service, IN_CHECK).await;
    client.end_hook(hook);
    client.launched(call).await.expect("it is ready");
}

#[tokio::test]
async fn engine_a_function_queries_and_kills_a_service_that_it_stops() {
    let mut run = Run::new();
    let mut client = run.connect();
    let mut db = deaf("db");
    db.setups = vec![setup::hook()];
    let call = client.begin_launch(vec![db]);
    let (hook, service) = client.hook().await;
    stop_and_query(&mut client, &service, IN_SETUP).await;
    client.end_hook(hook);
    client.launched(call).await.expect("it is ready");
}
