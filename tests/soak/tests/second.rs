//! Tests of one test process under `cargo test`, and of one each under nextest. (`lib.rs` says more.)

use seatrial_soak::{Crew, Fleet, voyage};

#[seatrial::test]
#[ignore = "run by `cargo xtask soak`"]
async fn second_a(fleet: Fleet, crew: Crew) -> anyhow::Result<()> {
    voyage("second_a", fleet, crew).await
}

#[seatrial::test]
#[ignore = "run by `cargo xtask soak`"]
async fn second_b(fleet: Fleet, crew: Crew) -> anyhow::Result<()> {
    voyage("second_b", fleet, crew).await
}

#[seatrial::test]
#[ignore = "run by `cargo xtask soak`"]
async fn second_c(fleet: Fleet, crew: Crew) -> anyhow::Result<()> {
    voyage("second_c", fleet, crew).await
}
