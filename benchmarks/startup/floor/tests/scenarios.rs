//! The scenarios with plain calls of the engine's API, each in a process of its own, which `cargo xtask bench` starts.

use std::thread;
use std::time::Instant;

use startup_measure::{ATTACHING, LATER, TWENTY, ending, in_new_processes, redis_answers, sample};

use startup_floor::Redis;

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

/// Measures starts of something that all stays until the last is measured: no removal is in the times.
fn starts(later: usize, start: impl Fn() -> Vec<Redis>) {
    let mut held = Vec::new();
    for number in 0..=later {
        let begun = Instant::now();
        held.extend(start());
        sample(if number == 0 { "cold" } else { "warm" }, begun.elapsed());
    }
    remove(held);
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn one() {
    starts(LATER, || start(1));
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn twenty() {
    starts(1, || start(TWENTY));
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn chain() {
    starts(1, || {
        let mut all = vec![Redis::start(&[])];
        for number in 1..4 {
            redis_answers(all[number - 1].address);
            let upstream = format!("UPSTREAM={}:6379", all[number - 1].bridge);
            all.push(Redis::start(&[upstream]));
        }
        redis_answers(all[3].address);
        all
    });
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn attach() {
    let shared = Redis::start(&[]);
    redis_answers(shared.address);
    in_new_processes("attached", ATTACHING, &[("SHARED", &shared.id)]);
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
