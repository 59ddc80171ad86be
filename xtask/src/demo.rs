//! `cargo xtask demo`: from a machine with Rust to the shop example's tests on real services, everything between
//! included.

use anyhow::{Result, ensure};

use crate::leftovers::{self, Leftovers};
use crate::steps::Steps;
use crate::{images, install, workspace};

/// The example that is shown, the package's and the directory's name.
const EXAMPLE: &str = "source-to-app-to-mysql";

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    ensure!(
        arguments.is_empty(),
        "`cargo xtask demo` takes no arguments"
    );
    println!(
        "Seatrial's demo: a shop's tests on a real MariaDB, a real Redis and the shop itself.\n"
    );
    let engine = install::engine()?;
    images::ensure_tools(&engine.api)?;

    let left = Leftovers::before(&engine.api)?;
    let mut steps = Steps::new();
    // Built beforehand, so that the next step's time is the tests' own.
    steps.command(
        "build the shop and its tests",
        workspace::cargo().args(["test", "--package", EXAMPLE, "--no-run"]),
    )?;
    steps.command(
        "run the shop's tests",
        workspace::cargo()
            .env("SEATRIAL_REPORT", "1")
            .args(["test", "--package", EXAMPLE]),
    )?;
    for defect in steps.check("look for leftovers", || left.none())? {
        steps.note(defect);
    }

    println!("\nWhat happened:\n{}\n", steps.summary());
    println!(
        "The tests of examples/{EXAMPLE} ran on {}.\n\
         Their services were started in the order of the trees printed above, and removed with the tests.\n\
         On the engine now, with Seatrial's label: {}. The images stay, so the next run starts faster.\n\n\
         Where to go next:\n  \
         examples/{EXAMPLE}/tests\n      \
         the tests that ran; change one and run `cargo test -p {EXAMPLE}`\n  \
         README.md\n      \
         how to write your own\n  \
         cargo xtask test\n      \
         everything that the project checks",
        engine.name,
        leftovers::counts(&engine.api)?,
    );
    Ok(())
}
