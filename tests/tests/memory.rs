//! What is too much to be held passes through the test process and the supervisor. `cargo xtask soak memory` does the same
//! with more of it.

use seatrial_tests::child;
use seatrial_tests::flood::{Sizes, flood};

const MEBI: u64 = 1024 * 1024;

/// The most that a step may add. It is less than what passes through in the step. Of a command's output a part is held.
const MOST: u64 = 40 * MEBI;

const SIZES: Sizes = Sizes {
    line: 64 * MEBI,
    lines: 8 * MEBI,
    output: 96 * MEBI,
    file: 64 * MEBI,
};

#[test]
fn what_passes_through_is_not_held() {
    // A run of its own, whose supervisor has nothing else to do.
    let mut command = child::test("floods");
    child::leave_run(&mut command);
    let run = format!("memory-{}", std::process::id());
    let verdict = child::run(command.arg("--nocapture").env("SEATRIAL_RUN_ID", run));
    println!("{}", verdict.stdout);
    assert!(verdict.passed, "{}{}", verdict.stdout, verdict.stderr);
}

#[seatrial::test(timeout = "4m")]
#[ignore = "run by the test beside it"]
async fn floods() -> anyhow::Result<()> {
    let peaks = flood(SIZES).await?;
    for peak in &peaks {
        println!("{peak}");
    }
    for (before, peak) in peaks.iter().zip(&peaks[1..]) {
        anyhow::ensure!(peak.test - before.test < MOST, "{peak}");
        anyhow::ensure!(peak.supervisor - before.supervisor < MOST, "{peak}");
    }
    Ok(())
}
