//! Makes images by their recipes: builds them, or imports what a script writes.
//!
//! Must not decide whether an image is to be made.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use seatrial_model::Pull;
use seatrial_model::secret::Redactor;

use super::cache::{Images, Key, Request};
use super::error::{Cause, Said, Trail};
use super::platform;
use super::progress::{Task, size};
use super::pull::unless_stalled;
use super::recipe::{Building, Material, Purpose, Recipe};
use super::script;
use crate::config::BuildSource;
use crate::engine::{BuildSpec, EngineErrorKind, ImageInfo, Progress};
use crate::shown::Work;
use crate::visible::quoted;

/// The size of a build context, in bytes, from which on the user is told about it.
const LARGE: u64 = 256 << 20;

impl Images {
    /// Makes the image by its recipe. `None` if that fails, which is noted on the trail.
    pub(super) async fn make(
        &self,
        request: &Request<'_>,
        recipe: Recipe,
        trail: &mut Trail<'_>,
    ) -> Option<ImageInfo> {
        let purpose = recipe.purpose;
        let labels = [(purpose.label().to_owned(), recipe.fingerprint)].into();
        let who = match recipe.from {
            Material::Build(building) => {
                let who = match purpose {
                    Purpose::Fallback => {
                        let directory = self.relative(&building.source.context);
                        format!("fallback, build of `{directory}`")
                    }
                    Purpose::Declared => "build".to_owned(),
                };
                self.build(request, *building, purpose, &labels, &who, trail)
                    .await?;
                who
            }
            Material::Script(executable) => {
                let who = format!("fallback, script `{}`", self.relative(&executable));
                self.import(request, &executable, &labels, &who, trail)
                    .await?;
                who
            }
        };
        match request.engine.image(&tag(request)).await {
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
        building: Building,
        purpose: Purpose,
        labels: &BTreeMap<String, String>,
        who: &str,
        trail: &mut Trail<'_>,
    ) -> Option<()> {
        let Building {
            source,
            context,
            summary,
            bases,
            buildkit,
        } = building;
        let (cause, pull, shown) = match purpose {
            Purpose::Fallback => (Cause::Fallback, Pull::Missing, tag(request)),
            Purpose::Declared => {
                let by_hand = self.by_hand(&source);
                (Cause::Build(by_hand), request.pull, self.shown(&source))
            }
        };
        let needs_buildkit = buildkit.is_some();
        // Podman has one builder. It reads every Dockerfile itself, and says what a client does not deliver.
        let buildkit = buildkit.filter(|_| request.engine.info().name == "docker");
        let (frontend, needs_client) = match buildkit {
            Some(buildkit) => (buildkit.frontend, buildkit.needs_client),
            None => (None, None),
        };
        if let Some(what) = needs_client {
            let said = format!("`{what}` in the Dockerfile is not supported yet with Docker");
            trail.add(who, Said::Ours(said), Cause::NeedsClient);
            return None;
        }
        // BuildKit finds images that are there. It would pull others without mirrors and credentials.
        let frontends = frontend.iter().map(|image| (image, None));
        let bases = bases.iter().map(|image| (image, request.platform));
        for (image, platform) in frontends.chain(bases) {
            let base = self.get(request.engine, image, pull, platform);
            if let Err(error) = base.await {
                trail.add(who, Said::Base(Box::new(error)), cause);
                return None;
            }
        }
        if summary.size >= LARGE {
            self.reporter.note(&format!(
                "the build of {shown} sends {} to the engine; name what it does not need in `{}`",
                size(summary.size),
                self.relative(&source.context.join(".dockerignore")),
            ));
        }
        let args = source.args.iter();
        let redactor = Redactor::new(args.map(|(name, value)| (name.as_str(), value.as_str())));
        let task = self.reporter.begin(Work::Build, &shown);
        let this = Key::of(request).lock();
        let build = BuildSpec {
            dockerfile: &source.dockerfile,
            target: source.target.as_deref(),
            needs_buildkit,
            platform: request.platform,
            args: &source.args,
            tag: &tag(request),
            labels,
        };
        let sink = |progress| match progress {
            Progress::Line(line) => task.line(&redactor.redact(&line)),
            Progress::Made(image) => self.builds.made(&this, &image),
            layer @ Progress::Layer { .. } => task.report(layer),
        };
        let call = request.engine.build(build, context.stream(summary), &sink);
        let built = unless_stalled(self.stall_timeout, &task, "build the image", call).await;
        // Not reached if this future is dropped.
        self.builds.ended(&this);
        match built {
            Ok(()) => {
                task.done();
                Some(())
            }
            Err(error) => {
                let may_be_too_old = needs_buildkit && frontend.is_none();
                let cause = match error.kind {
                    EngineErrorKind::Dockerfile if may_be_too_old => Cause::OldFrontend,
                    _ => cause,
                };
                trail.add(who, quoted(&redactor, &error.message), cause);
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
        let tag = tag(request);
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

    /// The Dockerfile of a build as users know it.
    pub(super) fn shown(&self, source: &BuildSource) -> String {
        let file = self.relative(&source.file());
        match &source.target {
            Some(target) => format!("{file} ({target})"),
            None => file,
        }
    }

    /// The command that builds the same. The values of arguments may be secrets.
    pub(super) fn by_hand(&self, source: &BuildSource) -> String {
        let file = self.relative(&source.file());
        let mut command = format!("docker build --file {file}");
        for name in source.args.keys() {
            command.push_str(&format!(" --build-arg {name}=.."));
        }
        if let Some(target) = &source.target {
            command.push_str(&format!(" --target {target}"));
        }
        let context = self.relative(&source.context);
        let context = if context.is_empty() { "." } else { &context };
        format!("{command} {context}")
    }

    /// A path as users know it: from the root of the workspace.
    fn relative(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.config.workspace).unwrap_or(path);
        path.display().to_string()
    }
}

/// The name of the image that is made.
fn tag(request: &Request<'_>) -> String {
    request.image.with_default_tag().to_string()
}

impl script::Watch for Task {
    fn line(&self, line: &str) {
        Self::line(self, line);
    }

    fn bytes(&self, more: u64) {
        Self::bytes(self, more);
    }
}
