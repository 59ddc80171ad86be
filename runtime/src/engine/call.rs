//! The calls of an engine, and the deadline of each.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use super::container::{ContainerInfo, ContainerListing, ContainerSpec};
use super::deadlines::{About, Bounded, Deadlines};
use super::error::EngineError;
use super::exec::{ExecResult, ExecSpec, Output};
use super::image::{BuildSpec, ImageInfo, ProgressSink, PullSpec};
use super::info::EngineInfo;
use super::kind::Kind;
use super::network::{Attachment, NetworkInfo, NetworkSpec};
use super::parts::Parts;
use super::volume::VolumeInfo;

/// What an exec attempts.
const RUN_COMMAND: &str = "run a command in the container";

/// An engine that runs containers. A clone is the same engine.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    pub(super) bounded: Bounded,
}

impl Engine {
    /// An engine of this kind. Without deadlines nothing bounds its calls.
    pub(super) fn new(kind: Kind, deadlines: Option<Deadlines>) -> Self {
        Self {
            bounded: Bounded::new(kind, deadlines),
        }
    }

    /// What and where it is.
    pub(crate) fn info(&self) -> &EngineInfo {
        self.bounded.kind().info()
    }

    /// Looks an image up in the engine's own store: by reference or id. `None` where it is not there.
    pub(crate) async fn image(&self, reference: &str) -> Result<Option<ImageInfo>, EngineError> {
        let call = pin!(self.bounded.kind().image(reference));
        self.bounded.short("look the image up", call).await
    }

    /// Pulls an image; what the engine reports on the way goes to `progress`.
    pub(crate) async fn pull(
        &self,
        pull: PullSpec<'_>,
        progress: ProgressSink<'_>,
    ) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().pull(pull, progress));
        self.bounded
            .watched("pull the image", About::Engine, call)
            .await
    }

    /// Builds an image from a directory packed as a tar and names it `tag`.
    pub(crate) async fn build(
        &self,
        build: BuildSpec<'_>,
        progress: ProgressSink<'_>,
    ) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().build(build, progress));
        self.bounded
            .watched("build the image", About::Engine, call)
            .await
    }

    /// Makes an image named `tag` from a root file system packed as a tar. An error in `root` ends the call with that
    /// error, and no image is made.
    pub(crate) async fn import(
        &self,
        root: Parts<Vec<u8>>,
        tag: &str,
        labels: &BTreeMap<String, String>,
    ) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().import(root, tag, labels));
        self.bounded
            .watched("import the image", About::Engine, call)
            .await
    }

    /// Gives an image one more name.
    pub(crate) async fn tag(&self, image: &str, tag: &str) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().tag(image, tag));
        self.bounded.short("name the image", call).await
    }

    /// Removes an image by its id, unless it has a name or another is built on it: whether it is there no more.
    /// [`EngineErrorKind::Busy`](super::error::EngineErrorKind::Busy) where a container has it in use.
    pub(crate) async fn remove_unused_image(&self, id: &str) -> Result<bool, EngineError> {
        let call = pin!(self.bounded.kind().remove_unused_image(id));
        self.bounded.long("remove the image", call).await
    }

    /// Creates a network and returns its id. [`EngineErrorKind::Conflict`](super::error::EngineErrorKind::Conflict) where the subnet overlaps another's.
    pub(crate) async fn create_network(
        &self,
        network: &NetworkSpec,
    ) -> Result<String, EngineError> {
        let call = pin!(self.bounded.kind().create_network(network));
        self.bounded.short("create the network", call).await
    }

    /// Every network there is.
    pub(crate) async fn networks(&self) -> Result<Vec<NetworkInfo>, EngineError> {
        let call = pin!(self.bounded.kind().networks());
        self.bounded.short("list the networks", call).await
    }

    /// The ids of the containers that are attached to a network, as far as the engine knows.
    pub(crate) async fn attached(&self, network: &str) -> Result<Vec<String>, EngineError> {
        let call = pin!(self.bounded.kind().attached(network));
        self.bounded.short("look at the network", call).await
    }

    /// Removes a network; one that is not there is no error. [`EngineErrorKind::Conflict`](super::error::EngineErrorKind::Conflict) where the engine believes that
    /// containers are attached.
    pub(crate) async fn remove_network(&self, id: &str) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().remove_network(id));
        self.bounded.short("remove the network", call).await
    }

    /// Attaches a container to a network.
    pub(crate) async fn connect(
        &self,
        container: &str,
        attachment: &Attachment,
    ) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().connect(container, attachment));
        self.bounded
            .short("connect the container to its network", call)
            .await
    }

    /// Detaches a container from a network.
    pub(crate) async fn disconnect(
        &self,
        container: &str,
        network: &str,
    ) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().disconnect(container, network));
        self.bounded
            .short("disconnect the container from its network", call)
            .await
    }

    /// Creates a volume.
    pub(crate) async fn create_volume(
        &self,
        name: &str,
        labels: &BTreeMap<String, String>,
    ) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().create_volume(name, labels));
        self.bounded.short("create the volume", call).await
    }

    /// The volumes that carry a label of this name.
    pub(crate) async fn volumes(&self, label: &str) -> Result<Vec<VolumeInfo>, EngineError> {
        let call = pin!(self.bounded.kind().volumes(label));
        self.bounded.short("list the volumes", call).await
    }

    /// Removes a volume; one that is not there is no error.
    pub(crate) async fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().remove_volume(name));
        self.bounded.long("remove the volume", call).await
    }

    /// The containers that carry a label of this name, running or not.
    pub(crate) async fn containers(
        &self,
        label: &str,
    ) -> Result<Vec<ContainerListing>, EngineError> {
        let call = pin!(self.bounded.kind().containers(label));
        self.bounded.short("list the containers", call).await
    }

    /// Creates a container whose output can be read, and returns its id.
    pub(crate) async fn create(&self, container: &ContainerSpec) -> Result<String, EngineError> {
        let call = pin!(self.bounded.kind().create(container));
        self.bounded.long("create the container", call).await
    }

    /// Starts a container.
    pub(crate) async fn start(&self, id: &str) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().start(id));
        self.bounded.long("start the container", call).await
    }

    /// Asks a container's process to end and kills it after `patience`, or else after the engine's default (10 seconds).
    /// Engines count whole seconds: a part of one is a second more.
    pub(crate) async fn stop(
        &self,
        id: &str,
        patience: Option<Duration>,
    ) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().stop(id, patience));
        self.bounded
            .stopping("stop the container", id, patience.unwrap_or_default(), call)
            .await
    }

    /// Sends `SIGKILL`, or the signal given.
    pub(crate) async fn kill(&self, id: &str, signal: Option<&str>) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().kill(id, signal));
        self.bounded.short("signal the container", call).await
    }

    /// Freezes a container's processes.
    pub(crate) async fn pause(&self, id: &str) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().pause(id));
        self.bounded.short("pause the container", call).await
    }

    /// Thaws a container's processes.
    pub(crate) async fn unpause(&self, id: &str) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().unpause(id));
        self.bounded.short("unpause the container", call).await
    }

    /// Removes a container by id or name, by force, with its anonymous volumes; one that is not there is no error.
    pub(crate) async fn remove(&self, id: &str) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().remove(id));
        self.bounded.long("remove the container", call).await
    }

    /// What a container is doing.
    pub(crate) async fn inspect(&self, id: &str) -> Result<ContainerInfo, EngineError> {
        let call = pin!(self.bounded.kind().inspect(id));
        self.bounded.short("inspect the container", call).await
    }

    /// Waits until a container that was started does not run, and returns its exit code.
    pub(crate) async fn wait(&self, id: &str) -> Result<i64, EngineError> {
        let call = pin!(self.bounded.kind().wait(id));
        self.bounded
            .watched("wait for the container's end", About::Container(id), call)
            .await
    }

    /// A container's output, from its beginning or, with `tail`, its last lines. With `follow` the stream goes on until
    /// the container ends. [`EngineErrorKind::LogUnreadable`](super::error::EngineErrorKind::LogUnreadable) where the container was created with a log that nobody can read.
    pub(crate) fn logs(&self, id: &str, follow: bool, tail: Option<usize>) -> Parts<Output> {
        let output = self.bounded.kind().logs(id, follow, tail);
        match follow {
            true => self.bounded.watched_parts("follow the log", id, output),
            false => self.bounded.short_parts("read the log", output),
        }
    }

    /// Runs a command in a running container to its end, and keeps of its output as much as that is for. A command that cannot be started is an error of kind
    /// [`EngineErrorKind::CommandNotFound`](super::error::EngineErrorKind::CommandNotFound) where the engine says so, else exit code 126 or 127.
    pub(crate) async fn exec(&self, id: &str, exec: &ExecSpec) -> Result<ExecResult, EngineError> {
        let call = pin!(self.bounded.kind().exec(id, exec));
        self.bounded
            .watched(RUN_COMMAND, About::Container(id), call)
            .await
    }

    /// The same, with a standard input. The command sees its end; where it ends before it has read all, or closes it, the rest
    /// is not asked for. An error in `input` ends the call with that error.
    pub(crate) async fn exec_with_input(
        &self,
        id: &str,
        exec: &ExecSpec,
        input: Parts<Vec<u8>>,
    ) -> Result<ExecResult, EngineError> {
        let call = pin!(self.bounded.kind().exec_with_input(id, exec, input));
        self.bounded
            .watched(RUN_COMMAND, About::Container(id), call)
            .await
    }

    /// Unpacks a tar below the directory `at`, which must exist. An error in `tar` ends the call with that error; what was
    /// unpacked by then stays.
    pub(crate) async fn upload(
        &self,
        id: &str,
        at: &str,
        tar: Parts<Vec<u8>>,
    ) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().upload(id, at, tar));
        self.bounded
            .copying("copy files into the container", id, call)
            .await
    }

    /// Packs the file or directory `from` as a tar.
    pub(crate) fn download(&self, id: &str, from: &str) -> Parts<Vec<u8>> {
        let parts = self.bounded.kind().download(id, from);
        self.bounded
            .copying_parts("copy files out of the container", id, parts)
    }
}
