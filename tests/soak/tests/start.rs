//! The test that many processes run at once. (`lib.rs` says more.)

#[seatrial::test]
#[ignore = "run by `cargo xtask soak`"]
async fn launches_with_others() -> anyhow::Result<()> {
    seatrial_soak::launch_with_others().await
}
