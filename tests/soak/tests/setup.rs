//! The test that some processes run at once, one of which sets up what all wait for. (`lib.rs` says more.)

#[seatrial::test]
#[ignore = "run by `cargo xtask soak`"]
async fn builds_with_others() -> anyhow::Result<()> {
    seatrial_soak::build_with_others().await
}
