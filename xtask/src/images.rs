//! `cargo xtask images`: makes the images of `seatrial.toml` in the engine, for who works on them. Whoever only runs
//! tests does not need it: the product makes a missing image itself.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail, ensure};

use crate::api::Api;
use crate::packages::Need;
use crate::steps::Steps;
use crate::{install, workspace};

/// The image that all others are made from.
pub(crate) const BASE: &str = "debian:bookworm-slim";

/// What `BASE` is made with where it cannot be pulled.
pub(crate) const MMDEBSTRAP: Need = Need {
    programs: &["mmdebstrap"],
    packages: &["mmdebstrap", "debian-archive-keyring"],
    why: "the engine has no image debian:bookworm-slim; where no registry delivers it, it is made from Debian's \
          packages",
};

/// An image and how it is made.
struct Recipe {
    image: String,
    source: Source,
}

enum Source {
    /// A directory with a Dockerfile.
    Build(String),
    /// An executable that writes a root file system as a tar.
    Script(String),
}

/// Makes the images named, or all: those from a Dockerfile each time, for its cache makes that cheap; those from a
/// script where the engine lacks them or they are named.
pub(crate) fn run(names: &[String]) -> Result<()> {
    let recipes = recipes()?;
    if let Some(unknown) = names
        .iter()
        .find(|name| !recipes.iter().any(|r| r.image == **name))
    {
        let known: Vec<&str> = recipes.iter().map(|recipe| recipe.image.as_str()).collect();
        bail!(
            "seatrial.toml has no image `{unknown}`; name one of: {}",
            known.join(", ")
        );
    }
    let api = install::engine()?.api;
    let mut steps = Steps::new();
    for recipe in &recipes {
        let named = names.contains(&recipe.image);
        if !names.is_empty() && !named {
            continue;
        }
        match &recipe.source {
            Source::Script(_) if !named && has(&api, &recipe.image)? => {
                steps.skip(&recipe.image, "the engine has it; name it to make it again");
            }
            Source::Script(script) => {
                MMDEBSTRAP.meet()?;
                steps.check(&recipe.image, || import(&api, &recipe.image, script))?;
            }
            Source::Build(directory) => {
                steps.check(&recipe.image, || build(&api, &recipe.image, directory))?;
            }
        }
    }
    println!("\n{}", steps.summary());
    Ok(())
}

/// Whether the engine has an image.
///
/// # Errors
///
/// Where the engine does not answer.
pub(crate) fn has(api: &Api, image: &str) -> Result<bool> {
    Ok(api.get(&format!("/images/{image}/json"))?.is_some())
}

/// The images of `seatrial.toml`, those that others may be made from first.
fn recipes() -> Result<Vec<Recipe>> {
    let path = workspace::root().join("seatrial.toml");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let document: toml::Table = text.parse().context("seatrial.toml is malformed")?;
    let images = document.get("images").and_then(toml::Value::as_table);
    let mut recipes = Vec::new();
    for (image, recipe) in images.into_iter().flatten() {
        let path = |key| {
            recipe
                .get(key)
                .and_then(toml::Value::as_str)
                .map(str::to_owned)
        };
        let source = (path("script").map(Source::Script))
            .or_else(|| path("build").map(Source::Build))
            .ok_or_else(|| {
                anyhow!("seatrial.toml gives no `build` and no `script` for `{image}`")
            })?;
        recipes.push(Recipe {
            image: image.clone(),
            source,
        });
    }
    recipes.sort_by_key(|recipe| matches!(recipe.source, Source::Build(_)));
    Ok(recipes)
}

fn build(api: &Api, image: &str, directory: &str) -> Result<()> {
    let tar = Command::new("tar")
        .args(["--create", "--directory", directory, "."])
        .current_dir(workspace::root())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run `tar`")?;
    ensure!(tar.status.success(), "cannot pack {directory}");
    let length = tar.stdout.len() as u64;
    let path = format!("/build?t={image}&rm=1&forcerm=1");
    api.post_tar(&path, &mut tar.stdout.as_slice(), length, |line| {
        println!("    {line}")
    })
}

fn import(api: &Api, image: &str, script: &str) -> Result<()> {
    let (repository, tag) = image
        .split_once(':')
        .ok_or_else(|| anyhow!("`{image}` has no tag; write one in seatrial.toml"))?;
    // The engine must be told the length beforehand, so the whole is written first.
    let tar = workspace::root().join("target/rootfs.tar");
    let made = write_root(script, &tar).and_then(|()| {
        let mut file = File::open(&tar)?;
        let length = file.metadata()?.len();
        let path = format!(
            "/images/create?fromSrc=-&repo={repository}&tag={tag}&changes=CMD%20%5B%22bash%22%5D"
        );
        api.post_tar(&path, &mut file, length, |line| println!("    {line}"))
    });
    std::fs::remove_file(&tar).with_context(|| format!("cannot remove {}", tar.display()))?;
    made
}

fn write_root(script: &str, tar: &Path) -> Result<()> {
    let root = workspace::root();
    let status = Command::new(root.join(script))
        .current_dir(&root)
        .stdin(Stdio::null())
        .stdout(File::create(tar).with_context(|| format!("cannot write {}", tar.display()))?)
        .status()
        .with_context(|| format!("cannot run {script}"))?;
    ensure!(status.success(), "{script} ended with {status}");
    Ok(())
}
