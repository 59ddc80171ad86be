//! The scenarios with plain calls of the engine's API, each in a process of its own, which `cargo xtask bench` starts.

use std::thread;
use std::time::Instant;

use startup_measure::{
    ATTACHING, COLD_ON_A_NETWORK, LATER, LATER_OF_SEVERAL, TWENTY, ending, in_new_processes,
    measured, network, redis_answers, sample, starts, starts_ahead,
};

use startup_floor::{Network, Redis, calls};

/// So many at once.
fn start(count: usize) -> Vec<Redis> {
    let starting: Vec<_> = (0..count)
        .map(|_| {
            thread::spawn(|| {
                let redis = Redis::start(&[]);
                redis_answers(redis.address);
                redis
            })
        })
        .collect();
    let all = starting.into_iter().map(|it| it.join().expect("it starts"));
    all.collect()
}

/// Removes all at once, which is the least that a process can wait for.
fn remove(all: Vec<Redis>) {
    thread::scope(|scope| {
        for redis in all {
            scope.spawn(move || drop(redis));
        }
    });
}

/// Four, each of which gets the address of the one before it.
fn start_chain() -> Vec<Redis> {
    let mut all = vec![Redis::start(&[])];
    for number in 1..4 {
        redis_answers(all[number - 1].address);
        let upstream = format!("UPSTREAM={}:6379", all[number - 1].bridge);
        all.push(Redis::start(&[upstream]));
    }
    redis_answers(all[3].address);
    all
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn one() {
    starts(LATER, || start(1));
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn one_ahead() {
    starts_ahead(LATER, || start(1));
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn one_on_a_network() {
    measured(COLD_ON_A_NETWORK, || {
        let network = Network::create(network());
        let redis = Redis::start_on(&network.0, &[]);
        redis_answers(redis.address);
        // A network cannot be removed before what is on it.
        (redis, network)
    });
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn twenty() {
    starts(LATER_OF_SEVERAL, || start(TWENTY));
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn twenty_ahead() {
    starts_ahead(LATER_OF_SEVERAL, || start(TWENTY));
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn chain() {
    starts(LATER_OF_SEVERAL, start_chain);
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn chain_ahead() {
    starts_ahead(LATER_OF_SEVERAL, start_chain);
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn attach() {
    let shared = Redis::start(&[]);
    redis_answers(shared.address);
    in_new_processes("attached", ATTACHING, &[("SHARED", shared.id())]);
}

#[test]
#[ignore = "run by `attach`"]
fn attached() {
    let id = std::env::var("SHARED").expect("the id");
    let begun = Instant::now();
    let shared = Redis::find(&id);
    redis_answers(shared.address);
    sample("new process", begun.elapsed());
    // It is not this process's.
    std::mem::forget(shared);
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn all_calls() {
    calls::measure();
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn teardown_of_one() {
    let one = start(1);
    ending("one service");
    remove(one);
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn teardown_of_ten() {
    let ten = start(10);
    ending("ten services");
    remove(ten);
}
