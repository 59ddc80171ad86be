//! The test through whose process and supervisor passes more than anybody should hold. (`lib.rs` says more.)

#[seatrial::test(timeout = "1h")]
#[ignore = "run by `cargo xtask soak`"]
async fn floods() -> anyhow::Result<()> {
    seatrial_soak::flood().await
}
