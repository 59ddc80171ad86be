//! Recipes: what an image is made from, read at one moment, and the fingerprint of all of it.
//!
//! A label on a made image has the fingerprint of its recipe. If an image of that name has another one, it is made again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use seatrial_model::ImageRef;
use seatrial_model::dockerfile::Dockerfile;

use super::cache::Images;
use super::context::{Context, Summary};
use super::{blocking, names};
use crate::config::{BuildSource, Fallback, ImageConfig};
use crate::fingerprint::Fingerprint;

/// Everything that an image is made from.
#[derive(Debug)]
pub(super) struct Recipe {
    pub(super) purpose: Purpose,
    /// The fingerprint of the content, and of the recipes of the images it is built on.
    pub(super) fingerprint: String,
    pub(super) from: Material,
}

/// The reason why an image is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// No registry delivers it.
    Fallback,
    /// A declaration says how to build it.
    Declared,
}

impl Purpose {
    /// The label that has the fingerprint.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Fallback => "dev.seatrial.fallback",
            Self::Declared => "dev.seatrial.build",
        }
    }
}

#[derive(Debug)]
pub(super) enum Material {
    Build(Box<Building>),
    /// The path of an executable.
    Script(PathBuf),
}

/// An image that is built from a directory.
#[derive(Debug)]
pub(super) struct Building {
    pub(super) source: BuildSource,
    pub(super) context: Context,
    pub(super) summary: Summary,
    /// The images that it is built on, before substitution.
    pub(super) bases: Vec<ImageRef>,
    /// `None` if every builder can build it.
    pub(super) buildkit: Option<BuildKit>,
}

/// What a build by BuildKit takes.
#[derive(Debug)]
pub(super) struct BuildKit {
    /// The image of the frontend that reads the Dockerfile, before substitution. `None` for BuildKit's own.
    pub(super) frontend: Option<ImageRef>,
    /// What the client of the build would have to deliver.
    pub(super) needs_client: Option<String>,
}

/// The fallback for an image: the one of its substitute, or its own. `None` for an image that is pinned by its digest, because no
/// image that is made here has a digest.
pub(super) fn fallback<'a>(config: &'a ImageConfig, asked: &ImageRef) -> Option<&'a Fallback> {
    let image = names::substitute(asked, &config.substitutions);
    if image.digest().is_some() {
        return None;
    }
    names::find(&image, &config.fallbacks).or_else(|| names::find(asked, &config.fallbacks))
}

impl Recipe {
    /// The recipe of an image. `None` if the configuration has no fallback for it. Blocks.
    ///
    /// # Errors
    ///
    /// The fallback is wrong, or depends on itself.
    pub(super) fn of_image(config: &ImageConfig, image: &ImageRef) -> Result<Option<Self>, String> {
        Self::below(config, image, &mut Vec::new())
    }

    /// The recipe of an image that is built from `source`. Blocks.
    ///
    /// # Errors
    ///
    /// Something cannot be read, or the fallback of an image that it is built on is wrong.
    pub(super) fn of_source(config: &ImageConfig, source: &BuildSource) -> Result<Self, String> {
        Self::of_build(config, source, Purpose::Declared, &mut Vec::new())
    }

    /// `path`: the images that are made from this one, the outermost first.
    fn below(
        config: &ImageConfig,
        image: &ImageRef,
        path: &mut Vec<String>,
    ) -> Result<Option<Self>, String> {
        let Some(fallback) = fallback(config, image) else {
            return Ok(None);
        };
        let name = names::canonical(&names::substitute(image, &config.substitutions));
        if let Some(start) = path.iter().position(|above| *above == name) {
            let cycle: Vec<String> = path[start..]
                .iter()
                .chain([&name])
                .map(|name| format!("`{name}`"))
                .collect();
            return Err(format!(
                "dependency cycle of fallbacks: {}; build one of them on another image",
                cycle.join(" -> ")
            ));
        }
        path.push(name);
        let recipe = match fallback {
            Fallback::Build(source) => Self::of_build(config, source, Purpose::Fallback, path),
            Fallback::Script(executable) => Self::of_script(executable),
        };
        path.pop();
        recipe.map(Some)
    }

    fn of_build(
        config: &ImageConfig,
        source: &BuildSource,
        purpose: Purpose,
        path: &mut Vec<String>,
    ) -> Result<Self, String> {
        let file = source.file();
        let text = std::fs::read_to_string(&file)
            .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        let dockerfile = Dockerfile::parse(&text);
        let target = source.target.as_deref();
        let named = dockerfile.bases(target, &source.args)?;
        let frontend = dockerfile.frontend();
        let buildkit = dockerfile.needs_buildkit().map(|_| BuildKit {
            frontend: frontend.as_ref().map(|it| it.image.clone()),
            needs_client: dockerfile.needs_client(),
        });
        let mut bases = Vec::new();
        let mut replacements = Vec::new();
        let mut fingerprint = Fingerprint::new();
        // Only BuildKit uses a frontend. It comes before all else in the file.
        let frontend = frontend.filter(|_| buildkit.is_some());
        for base in frontend.iter().chain(&named) {
            if let Some(below) = Self::below(config, &base.image, path)? {
                fingerprint.add(below.fingerprint.as_bytes());
            }
            let image = names::substitute(&base.image, &config.substitutions);
            if image != base.image {
                replacements.push((base.range.clone(), image.to_string()));
            }
        }
        for base in named {
            if !bases.contains(&base.image) {
                bases.push(base.image);
            }
        }
        let replaced = match replacements.is_empty() {
            true => BTreeMap::new(),
            false => {
                let text = dockerfile.with_bases(&replacements);
                [(source.dockerfile.clone(), text.into_bytes())].into()
            }
        };
        let context = Context {
            directory: source.context.clone(),
            dockerfile: source.dockerfile.clone(),
            replaced,
        };
        let summary = context.summary()?;
        fingerprint
            .add(source.dockerfile.as_bytes())
            .add(target.unwrap_or_default().as_bytes())
            .add(summary.fingerprint.as_bytes());
        for (name, value) in &source.args {
            fingerprint.add(name.as_bytes()).add(value.as_bytes());
        }
        Ok(Self {
            purpose,
            fingerprint: fingerprint.finish(),
            from: Material::Build(Box::new(Building {
                source: source.clone(),
                context,
                summary,
                bases,
                buildkit,
            })),
        })
    }

    fn of_script(executable: &Path) -> Result<Self, String> {
        let content = std::fs::read(executable)
            .map_err(|error| format!("cannot read {}: {error}", executable.display()))?;
        Ok(Self {
            purpose: Purpose::Fallback,
            fingerprint: Fingerprint::new().add(&content).finish(),
            from: Material::Script(executable.to_owned()),
        })
    }
}

impl Images {
    /// Reads the recipe of an image, on a thread of its own.
    pub(super) async fn recipe(&self, image: &ImageRef) -> Result<Option<Recipe>, String> {
        if fallback(&self.config, image).is_none() {
            return Ok(None);
        }
        let (config, image) = (Arc::clone(&self.config), image.clone());
        blocking::run(move || Recipe::of_image(&config, &image)).await
    }

    /// Reads the recipe of an image that is built from `source`, on a thread of its own.
    pub(super) async fn recipe_of(&self, source: &BuildSource) -> Result<Recipe, String> {
        let (config, source) = (Arc::clone(&self.config), source.clone());
        blocking::run(move || Recipe::of_source(&config, &source)).await
    }
}

impl BuildSource {
    /// The path of the Dockerfile.
    pub(super) fn file(&self) -> PathBuf {
        self.context.join(&self.dockerfile)
    }
}
