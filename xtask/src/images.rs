//! The images that the tests run on. The product gets them, as it does for its users: from the engine, else from a
//! registry, else made as `seatrial.toml` says; this module has it do so at a moment of our choice, and sees to the
//! tool that the last way takes.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::api::Api;
use crate::packages::Need;
use crate::steps::Steps;
use crate::{install, workspace};

/// The image that all others are made from.
const BASE: &str = "debian:bookworm-slim";

/// What `BASE` is made with where it cannot be pulled.
const MMDEBSTRAP: Need = Need {
    programs: &["mmdebstrap"],
    packages: &["mmdebstrap", "debian-archive-keyring"],
    why: "the engine has no image debian:bookworm-slim; where no registry delivers it, it is made from Debian's \
          packages",
};

/// `cargo xtask images`: gets all images and tests that they behave as the tests expect.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    ensure!(
        arguments.is_empty(),
        "`cargo xtask images` takes no arguments"
    );
    let engine = install::engine()?;
    ensure_tools(&engine.api)?;
    let mut steps = Steps::new();
    let result = steps.command("fixture images", &mut tests());
    println!("\n{}", steps.summary());
    result
}

/// The tests of the images: running them gets each image that is not there, or that was made from something else
/// than its fallback is now. Under `cargo test`: nextest may not be installed.
fn tests() -> Command {
    let mut tests = workspace::cargo();
    // Of the whole workspace, so that the dependencies are built with the same features as for all other tests.
    tests.args(["test", "--workspace", "--test", "fixture_images"]);
    tests
}

/// Gets an image that the tests run on, unless it is there.
///
/// # Errors
///
/// Where it can be neither pulled nor made, or the engine does not answer.
pub(crate) fn ensure(api: &Api, steps: &mut Steps, image: &str) -> Result<()> {
    if api.has(&format!("/images/{image}/json"))? {
        return Ok(());
    }
    ensure_tools(api)?;
    steps.command("fixture images", &mut tests())
}

/// Sees to it that the base image can be made, unless it is there. Where the tool for that cannot be installed, says
/// so and goes on: a registry may still deliver the image.
///
/// # Errors
///
/// Where the engine does not answer.
pub(crate) fn ensure_tools(api: &Api) -> Result<()> {
    if api.has(&format!("/images/{BASE}/json"))? {
        return Ok(());
    }
    if let Err(error) = MMDEBSTRAP.meet() {
        println!("{error}\ncontinuing: a registry may still deliver {BASE}");
    }
    Ok(())
}
