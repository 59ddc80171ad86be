//! Builds of images: by BuildKit where a Dockerfile needs it, and otherwise by the engine's first builder.
//!
//! Both builders get the same options, and report to the same sink: the name of each step, then its output.

mod buildkit;
mod classic;
mod exchange;
mod failing;
mod trace;

use bollard::query_parameters::{BuildImageOptions, BuilderVersion};

use super::client::Docker;
use super::held_back::HeldBack;
use crate::engine::error::EngineError;
use crate::engine::image::{BuildSpec, ProgressSink};
use crate::engine::parts::Parts;

impl Docker {
    pub(in crate::engine) async fn build(
        &self,
        build: BuildSpec<'_>,
        context: Parts<Vec<u8>>,
        progress: ProgressSink<'_>,
    ) -> Result<(), EngineError> {
        // Podman has one builder, which can do what BuildKit can.
        let with_buildkit = build.needs_buildkit && self.info.name == "docker";
        let version = match with_buildkit {
            true => BuilderVersion::BuilderBuildKit,
            false => BuilderVersion::BuilderV1,
        };
        let options = options(&build, version);
        let attempt = format!("build `{}`", build.tag);
        let (body, broken) = HeldBack::new(context);
        let built = match with_buildkit {
            true => buildkit::build(&self.address, &options, body, &attempt, progress).await,
            false => classic::build(&self.api, options, body, &attempt, progress).await,
        };
        broken.or_cause(built)
    }
}

fn options(build: &BuildSpec<'_>, version: BuilderVersion) -> BuildImageOptions {
    BuildImageOptions {
        dockerfile: build.dockerfile.to_owned(),
        target: build.target.unwrap_or_default().to_owned(),
        platform: build.platform.unwrap_or_default().to_owned(),
        t: Some(build.tag.to_owned()),
        buildargs: Some(build.args.clone().into_iter().collect()),
        labels: Some(build.labels.clone().into_iter().collect()),
        // The container of a failing step has no use.
        rm: true,
        forcerm: true,
        version,
        ..Default::default()
    }
}
