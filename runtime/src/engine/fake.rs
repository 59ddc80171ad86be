//! An engine that answers what a test says, for decisions whose only matter is what an engine answers and when.
//!
//! A test implements those calls of [`Answers`] that it expects; any other ends it. How real engines answer is tested
//! with real engines.

use std::collections::BTreeMap;
use std::fmt;
use std::future::ready;
use std::time::Duration;

use super::call::{Call, Engine};
use super::container::{ContainerInfo, ContainerListing, ContainerSpec};
use super::error::{EngineError, EngineErrorKind};
use super::exec::{ExecResult, ExecSpec, Output};
use super::image::{BuildSpec, ImageInfo, ProgressSink, PullSpec};
use super::info::EngineInfo;
use super::network::{Attachment, NetworkInfo, NetworkSpec};
use super::parts::Parts;
use super::volume::VolumeInfo;

/// The answers of an engine, by call.
pub(crate) trait Answers: Send + Sync {
    fn image<'a>(&'a self, _: &'a str) -> Call<'a, Option<ImageInfo>> {
        unanswered("image")
    }

    fn pull<'a>(&'a self, _: PullSpec<'a>, _: ProgressSink<'a>) -> Call<'a, ()> {
        unanswered("pull")
    }

    fn build<'a>(&'a self, _: BuildSpec<'a>, _: ProgressSink<'a>) -> Call<'a, ()> {
        unanswered("build")
    }

    fn import<'a>(
        &'a self,
        _: Parts<Vec<u8>>,
        _: &'a str,
        _: &'a BTreeMap<String, String>,
    ) -> Call<'a, ()> {
        unanswered("import")
    }

    fn tag<'a>(&'a self, _: &'a str, _: &'a str) -> Call<'a, ()> {
        unanswered("tag")
    }

    fn remove_unused_image<'a>(&'a self, _: &'a str) -> Call<'a, bool> {
        unanswered("remove_unused_image")
    }

    fn create_network<'a>(&'a self, _: &'a NetworkSpec) -> Call<'a, String> {
        unanswered("create_network")
    }

    fn networks(&self) -> Call<'_, Vec<NetworkInfo>> {
        unanswered("networks")
    }

    fn attached<'a>(&'a self, _: &'a str) -> Call<'a, Vec<String>> {
        unanswered("attached")
    }

    fn remove_network<'a>(&'a self, _: &'a str) -> Call<'a, ()> {
        unanswered("remove_network")
    }

    fn connect<'a>(&'a self, _: &'a str, _: &'a Attachment) -> Call<'a, ()> {
        unanswered("connect")
    }

    fn disconnect<'a>(&'a self, _: &'a str, _: &'a str) -> Call<'a, ()> {
        unanswered("disconnect")
    }

    fn create_volume<'a>(&'a self, _: &'a str, _: &'a BTreeMap<String, String>) -> Call<'a, ()> {
        unanswered("create_volume")
    }

    fn volumes<'a>(&'a self, _: &'a str) -> Call<'a, Vec<VolumeInfo>> {
        unanswered("volumes")
    }

    fn remove_volume<'a>(&'a self, _: &'a str) -> Call<'a, ()> {
        unanswered("remove_volume")
    }

    fn containers<'a>(&'a self, _: &'a str) -> Call<'a, Vec<ContainerListing>> {
        unanswered("containers")
    }

    fn create<'a>(&'a self, _: &'a ContainerSpec) -> Call<'a, String> {
        unanswered("create")
    }

    fn start<'a>(&'a self, _: &'a str) -> Call<'a, ()> {
        unanswered("start")
    }

    fn stop<'a>(&'a self, _: &'a str, _: Option<Duration>) -> Call<'a, ()> {
        unanswered("stop")
    }

    fn kill<'a>(&'a self, _: &'a str, _: Option<&'a str>) -> Call<'a, ()> {
        unanswered("kill")
    }

    fn pause<'a>(&'a self, _: &'a str) -> Call<'a, ()> {
        unanswered("pause")
    }

    fn unpause<'a>(&'a self, _: &'a str) -> Call<'a, ()> {
        unanswered("unpause")
    }

    fn remove<'a>(&'a self, _: &'a str) -> Call<'a, ()> {
        unanswered("remove")
    }

    fn inspect<'a>(&'a self, _: &'a str) -> Call<'a, ContainerInfo> {
        unanswered("inspect")
    }

    fn wait<'a>(&'a self, _: &'a str) -> Call<'a, i64> {
        unanswered("wait")
    }

    fn logs(&self, _: &str, _: bool, _: Option<usize>) -> Parts<Output> {
        unanswered("logs")
    }

    fn exec<'a>(&'a self, _: &'a str, _: &'a ExecSpec) -> Call<'a, ExecResult> {
        unanswered("exec")
    }

    fn exec_with_input<'a>(
        &'a self,
        _: &'a str,
        _: &'a ExecSpec,
        _: Parts<Vec<u8>>,
    ) -> Call<'a, ExecResult> {
        unanswered("exec_with_input")
    }

    fn upload<'a>(&'a self, _: &'a str, _: &'a str, _: Parts<Vec<u8>>) -> Call<'a, ()> {
        unanswered("upload")
    }

    fn download(&self, _: &str, _: &str) -> Parts<Vec<u8>> {
        unanswered("download")
    }
}

/// The engine of these answers.
pub(crate) struct FakeEngine<A>(A, EngineInfo);

impl<A: Answers> FakeEngine<A> {
    pub(crate) fn new(answers: A) -> Self {
        let info = EngineInfo {
            address: "unix:///fake.sock".to_owned(),
            ..EngineInfo::default()
        };
        Self(answers, info)
    }
}

impl<A> fmt::Debug for FakeEngine<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeEngine")
    }
}

impl<A: Answers> Engine for FakeEngine<A> {
    fn info(&self) -> &EngineInfo {
        &self.1
    }

    fn image<'a>(&'a self, reference: &'a str) -> Call<'a, Option<ImageInfo>> {
        self.0.image(reference)
    }

    fn pull<'a>(&'a self, pull: PullSpec<'a>, progress: ProgressSink<'a>) -> Call<'a, ()> {
        self.0.pull(pull, progress)
    }

    fn build<'a>(&'a self, build: BuildSpec<'a>, progress: ProgressSink<'a>) -> Call<'a, ()> {
        self.0.build(build, progress)
    }

    fn import<'a>(
        &'a self,
        root: Parts<Vec<u8>>,
        tag: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> Call<'a, ()> {
        self.0.import(root, tag, labels)
    }

    fn tag<'a>(&'a self, image: &'a str, tag: &'a str) -> Call<'a, ()> {
        self.0.tag(image, tag)
    }

    fn remove_unused_image<'a>(&'a self, id: &'a str) -> Call<'a, bool> {
        self.0.remove_unused_image(id)
    }

    fn create_network<'a>(&'a self, network: &'a NetworkSpec) -> Call<'a, String> {
        self.0.create_network(network)
    }

    fn networks(&self) -> Call<'_, Vec<NetworkInfo>> {
        self.0.networks()
    }

    fn attached<'a>(&'a self, network: &'a str) -> Call<'a, Vec<String>> {
        self.0.attached(network)
    }

    fn remove_network<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        self.0.remove_network(id)
    }

    fn connect<'a>(&'a self, container: &'a str, attachment: &'a Attachment) -> Call<'a, ()> {
        self.0.connect(container, attachment)
    }

    fn disconnect<'a>(&'a self, container: &'a str, network: &'a str) -> Call<'a, ()> {
        self.0.disconnect(container, network)
    }

    fn create_volume<'a>(
        &'a self,
        name: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> Call<'a, ()> {
        self.0.create_volume(name, labels)
    }

    fn volumes<'a>(&'a self, label: &'a str) -> Call<'a, Vec<VolumeInfo>> {
        self.0.volumes(label)
    }

    fn remove_volume<'a>(&'a self, name: &'a str) -> Call<'a, ()> {
        self.0.remove_volume(name)
    }

    fn containers<'a>(&'a self, label: &'a str) -> Call<'a, Vec<ContainerListing>> {
        self.0.containers(label)
    }

    fn create<'a>(&'a self, container: &'a ContainerSpec) -> Call<'a, String> {
        self.0.create(container)
    }

    fn start<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        self.0.start(id)
    }

    fn stop<'a>(&'a self, id: &'a str, patience: Option<Duration>) -> Call<'a, ()> {
        self.0.stop(id, patience)
    }

    fn kill<'a>(&'a self, id: &'a str, signal: Option<&'a str>) -> Call<'a, ()> {
        self.0.kill(id, signal)
    }

    fn pause<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        self.0.pause(id)
    }

    fn unpause<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        self.0.unpause(id)
    }

    fn remove<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        self.0.remove(id)
    }

    fn inspect<'a>(&'a self, id: &'a str) -> Call<'a, ContainerInfo> {
        self.0.inspect(id)
    }

    fn wait<'a>(&'a self, id: &'a str) -> Call<'a, i64> {
        self.0.wait(id)
    }

    fn logs(&self, id: &str, follow: bool, tail: Option<usize>) -> Parts<Output> {
        self.0.logs(id, follow, tail)
    }

    fn exec<'a>(&'a self, id: &'a str, exec: &'a ExecSpec) -> Call<'a, ExecResult> {
        self.0.exec(id, exec)
    }

    fn exec_with_input<'a>(
        &'a self,
        id: &'a str,
        exec: &'a ExecSpec,
        input: Parts<Vec<u8>>,
    ) -> Call<'a, ExecResult> {
        self.0.exec_with_input(id, exec, input)
    }

    fn upload<'a>(&'a self, id: &'a str, at: &'a str, tar: Parts<Vec<u8>>) -> Call<'a, ()> {
        self.0.upload(id, at, tar)
    }

    fn download(&self, id: &str, from: &str) -> Parts<Vec<u8>> {
        self.0.download(id, from)
    }
}

/// For a call that a test does not expect.
#[track_caller]
pub(crate) fn unanswered(call: &str) -> ! {
    panic!("the fake engine has no answer to {call}")
}

/// An answer that comes at once.
pub(crate) fn answer<'a, T: Send + 'a>(outcome: Result<T, EngineError>) -> Call<'a, T> {
    Box::pin(ready(outcome))
}

/// A refusal.
pub(crate) fn refusal(kind: EngineErrorKind, message: &str) -> EngineError {
    EngineError {
        kind,
        attempt: "do as asked".to_owned(),
        message: message.to_owned(),
    }
}
