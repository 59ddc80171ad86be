//! The one test of the next run. (`lib.rs` says more.)

use seatrial_soak::Boat;

#[seatrial::test]
#[ignore = "run by `cargo xtask soak`"]
async fn rows(boat: Boat) -> anyhow::Result<()> {
    let output = boat.oars.exec(["true"]).await?;
    anyhow::ensure!(output.success(), "{output:?}");
    Ok(())
}
