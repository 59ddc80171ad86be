//! `cargo xtask demo`: from a machine with Rust to the shop example's tests on real services, everything between
//! included.

use anyhow::{Result, ensure};

use crate::steps::Steps;
use crate::{images, install, leftovers, workspace};

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

    let before = leftovers::list(&engine.api)?;
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
    steps.check("look for leftovers", || {
        leftovers::none_since(&engine.api, &before)
    })?;

    println!("\nWhat happened:\n{}", steps.summary());
    println!(
        "\nThe tests of examples/{EXAMPLE} have run on {}: their services were started in the order of the tree\n\
         printed above, and removed with the tests. Left on the engine: {}.\n\
         The images stay, so the next run starts faster.\n\n\
         Where to go next:\n  \
         examples/{EXAMPLE}/tests   the tests you have seen; change one and run `cargo test -p {EXAMPLE}`\n  \
         README.md                              how to write your own\n  \
         cargo xtask test                       everything the project checks",
        engine.name,
        leftovers::counts(&engine.api)?,
    );
    Ok(())
}
