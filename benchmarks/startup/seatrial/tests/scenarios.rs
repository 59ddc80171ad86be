//! The scenarios with Seatrial, each in a process of its own, which `cargo xtask bench` starts.

use std::time::Instant;

use seatrial::{Composition, Service};
use startup_measure::{
    ATTACHING, COLD_ON_A_NETWORK, LAGS, LATER, LATER_OF_SEVERAL, ending, in_new_processes, lag,
    measured, now, redis_answers, sample, starts, starts_ahead,
};

/// A composition of so many services that are all the same.
macro_rules! fleet {
    ($name:ident: $($service:ident)*) => {
        #[derive(Composition)]
        struct $name {
            $(
                #[service(image = "redis:7", port = 6379)]
                $service: Service,
            )*
        }

        impl $name {
            fn answers(&self) {
                $(redis_answers(self.$service.addr());)*
            }
        }
    };
}

fleet!(One: a);
fleet!(Ten: a b c d e f g h i j);
fleet!(Twenty: a b c d e f g h i j k l m n o p q r s t);

/// Each needs the one before it.
#[derive(Composition)]
struct Chain {
    #[service(image = "redis:7", port = 6379)]
    _first: Service,
    #[service(image = "redis:7", port = 6379, env(UPSTREAM = "{_first}"))]
    _second: Service,
    #[service(image = "redis:7", port = 6379, env(UPSTREAM = "{_second}"))]
    _third: Service,
    #[service(image = "redis:7", port = 6379, env(UPSTREAM = "{_third}"))]
    last: Service,
}

impl Chain {
    fn answers(&self) {
        redis_answers(self.last.addr());
    }
}

/// What all processes of a run share.
#[derive(Composition)]
#[composition(scope = run)]
struct Shared {
    #[service(image = "redis:7", port = 6379)]
    redis: Service,
}

/// Launches a composition until its last service answers.
macro_rules! start {
    ($composition:ident) => {
        || {
            let launched = $composition::launch().wait();
            let launched = launched.unwrap_or_else(|error| panic!("{error}"));
            launched.answers();
            launched
        }
    };
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn one() {
    starts(LATER, start!(One));
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn one_ahead() {
    starts_ahead(LATER, start!(One));
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn one_on_a_network() {
    measured(COLD_ON_A_NETWORK, start!(One));
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn twenty() {
    starts(LATER_OF_SEVERAL, start!(Twenty));
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn twenty_ahead() {
    starts_ahead(LATER_OF_SEVERAL, start!(Twenty));
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn chain() {
    starts(LATER_OF_SEVERAL, start!(Chain));
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn chain_ahead() {
    starts_ahead(LATER_OF_SEVERAL, start!(Chain));
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn attach() {
    let shared = Shared::launch().wait();
    let shared = shared.unwrap_or_else(|error| panic!("{error}"));
    in_new_processes("attached", ATTACHING, &[("SHARED", shared.redis.id())]);
}

#[test]
#[ignore = "run by `attach`"]
fn attached() {
    let begun = Instant::now();
    let shared = Shared::launch().wait();
    let shared = shared.unwrap_or_else(|error| panic!("{error}"));
    redis_answers(shared.redis.addr());
    sample("new process", begun.elapsed());
    assert_eq!(std::env::var("SHARED").as_deref(), Ok(shared.redis.id()));
}

#[derive(Composition)]
struct Tcp {
    #[service(
        image = "localhost/seatrial-bench-server:1",
        command = ["/server", "tcp"],
        port = 8080
    )]
    server: Service,
}

#[derive(Composition)]
struct Log {
    #[service(
        image = "localhost/seatrial-bench-server:1",
        command = ["/server", "log"],
        port = 8080,
        ready(log = "ready")
    )]
    server: Service,
}

#[derive(Composition)]
struct Http {
    #[service(
        image = "localhost/seatrial-bench-server:1",
        command = ["/server", "http"],
        port = 8080,
        ready(http = "/")
    )]
    server: Service,
}

/// Measures launches of a server that says when it was ready.
macro_rules! lags {
    ($case:literal, $composition:ident) => {
        for _ in 0..LAGS {
            let launched = $composition::launch().wait();
            let returned = now();
            let launched = launched.unwrap_or_else(|error| panic!("{error}"));
            lag($case, returned, launched.server.addr());
        }
    };
}

#[test]
#[ignore = "run by `cargo xtask bench`"]
fn lag_after_readiness() {
    lags!("tcp", Tcp);
    lags!("log", Log);
    lags!("http", Http);
}

#[seatrial::test]
#[ignore = "run by `cargo xtask bench`"]
fn teardown_of_one(one: One) {
    one.answers();
    ending("one service");
}

#[seatrial::test]
#[ignore = "run by `cargo xtask bench`"]
fn teardown_of_ten(ten: Ten) {
    ten.answers();
    ending("ten services");
}
