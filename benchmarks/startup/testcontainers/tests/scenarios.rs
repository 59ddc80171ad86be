//! The scenarios with testcontainers, each in a process of its own, which `cargo xtask bench` starts.

use std::time::Instant;

use futures_util::future::try_join_all;
use startup_measure::{
    ATTACHING, LABEL, LAGS, LATER, PROCESS, SERVER, SERVER_PORT, TWENTY, ending, in_new_processes,
    lag, now, redis_answers, sample,
};
use testcontainers::core::wait::HttpWaitStrategy;
use testcontainers::core::{ContainerPort, Host, WaitFor};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt, ReuseDirective};

use startup_testcontainers::{Result, address, address_of, redis};

/// What containers call this machine.
const HOST: &str = "host.docker.internal";

fn case(number: usize) -> &'static str {
    if number == 0 { "cold" } else { "warm" }
}

#[tokio::test]
#[ignore = "run by `cargo xtask bench`"]
async fn one() -> Result<()> {
    // All stay until the last is measured: no removal is in the times.
    let mut held = Vec::new();
    for number in 0..=LATER {
        let begun = Instant::now();
        let redis = redis().start().await?;
        redis_answers(address(&redis).await?);
        sample(case(number), begun.elapsed());
        held.push(redis);
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by `cargo xtask bench`"]
async fn twenty() -> Result<()> {
    let mut held = Vec::new();
    for number in 0..=1 {
        let begun = Instant::now();
        let all = try_join_all((0..TWENTY).map(|_| redis().start())).await?;
        for redis in &all {
            redis_answers(address(redis).await?);
        }
        sample(case(number), begun.elapsed());
        held.push(all);
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by `cargo xtask bench`"]
async fn chain() -> Result<()> {
    let mut held = Vec::new();
    for number in 0..=1 {
        let begun = Instant::now();
        let mut last = redis().start().await?;
        for _ in 1..4 {
            // The published port, as other containers reach it.
            let port = last.get_host_port_ipv4(6379).await?;
            let next = redis()
                .with_host(HOST, Host::HostGateway)
                .with_env_var("UPSTREAM", format!("{HOST}:{port}"));
            held.push(std::mem::replace(&mut last, next.start().await?));
        }
        redis_answers(address(&last).await?);
        sample(case(number), begun.elapsed());
        held.push(last);
    }
    Ok(())
}

/// One Redis for all processes that ask for it with this label.
async fn shared() -> Result<ContainerAsync<GenericImage>> {
    let process = std::env::var(PROCESS)?;
    let shared = redis()
        .with_label("dev.seatrial.test.process", process)
        .with_reuse(ReuseDirective::Always);
    Ok(shared.start().await?)
}

#[tokio::test]
#[ignore = "run by `cargo xtask bench`"]
async fn attach() -> Result<()> {
    let shared = shared().await?;
    in_new_processes("attached", ATTACHING, &[("SHARED", shared.id())]);
    // Nothing else would remove it.
    shared.rm().await?;
    Ok(())
}

#[tokio::test]
#[ignore = "run by `attach`"]
async fn attached() -> Result<()> {
    let begun = Instant::now();
    let shared = shared().await?;
    redis_answers(address(&shared).await?);
    sample("new process", begun.elapsed());
    assert_eq!(std::env::var("SHARED").as_deref(), Ok(shared.id()));
    Ok(())
}

#[tokio::test]
#[ignore = "run by `cargo xtask bench`"]
async fn lag_after_readiness() -> Result<()> {
    let port = ContainerPort::Tcp(SERVER_PORT);
    let ok = HttpWaitStrategy::new("/").with_expected_status_code(200_u16);
    for (kind, ready) in [
        ("log", WaitFor::message_on_stdout("ready")),
        ("http", WaitFor::http(ok)),
    ] {
        for _ in 0..LAGS {
            let server = GenericImage::new(SERVER.0, SERVER.1)
                .with_exposed_port(port)
                .with_wait_for(ready.clone())
                .with_label(LABEL.0, LABEL.1)
                .with_cmd(["/server", kind]);
            let server = server.start().await?;
            let returned = now();
            lag(kind, returned, address_of(&server, SERVER_PORT).await?);
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by `cargo xtask bench`"]
async fn teardown_of_one() -> Result<()> {
    let redis = redis().start().await?;
    redis_answers(address(&redis).await?);
    ending("one service");
    Ok(())
}

#[tokio::test]
#[ignore = "run by `cargo xtask bench`"]
async fn teardown_of_ten() -> Result<()> {
    let ten = try_join_all((0..10).map(|_| redis().start())).await?;
    for redis in &ten {
        redis_answers(address(redis).await?);
    }
    ending("ten services");
    Ok(())
}
