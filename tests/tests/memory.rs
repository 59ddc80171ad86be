//! What is too much to be held passes through the test process and the supervisor. `cargo xtask soak memory` does the same
//! with more of it.

use seatrial_tests::child;
use seatrial_tests::flood::{Sizes, flood};

const MEBI: u64 = 1024 * 1024;

/// Far less than each of what passes through takes where it is held: most of that is held twice.
const MOST: u64 = 96 * MEBI;

const SIZES: Sizes = Sizes {
    line: 128 * MEBI,
    lines: 16 * MEBI,
    output: 160 * MEBI,
    file: 160 * MEBI,
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
    for peak in flood(SIZES).await? {
        println!("{peak}");
        anyhow::ensure!(peak.test < MOST && peak.supervisor < MOST, "{peak}");
    }
    Ok(())
}
