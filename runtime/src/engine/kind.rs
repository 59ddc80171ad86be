//! The kinds of engines, behind equal calls. The calls of this module have no deadlines.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::container::{ContainerInfo, ContainerListing, ContainerSpec};
use super::docker::Docker;
use super::error::EngineError;
use super::exec::{ExecResult, ExecSpec, Output};
#[cfg(test)]
use super::fake::Fake;
use super::image::{BuildSpec, ImageInfo, ProgressSink, PullSpec};
use super::info::EngineInfo;
use super::network::{Attachment, NetworkInfo, NetworkSpec};
use super::parts::Parts;
use super::volume::VolumeInfo;

/// An engine of one kind.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// An engine with Docker's API: Docker, Podman.
    Docker(Arc<Docker>),
    /// An engine with the answers of a test.
    #[cfg(test)]
    Fake(Arc<Fake>),
}

/// Calls the engine, whatever its kind is.
macro_rules! of_kind {
    ($kind:expr, $engine:ident => $call:expr) => {
        match $kind {
            Kind::Docker($engine) => $call,
            #[cfg(test)]
            Kind::Fake($engine) => $call,
        }
    };
}

impl Kind {
    pub(super) fn info(&self) -> &EngineInfo {
        of_kind!(self, engine => engine.info())
    }

    pub(super) async fn image(&self, reference: &str) -> Result<Option<ImageInfo>, EngineError> {
        of_kind!(self, engine => engine.image(reference).await)
    }

    pub(super) async fn pull(
        &self,
        pull: PullSpec<'_>,
        progress: ProgressSink<'_>,
    ) -> Result<(), EngineError> {
        of_kind!(self, engine => engine.pull(pull, progress).await)
    }

    pub(super) async fn build(
        &self,
        build: BuildSpec<'_>,
        context: Parts<Vec<u8>>,
        progress: ProgressSink<'_>,
    ) -> Result<(), EngineError> {
        of_kind!(self, engine => engine.build(build, context, progress).await)
    }

    pub(super) async fn import(
        &self,
        root: Parts<Vec<u8>>,
        tag: &str,
        labels: &BTreeMap<String, String>,
    ) -> Result<(), EngineError> {
        of_kind!(self, engine => engine.import(root, tag, labels).await)
    }

    pub(super) async fn tag(&self, image: &str, tag: &str) -> Result<(), EngineError> {
        of_kind!(self, engine => engine.tag(image, tag).await)
    }

    pub(super) async fn steps(&self, id: &str) -> Result<Vec<String>, EngineError> {
        of_kind!(self, engine => engine.steps(id).await)
    }

    pub(super) async fn remove_unused_image(&self, id: &str) -> Result<bool, EngineError> {
        of_kind!(self, engine => engine.remove_unused_image(id).await)
    }

    pub(super) async fn create_network(
        &self,
        network: &NetworkSpec,
    ) -> Result<String, EngineError> {
        of_kind!(self, engine => engine.create_network(network).await)
    }

    pub(super) async fn networks(&self) -> Result<Vec<NetworkInfo>, EngineError> {
        of_kind!(self, engine => engine.networks().await)
    }

    pub(super) async fn attached(&self, network: &str) -> Result<Vec<String>, EngineError> {
        of_kind!(self, engine => engine.attached(network).await)
    }

    pub(super) async fn remove_network(&self, id: &str) -> Result<(), EngineError> {
        of_kind!(self, engine => engine.remove_network(id).await)
    }

    pub(super) async fn connect(
        &self,
        container: &str,
        attachment: &Attachment,
    ) -> Result<(), EngineError> {
        of_kind!(self, engine => engine.connect(container, attachment).await)
    }

    pub(super) async fn disconnect(
        &self,
        container: &str,
        network: &str,
    ) -> Result<(), EngineError> {
        of_kind!(self, engine => engine.disconnect(container, network).await)
    }

    pub(super) async fn create_volume(
        &self,
        name: &str,
        labels: &BTreeMap<String, String>,
    ) -> Result<(), EngineError> {
        of_kind!(self, engine => engine.create_volume(name, labels).await)
    }

    pub(super) async fn volumes(&self, label: &str) -> Result<Vec<VolumeInfo>, EngineError> {
        of_kind!(self, engine => engine.volumes(label).await)
    }

    pub(super) async fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
        of_kind!(self, engine => engine.remove_volume(name).await)
    }

    pub(super) async fn containers(
        &self,
        label: &str,
    ) -> Result<Vec<ContainerListing>, EngineError> {
        of_kind!(self, engine => engine.containers(label).await)
    }

    pub(super) async fn create(&self, container: &ContainerSpec) -> Result<String, EngineError> {
        of_kind!(self, engine => engine.create(container).await)
    }

    pub(super) async fn start(&self, id: &str) -> Result<(), EngineError> {
        of_kind!(self, engine => engine.start(id).await)
    }

    pub(super) async fn stop(
        &self,
        id: &str,
        grace_period: Option<Duration>,
    ) -> Result<(), EngineError> {
        of_kind!(self, engine => engine.stop(id, grace_period).await)
    }

    pub(super) async fn kill(&self, id: &str, signal: Option<&str>) -> Result<(), EngineError> {
        of_kind!(self, engine => engine.kill(id, signal).await)
    }

    pub(super) async fn pause(&self, id: &str) -> Result<(), EngineError> {
        of_kind!(self, engine => engine.pause(id).await)
    }

    pub(super) async fn unpause(&self, id: &str) -> Result<(), EngineError> {
        of_kind!(self, engine => engine.unpause(id).await)
    }

    pub(super) async fn remove(&self, id: &str) -> Result<(), EngineError> {
        of_kind!(self, engine => engine.remove(id).await)
    }

    pub(super) async fn inspect(&self, id: &str) -> Result<ContainerInfo, EngineError> {
        of_kind!(self, engine => engine.inspect(id).await)
    }

    pub(super) async fn wait(&self, id: &str) -> Result<i64, EngineError> {
        of_kind!(self, engine => engine.wait(id).await)
    }

    pub(super) fn logs(&self, id: &str, follow: bool, tail: Option<usize>) -> Parts<Output> {
        of_kind!(self, engine => engine.logs(id, follow, tail))
    }

    pub(super) async fn exec(&self, id: &str, exec: &ExecSpec) -> Result<ExecResult, EngineError> {
        of_kind!(self, engine => engine.exec(id, exec).await)
    }

    pub(super) async fn exec_with_input(
        &self,
        id: &str,
        exec: &ExecSpec,
        input: Parts<Vec<u8>>,
    ) -> Result<ExecResult, EngineError> {
        of_kind!(self, engine => engine.exec_with_input(id, exec, input).await)
    }

    pub(super) async fn converse(&self, id: &str, input: Vec<u8>) -> Result<(), EngineError> {
        of_kind!(self, engine => engine.converse(id, input).await)
    }

    pub(super) async fn upload(
        &self,
        id: &str,
        at: &str,
        tar: Parts<Vec<u8>>,
    ) -> Result<(), EngineError> {
        of_kind!(self, engine => engine.upload(id, at, tar).await)
    }

    pub(super) fn download(&self, id: &str, from: &str) -> Parts<Vec<u8>> {
        of_kind!(self, engine => engine.download(id, from))
    }
}
