//! Images that no registry delivers, made from what the configuration gives for them.
//!
//! A made image is labelled with the fingerprint of what it was made from. Where an image of that name carries
//! another fingerprint, it is made again; one that carries none is not ours and is used as it is.

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

/// The fallback for an image: that of what is used in its place, else its own. None for one that is pinned by its digest, which
/// nothing that is made here would have.
pub(super) fn of<'a>(config: &'a ImageConfig, asked: &ImageRef) -> Option<&'a Fallback> {
    let image = names::substitute(asked, &config.substitutions);
    if image.digest().is_some() {
        return None;
    }
    names::find(&image, &config.fallbacks).or_else(|| names::find(asked, &config.fallbacks))
}

/// Everything that an image is made from, read at one moment.
#[derive(Debug)]
pub(super) struct Recipe {
    /// Of the content, and of the fallbacks of the images it is built on.
    pub(super) fingerprint: String,
    from: Material,
}

#[derive(Debug)]
enum Material {
    Build {
        /// The directory, as the configuration has it.
        directory: PathBuf,
        context: Vec<u8>,
        dockerfile: String,
        args: BTreeMap<String, String>,
        bases: Vec<ImageRef>,
    },
    Script(PathBuf),
}

impl Recipe {
    /// Reads what the image is made from; `None` where the configuration gives no fallback. Blocks.
    ///
    /// # Errors
    ///
    /// What is wrong with the fallback, or that it leads back to itself.
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
            let circle: Vec<String> = path[start..]
                .iter()
                .chain([&name])
                .map(|name| format!("`{name}`"))
                .collect();
            return Err(format!(
                "the fallbacks go round in a circle: {}; build one of them on another image",
                circle.join(" is built on ")
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
            .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
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
            .map_err(|error| format!("{} cannot be read: {error}", executable.display()))?;
        Ok(Self {
            fingerprint: Fingerprint::new().add(&content).finish(),
            from: Material::Script(executable.to_owned()),
        })
    }
}

impl Images {
    /// Reads the recipe for an image, where there is one.
    pub(super) async fn recipe(&self, image: &ImageRef) -> Result<Option<Recipe>, String> {
        if of(&self.config, image).is_none() {
            return Ok(None);
        }
        let (config, image) = (Arc::clone(&self.config), image.clone());
        blocking::run(move || Recipe::read(&config, &image)).await
    }

    /// The image as its recipe makes it; `None` where it does not, which is noted on the trail.
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
                "the engine says it made the image, and does not have it",
                Cause::Absent,
            ),
            Err(error) => {
                trail.add_engine(who, &error, None);
            }
        }
        None
    }

    /// Gets the bases, then builds.
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
        // Where this is cut short it is not reached.
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
        // The script's own words come first: the engine only knows that the output broke off.
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
