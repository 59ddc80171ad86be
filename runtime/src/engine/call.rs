//! The calls of an engine.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::container::{ContainerInfo, ContainerListing, ContainerSpec};
use super::error::EngineError;
use super::exec::{ExecResult, ExecSpec, Output};
use super::image::{BuildSpec, ImageInfo, ProgressSink, PullSpec};
use super::info::EngineInfo;
use super::network::{Attachment, NetworkInfo, NetworkSpec};
use super::parts::Parts;
use super::volume::VolumeInfo;

/// The future of a call.
pub(crate) type Call<'a, T> = Pin<Box<dyn Future<Output = Result<T, EngineError>> + Send + 'a>>;

/// A kind of engine that runs containers.
pub(crate) trait Engine: Send + Sync + fmt::Debug {
    /// What and where it is.
    fn info(&self) -> &EngineInfo;

    /// Looks an image up in the engine's own store: by reference or id. `None` where it is not there.
    fn image<'a>(&'a self, reference: &'a str) -> Call<'a, Option<ImageInfo>>;
    /// Pulls an image; what the engine reports on the way goes to `progress`.
    fn pull<'a>(&'a self, pull: PullSpec<'a>, progress: ProgressSink<'a>) -> Call<'a, ()>;
    /// Builds an image from a directory packed as a tar and names it `tag`.
    fn build<'a>(&'a self, build: BuildSpec<'a>, progress: ProgressSink<'a>) -> Call<'a, ()>;
    /// Makes an image named `tag` from a root file system packed as a tar. An error in `root` ends the call with that
    /// error, and no image is made.
    fn import<'a>(
        &'a self,
        root: Parts<Vec<u8>>,
        tag: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> Call<'a, ()>;
    /// Gives an image one more name.
    fn tag<'a>(&'a self, image: &'a str, tag: &'a str) -> Call<'a, ()>;
    /// Removes an image by its id, unless it has a name or another is built on it: whether it is there no more.
    /// [`EngineErrorKind::Busy`](super::error::EngineErrorKind::Busy) where a container has it in use.
    fn remove_unused_image<'a>(&'a self, id: &'a str) -> Call<'a, bool>;

    /// Creates a network and returns its id. [`EngineErrorKind::Conflict`](super::error::EngineErrorKind::Conflict) where the subnet overlaps another's.
    fn create_network<'a>(&'a self, network: &'a NetworkSpec) -> Call<'a, String>;
    /// Every network there is.
    fn networks(&self) -> Call<'_, Vec<NetworkInfo>>;
    /// The ids of the containers that are attached to a network, as far as the engine knows.
    fn attached<'a>(&'a self, network: &'a str) -> Call<'a, Vec<String>>;
    /// Removes a network; one that is not there is no error. [`EngineErrorKind::Conflict`](super::error::EngineErrorKind::Conflict) where the engine believes that
    /// containers are attached.
    fn remove_network<'a>(&'a self, id: &'a str) -> Call<'a, ()>;
    /// Attaches a container to a network.
    fn connect<'a>(&'a self, container: &'a str, attachment: &'a Attachment) -> Call<'a, ()>;
    /// Detaches a container from a network.
    fn disconnect<'a>(&'a self, container: &'a str, network: &'a str) -> Call<'a, ()>;

    /// Creates a volume.
    fn create_volume<'a>(
        &'a self,
        name: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> Call<'a, ()>;
    /// The volumes that carry a label of this name.
    fn volumes<'a>(&'a self, label: &'a str) -> Call<'a, Vec<VolumeInfo>>;
    /// Removes a volume; one that is not there is no error.
    fn remove_volume<'a>(&'a self, name: &'a str) -> Call<'a, ()>;

    /// The containers that carry a label of this name, running or not.
    fn containers<'a>(&'a self, label: &'a str) -> Call<'a, Vec<ContainerListing>>;
    /// Creates a container whose output can be read, and returns its id.
    fn create<'a>(&'a self, container: &'a ContainerSpec) -> Call<'a, String>;
    /// Starts a container.
    fn start<'a>(&'a self, id: &'a str) -> Call<'a, ()>;
    /// Asks a container's process to end and kills it after `patience`, or else after the engine's default (10 seconds).
    /// Engines count whole seconds: a part of one is a second more.
    fn stop<'a>(&'a self, id: &'a str, patience: Option<Duration>) -> Call<'a, ()>;
    /// Sends `SIGKILL`, or the signal given.
    fn kill<'a>(&'a self, id: &'a str, signal: Option<&'a str>) -> Call<'a, ()>;
    /// Freezes a container's processes.
    fn pause<'a>(&'a self, id: &'a str) -> Call<'a, ()>;
    /// Thaws a container's processes.
    fn unpause<'a>(&'a self, id: &'a str) -> Call<'a, ()>;
    /// Removes a container by id or name, by force, with its anonymous volumes; one that is not there is no error.
    fn remove<'a>(&'a self, id: &'a str) -> Call<'a, ()>;
    /// What a container is doing.
    fn inspect<'a>(&'a self, id: &'a str) -> Call<'a, ContainerInfo>;
    /// Waits until a container that was started does not run, and returns its exit code.
    fn wait<'a>(&'a self, id: &'a str) -> Call<'a, i64>;

    /// A container's output, from its beginning or, with `tail`, its last lines. With `follow` the stream goes on until
    /// the container ends. [`EngineErrorKind::LogUnreadable`](super::error::EngineErrorKind::LogUnreadable) where the container was created with a log that nobody can read.
    fn logs(&self, id: &str, follow: bool, tail: Option<usize>) -> Parts<Output>;
    /// Runs a command in a running container to its end, and keeps of its output as much as that is for. A command that cannot be started is an error of kind
    /// [`EngineErrorKind::CommandNotFound`](super::error::EngineErrorKind::CommandNotFound) where the engine says so, else exit code 126 or 127.
    fn exec<'a>(&'a self, id: &'a str, exec: &'a ExecSpec) -> Call<'a, ExecResult>;
    /// The same, with a standard input. The command sees its end; where it ends before it has read all, or closes it, the rest
    /// is not asked for. An error in `input` ends the call with that error.
    fn exec_with_input<'a>(
        &'a self,
        id: &'a str,
        exec: &'a ExecSpec,
        input: Parts<Vec<u8>>,
    ) -> Call<'a, ExecResult>;
    /// Unpacks a tar below the directory `at`, which must exist. An error in `tar` ends the call with that error; what was
    /// unpacked by then stays.
    fn upload<'a>(&'a self, id: &'a str, at: &'a str, tar: Parts<Vec<u8>>) -> Call<'a, ()>;
    /// Packs the file or directory `from` as a tar.
    fn download(&self, id: &str, from: &str) -> Parts<Vec<u8>>;
}
