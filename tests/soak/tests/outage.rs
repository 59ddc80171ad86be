//! Tests whose engine goes away meanwhile. (`lib.rs` says more.)

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use seatrial::Composition;
use seatrial_soak::{Buoy, Pontoon};

/// How long each test goes on.
const LASTS: Duration = Duration::from_secs(4);

#[seatrial::test(timeout = "60s")]
#[ignore = "run by `cargo xtask soak`"]
async fn runs_commands(pontoon: Pontoon, buoy: Buoy) -> Result<()> {
    let begun = std::time::Instant::now();
    while begun.elapsed() < LASTS {
        for service in [&pontoon.deck, &buoy.bell] {
            let output = service.exec(["true"]).await?;
            ensure!(output.success(), "{output:?}");
        }
    }
    Ok(())
}

#[seatrial::test(timeout = "60s")]
#[ignore = "run by `cargo xtask soak`"]
async fn follows_logs(pontoon: Pontoon, buoy: Buoy) -> Result<()> {
    let (mut deck, mut bell) = (pontoon.deck.log_lines(), buoy.bell.log_lines());
    for _ in 0..40 {
        deck.next().await.context("the deck fell silent")??;
        bell.next().await.context("the bell fell silent")??;
    }
    Ok(())
}

#[seatrial::test(timeout = "60s")]
#[ignore = "run by `cargo xtask soak`"]
async fn launches(_pontoon: Pontoon) -> Result<()> {
    let begun = std::time::Instant::now();
    while begun.elapsed() < LASTS {
        drop(Buoy::launch().await?);
    }
    Ok(())
}

#[seatrial::test(timeout = "60s")]
#[ignore = "run by `cargo xtask soak`"]
async fn restarts(_pontoon: Pontoon, buoy: Buoy) -> Result<()> {
    let begun = std::time::Instant::now();
    while begun.elapsed() < LASTS {
        buoy.bell.restart().await?;
    }
    Ok(())
}
