//! The calls of an engine, and the deadline of each.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::time::Duration;

use super::container::{ContainerInfo, ContainerListing, ContainerSpec, NetworkOf};
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

    /// Looks up an image in the engine's own store, by reference or id. Returns `None` for an image that does not
    /// exist.
    pub(crate) async fn image(&self, reference: &str) -> Result<Option<ImageInfo>, EngineError> {
        let call = pin!(self.bounded.kind().image(reference));
        self.bounded.short("look up the image", call).await
    }

    /// Pulls an image and passes the engine's reports to `progress`.
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

    /// Builds an image from a build context packed as a tar and names it `tag`. An error in `context` ends the call with that
    /// error, and no image is made.
    pub(crate) async fn build(
        &self,
        build: BuildSpec<'_>,
        context: Parts<Vec<u8>>,
        progress: ProgressSink<'_>,
    ) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().build(build, context, progress));
        self.bounded
            .watched("build the image", About::Engine, call)
            .await
    }

    /// Imports a root file system packed as a tar as the image `tag`. An error in `root` ends the call with that error,
    /// and no image is made.
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

    /// Adds a name to an image.
    pub(crate) async fn tag(&self, image: &str, tag: &str) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().tag(image, tag));
        self.bounded.short("tag the image", call).await
    }
    /// The ids of an image without a name and of the steps of its build, the last step first, up to the image with a name that it
    /// is built on.
    pub(crate) async fn steps(&self, id: &str) -> Result<Vec<String>, EngineError> {
        let call = pin!(self.bounded.kind().steps(id));
        self.bounded.short("list the steps of an image", call).await
    }

    /// Removes an image by its id, unless it has a name or another image is built on it. Returns whether the image no
    /// longer exists. Fails with [`EngineErrorKind::Busy`](super::error::EngineErrorKind::Busy) if a container uses the
    /// image.
    pub(crate) async fn remove_unused_image(&self, id: &str) -> Result<bool, EngineError> {
        let call = pin!(self.bounded.kind().remove_unused_image(id));
        self.bounded.long("remove the image", call).await
    }

    /// Creates a network and returns its id. Fails with
    /// [`EngineErrorKind::Conflict`](super::error::EngineErrorKind::Conflict) if the subnet overlaps that of another
    /// network.
    pub(crate) async fn create_network(
        &self,
        network: &NetworkSpec,
    ) -> Result<String, EngineError> {
        let call = pin!(self.bounded.kind().create_network(network));
        self.bounded.short("create the network", call).await
    }

    /// All networks of the engine.
    pub(crate) async fn networks(&self) -> Result<Vec<NetworkInfo>, EngineError> {
        let call = pin!(self.bounded.kind().networks());
        self.bounded.short("list the networks", call).await
    }

    /// The ids of the containers that the engine knows to be attached to a network.
    pub(crate) async fn attached(&self, network: &str) -> Result<Vec<String>, EngineError> {
        let call = pin!(self.bounded.kind().attached(network));
        self.bounded.short("inspect the network", call).await
    }

    /// Removes a network. A network that does not exist is not an error. Fails with
    /// [`EngineErrorKind::Conflict`](super::error::EngineErrorKind::Conflict) if the engine believes that containers
    /// are attached.
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

    /// The volumes with a label of this name.
    pub(crate) async fn volumes(&self, label: &str) -> Result<Vec<VolumeInfo>, EngineError> {
        let call = pin!(self.bounded.kind().volumes(label));
        self.bounded.short("list the volumes", call).await
    }

    /// Removes a volume. A volume that does not exist is not an error.
    pub(crate) async fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().remove_volume(name));
        self.bounded.long("remove the volume", call).await
    }

    /// The containers with a label of this name, running or not.
    pub(crate) async fn containers(
        &self,
        label: &str,
    ) -> Result<Vec<ContainerListing>, EngineError> {
        let call = pin!(self.bounded.kind().containers(label));
        self.bounded.short("list the containers", call).await
    }

    /// Creates a container whose log can be read, and returns its id.
    pub(crate) async fn create(&self, container: &ContainerSpec) -> Result<String, EngineError> {
        let call = pin!(self.bounded.kind().create(container));
        self.bounded.long("create the container", call).await
    }

    /// Starts a container.
    pub(crate) async fn start(&self, id: &str) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().start(id));
        self.bounded.long("start the container", call).await
    }

    /// Asks a container's process to end and kills it after `grace_period`. The default is the engine's (10 seconds).
    /// Engines count whole seconds, so a fraction is rounded up.
    pub(crate) async fn stop(
        &self,
        id: &str,
        grace_period: Option<Duration>,
    ) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().stop(id, grace_period));
        self.bounded
            .stopping(
                "stop the container",
                id,
                grace_period.unwrap_or_default(),
                call,
            )
            .await
    }

    /// Sends a signal, by default `SIGKILL`.
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

    /// Removes a container and its anonymous volumes by id or name, by force. A container that does not exist is not an
    /// error.
    pub(crate) async fn remove(&self, id: &str) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().remove(id));
        self.bounded.long("remove the container", call).await
    }

    /// The state of a container.
    pub(crate) async fn inspect(&self, id: &str) -> Result<ContainerInfo, EngineError> {
        let call = pin!(self.bounded.kind().inspect(id));
        self.bounded.short("inspect the container", call).await
    }

    /// Waits until a started container no longer runs, and returns its exit code.
    pub(crate) async fn wait(&self, id: &str) -> Result<i64, EngineError> {
        let call = pin!(self.bounded.kind().wait(id));
        self.bounded
            .watched("wait for the container's end", About::Container(id), call)
            .await
    }

    /// A container's output from its beginning, or its last `tail` lines. With `follow` the stream goes on until the
    /// container ends. Fails with [`EngineErrorKind::LogUnreadable`](super::error::EngineErrorKind::LogUnreadable) if
    /// the engine cannot read the container's log driver.
    pub(crate) fn logs(&self, id: &str, follow: bool, tail: Option<usize>) -> Parts<Output> {
        let output = self.bounded.kind().logs(id, follow, tail);
        match follow {
            true => self.bounded.watched_parts("follow the log", id, output),
            false => self.bounded.short_parts("read the log", output),
        }
    }

    /// Runs a command in a running container to its end. The purpose of the output decides how much of it is kept. A
    /// command that cannot be started is an error of kind
    /// [`EngineErrorKind::CommandNotFound`](super::error::EngineErrorKind::CommandNotFound) if the engine says so.
    /// Otherwise it has the exit code 126 or 127.
    pub(crate) async fn exec(&self, id: &str, exec: &ExecSpec) -> Result<ExecResult, EngineError> {
        let call = pin!(self.bounded.kind().exec(id, exec));
        self.bounded
            .watched(RUN_COMMAND, About::Container(id), call)
            .await
    }

    /// The same, with a standard input. The command sees the end of the input. The rest of the input is not read once
    /// the command ends or closes it. An error in `input` ends the call with that error.
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

    /// Writes to the input of a running container's process, and returns when the process has written something in turn.
    pub(crate) async fn converse(&self, id: &str, input: Vec<u8>) -> Result<(), EngineError> {
        let call = pin!(self.bounded.kind().converse(id, input));
        self.bounded
            .short("talk to the container's process", call)
            .await
    }

    /// Whether a container is attached to its network with this address, by itself or through the one that it has joined.
    pub(crate) async fn has_address(&self, info: &ContainerInfo, address: Ipv4Addr) -> bool {
        match &info.network {
            NetworkOf::Container(holder) => {
                let holder = self.inspect(holder).await;
                holder.is_ok_and(|holder| holder.addresses.contains(&address))
            }
            _ => info.addresses.contains(&address),
        }
    }

    /// Unpacks a tar below the directory `at`, which must exist. An error in `tar` ends the call with that error. Fails with
    /// [`EngineErrorKind::Occupied`](super::error::EngineErrorKind::Occupied) where a file or link would replace a directory, or a directory
    /// something else. Files that were unpacked by then stay.
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
