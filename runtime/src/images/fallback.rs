//! Fallbacks: makes images that no registry delivers, as the configuration says.
//!
//! A label on a made image has the fingerprint of its recipe. If an image of that name has another fingerprint, it is made
//! again. An image without the label is not ours, and is used as it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use seatrial_model::secret::Redactor;
use seatrial_model::{ImageRef, Pull};

use super::cache::{Images, Key, Request};
use super::error::{Cause, Said, Trail};
use super::progress::Task;
use super::pull::unless_stalled;
use super::{blocking, context, dockerfile, names, platform, script};
use crate::config::{Fallback, ImageConfig};
use crate::engine::{BuildSpec, EngineErrorKind, ImageInfo, Progress};
use crate::fingerprint::Fingerprint;
use crate::shown::Work;
use crate::visible::quoted;

/// The label that holds the fingerprint.
pub(super) const LABEL: &str = "dev.seatrial.fallback";

/// The fallback for an image: the one of its substitute, or its own. `None` for an image that is pinned by its digest, because no
/// image that is made here has a digest.
pub(super) fn of<'a>(config: &'a ImageConfig, asked: &ImageRef) -> Option<&'a Fallback> {
    let image = names::substitute(asked, &config.substitutions);
    if image.digest().is_some() {
        return None;
    }
    names::find(&image, &config.fallbacks).or_else(|| names::find(asked, &config.fallbacks))
}

/// Everything that an image is made from, read at the same moment.
#[derive(Debug)]
pub(super) struct Recipe {
    /// The fingerprint of the content, and of the recipes of the images it is built on.
    pub(super) fingerprint: String,
    from: Material,
}

#[derive(Debug)]
enum Material {
    Build {
        /// The directory, as in the configuration.
        directory: PathBuf,
        context: Vec<u8>,
        dockerfile: String,
        args: BTreeMap<String, String>,
        bases: Vec<ImageRef>,
    },
    Script(PathBuf),
}

impl Recipe {
    /// Reads the recipe of an image. `None` if the configuration has no fallback for it. Blocks.
    ///
    /// # Errors
    ///
    /// The fallback is wrong, or depends on itself.
    pub(super) fn read(config: &ImageConfig, image: &ImageRef) -> Result<Option<Self>, String> {
        Self::read_below(config, image, &mut Vec::new())
    }

    /// `path`: the images that are made from this one, the outermost first.
    fn read_below(
        config: &ImageConfig,
        image: &ImageRef,
        path: &mut Vec<String>,
    ) -> Result<Option<Self>, String> {
        let Some(fallback) = of(config, image) else {
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
            Fallback::Build {
                context,
                dockerfile,
                args,
            } => Self::of_build(config, context, dockerfile, args, path),
            Fallback::Script(executable) => Self::of_script(executable),
        };
        path.pop();
        recipe.map(Some)
    }

    fn of_build(
        config: &ImageConfig,
        directory: &Path,
        dockerfile: &str,
        args: &BTreeMap<String, String>,
        path: &mut Vec<String>,
    ) -> Result<Self, String> {
        let file = directory.join(dockerfile);
        let text = std::fs::read_to_string(&file)
            .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        let mut bases = Vec::new();
        let mut replacements = Vec::new();
        let mut fingerprint = Fingerprint::new();
        for base in dockerfile::bases(&text, args)? {
            if let Some(below) = Self::read_below(config, &base.image, path)? {
                fingerprint.add(below.fingerprint.as_bytes());
            }
            let image = names::substitute(&base.image, &config.substitutions);
            if image != base.image {
                replacements.push((base.range, image.to_string()));
            }
            if !bases.contains(&base.image) {
                bases.push(base.image);
            }
        }
        let replaced = match replacements.is_empty() {
            true => BTreeMap::new(),
            false => {
                let text = dockerfile::with_bases(&text, &replacements);
                [(dockerfile.to_owned(), text.into_bytes())].into()
            }
        };
        let context = context::pack(directory, dockerfile, &replaced)?;
        fingerprint.add(dockerfile.as_bytes()).add(&context);
        for (name, value) in args {
            fingerprint.add(name.as_bytes()).add(value.as_bytes());
        }
        Ok(Self {
            fingerprint: fingerprint.finish(),
            from: Material::Build {
                directory: directory.to_owned(),
                context,
                dockerfile: dockerfile.to_owned(),
                args: args.clone(),
                bases,
            },
        })
    }

    fn of_script(executable: &Path) -> Result<Self, String> {
        let content = std::fs::read(executable)
            .map_err(|error| format!("cannot read {}: {error}", executable.display()))?;
        Ok(Self {
            fingerprint: Fingerprint::new().add(&content).finish(),
            from: Material::Script(executable.to_owned()),
        })
    }
}

impl Images {
    /// Reads the recipe of an image, on a thread of its own.
    pub(super) async fn recipe(&self, image: &ImageRef) -> Result<Option<Recipe>, String> {
        if of(&self.config, image).is_none() {
            return Ok(None);
        }
        let (config, image) = (Arc::clone(&self.config), image.clone());
        blocking::run(move || Recipe::read(&config, &image)).await
    }

    /// Makes the image by its recipe. `None` if that fails, which is noted on the trail.
    pub(super) async fn make(
        &self,
        request: &Request<'_>,
        recipe: Recipe,
        trail: &mut Trail<'_>,
    ) -> Option<ImageInfo> {
        let labels = [(LABEL.to_owned(), recipe.fingerprint)].into();
        let who = match recipe.from {
            Material::Build {
                directory,
                context,
                dockerfile,
                args,
                bases,
            } => {
                let who = format!("fallback, build of {}", self.relative(&directory));
                let build = BuildSpec {
                    context,
                    dockerfile: &dockerfile,
                    args: &args,
                    tag: &request.image.with_default_tag().to_string(),
                    labels: &labels,
                };
                self.build(request, build, &bases, &who, trail).await?;
                who
            }
            Material::Script(executable) => {
                let who = format!("fallback, script {}", self.relative(&executable));
                self.import(request, &executable, &labels, &who, trail)
                    .await?;
                who
            }
        };
        let reference = request.image.with_default_tag().to_string();
        match request.engine.image(&reference).await {
            Ok(Some(info)) => {
                match platform::unfit(&info, request.engine.info(), request.platform) {
                    None => return Some(info),
                    Some(reason) => {
                        let cause = Cause::of_engine(EngineErrorKind::Platform);
                        trail.add(who, Said::Ours(reason), cause);
                    }
                }
            }
            Ok(None) => trail.add(
                who,
                "the engine reported success, but does not have the image",
                Cause::Absent,
            ),
            Err(error) => {
                trail.add_engine(who, &error, None);
            }
        }
        None
    }

    /// Obtains the base images, then builds.
    async fn build(
        &self,
        request: &Request<'_>,
        build: BuildSpec<'_>,
        bases: &[ImageRef],
        who: &str,
        trail: &mut Trail<'_>,
    ) -> Option<()> {
        for base in bases {
            if let Err(error) = self.get(request.engine, base, Pull::Missing, None).await {
                trail.add(who, Said::Base(Box::new(error)), Cause::Fallback);
                return None;
            }
        }
        let redactor = Redactor::new(
            build
                .args
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        let task = self.reporter.begin(Work::Build, build.tag);
        let this = Key::of(request).lock();
        let sink = |progress| match progress {
            Progress::Line(line) => task.line(&redactor.redact(&line)),
            Progress::Made(image) => self.builds.made(&this, &image),
            layer @ Progress::Layer { .. } => task.report(layer),
        };
        let call = request.engine.build(build, &sink);
        let built = unless_stalled(self.stall_timeout, &task, "build the image", call).await;
        // Not reached if this future is dropped.
        self.builds.ended(&this);
        match built {
            Ok(()) => {
                task.done();
                Some(())
            }
            Err(error) => {
                trail.add(who, quoted(&redactor, &error.message), Cause::Fallback);
                None
            }
        }
    }

    /// Runs the script and imports what it writes.
    async fn import(
        &self,
        request: &Request<'_>,
        executable: &Path,
        labels: &BTreeMap<String, String>,
        who: &str,
        trail: &mut Trail<'_>,
    ) -> Option<()> {
        let tag = request.image.with_default_tag().to_string();
        let task = Arc::new(self.reporter.begin(Work::Script, &tag));
        let mut script = match script::start(executable, &self.config.workspace, Arc::clone(&task))
        {
            Ok(script) => script,
            Err(reason) => {
                trail.add(who, reason, Cause::Fallback);
                return None;
            }
        };
        let call = request.engine.import(script.output, &tag, labels);
        let result = unless_stalled(self.stall_timeout, &task, "import the image", call).await;
        // The script's own error comes first: the engine only knows that the output broke off.
        let failure = script.failure.try_recv();
        match (failure, result) {
            (Ok(reason), _) => trail.add(who, reason, Cause::Fallback),
            (Err(_), Err(error)) => {
                trail.add(who, error.message, Cause::Fallback);
            }
            (Err(_), Ok(())) => {
                task.done();
                return Some(());
            }
        }
        None
    }

    fn relative(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.config.workspace).unwrap_or(path);
        format!("`{}`", path.display())
    }
}

impl script::Watch for Task {
    fn line(&self, line: &str) {
        Self::line(self, line);
    }

    fn bytes(&self, more: u64) {
        Self::bytes(self, more);
    }
}
