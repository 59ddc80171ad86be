//! Tests of one test process under `cargo test`, and of one each under nextest. (`lib.rs` says more.)

use seatrial_soak::{Crew, Fleet, voyage};

#[seatrial::test]
#[ignore = "run by `cargo xtask soak`"]
async fn port_a(fleet: Fleet, crew: Crew) -> anyhow::Result<()> {
    voyage("port_a", fleet, crew).await
}

#[seatrial::test]
#[ignore = "run by `cargo xtask soak`"]
async fn port_b(fleet: Fleet, crew: Crew) -> anyhow::Result<()> {
    voyage("port_b", fleet, crew).await
}

#[seatrial::test]
#[ignore = "run by `cargo xtask soak`"]
async fn port_c(fleet: Fleet, crew: Crew) -> anyhow::Result<()> {
    voyage("port_c", fleet, crew).await
}
