//! The scenarios with testcontainers, each in a process of its own, which `cargo xtask bench` starts.

use std::time::Instant;

use futures_util::future::try_join_all;
use startup_measure::{
    AHEAD, ATTACHING, COLD, COLD_ON_A_NETWORK, LABEL, LAGS, LATER, LATER_OF_SEVERAL, PROCESS,
    SERVER, SERVER_PORT, TWENTY, WARM, ending, in_new_processes, lag, network, now, redis_answers,
    sample, settle,
};
use testcontainers::core::wait::HttpWaitStrategy;
use testcontainers::core::{ContainerPort, Host, WaitFor};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt, ReuseDirective};

use startup_testcontainers::{Result, address, address_of, redis};

/// What containers call this machine.
const HOST: &str = "host.docker.internal";

type Redis = ContainerAsync<GenericImage>;

/// Measures the first start of this process, and later ones.
async fn starts<T>(later: usize, start: impl AsyncFn() -> Result<T>) -> Result<()> {
    drop(measured(COLD, &start).await?);
    starts_after(WARM, later, start).await
}

/// Measures starts of what this process has started before.
async fn starts_ahead<T>(later: usize, start: impl AsyncFn() -> Result<T>) -> Result<()> {
    drop(start().await?);
    starts_after(AHEAD, later, start).await
}

/// Measures starts after another that is not measured. What was started before is gone each time.
async fn starts_after<T>(
    case: &str,
    later: usize,
    start: impl AsyncFn() -> Result<T>,
) -> Result<()> {
    settle();
    drop(start().await?);
    for _ in 0..later {
        drop(measured(case, &start).await?);
    }
    Ok(())
}

/// Measures one start, once all is quiet.
async fn measured<T>(case: &str, start: impl AsyncFn() -> Result<T>) -> Result<T> {
    settle();
    let begun = Instant::now();
    let started = start().await?;
    sample(case, begun.elapsed());
    Ok(started)
}

async fn start_one() -> Result<Redis> {
    let redis = redis().start().await?;
    redis_answers(address(&redis).await?);
    Ok(redis)
}

async fn start_twenty() -> Result<Vec<Redis>> {
    let all = try_join_all((0..TWENTY).map(|_| redis().start())).await?;
    for redis in &all {
        redis_answers(address(redis).await?);
    }
    Ok(all)
}

/// Four, each of which gets the address of the one before it.
async fn start_chain() -> Result<Vec<Redis>> {
    let mut all = Vec::new();
    let mut last = redis().start().await?;
    for _ in 1..4 {
        // The published port, as other containers reach it.
        let port = last.get_host_port_ipv4(6379).await?;
        let next = redis()
            .with_host(HOST, Host::HostGateway)
            .with_env_var("UPSTREAM", format!("{HOST}:{port}"));
        all.push(std::mem::replace(&mut last, next.start().await?));
    }
    redis_answers(address(&last).await?);
    all.push(last);
    Ok(all)
}

#[tokio::test]
#[ignore = "run by `cargo xtask bench`"]
async fn one() -> Result<()> {
    starts(LATER, start_one).await
}

#[tokio::test]
#[ignore = "run by `cargo xtask bench`"]
async fn one_ahead() -> Result<()> {
    starts_ahead(LATER, start_one).await
}

#[tokio::test]
#[ignore = "run by `cargo xtask bench`"]
async fn one_on_a_network() -> Result<()> {
    measured(COLD_ON_A_NETWORK, async || {
        let redis = redis().with_network(network()).start().await?;
        redis_answers(address(&redis).await?);
        Ok(redis)
    })
    .await?;
    Ok(())
}

#[tokio::test]
#[ignore = "run by `cargo xtask bench`"]
async fn twenty() -> Result<()> {
    starts(LATER_OF_SEVERAL, start_twenty).await
}

#[tokio::test]
#[ignore = "run by `cargo xtask bench`"]
async fn twenty_ahead() -> Result<()> {
    starts_ahead(LATER_OF_SEVERAL, start_twenty).await
}

#[tokio::test]
#[ignore = "run by `cargo xtask bench`"]
async fn chain() -> Result<()> {
    starts(LATER_OF_SEVERAL, start_chain).await
}

#[tokio::test]
#[ignore = "run by `cargo xtask bench`"]
async fn chain_ahead() -> Result<()> {
    starts_ahead(LATER_OF_SEVERAL, start_chain).await
}

/// One Redis for all processes that ask for it with this label.
async fn shared() -> Result<Redis> {
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
    let _redis = start_one().await?;
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
