//! An engine with the answers of a test, for decisions that depend only on what an engine answers and when.
//!
//! A test implements the calls of [`Answers`] that it expects. Any other call panics. Tests with real engines show how
//! real engines answer.

use std::collections::BTreeMap;
use std::fmt;
use std::future::ready;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::call::Engine;
use super::container::{ContainerInfo, ContainerListing, ContainerSpec};
use super::deadlines::Deadlines;
use super::error::{EngineError, EngineErrorKind};
use super::exec::{ExecResult, ExecSpec, Output};
use super::image::{BuildSpec, ImageInfo, ProgressSink, PullSpec};
use super::info::EngineInfo;
use super::kind::Kind;
use super::network::{Attachment, NetworkInfo, NetworkSpec};
use super::parts::Parts;
use super::volume::VolumeInfo;

/// The future of an answer.
pub(crate) type Call<'a, T> = Pin<Box<dyn Future<Output = Result<T, EngineError>> + Send + 'a>>;

/// The answers of an engine, by call.
pub(crate) trait Answers: Send + Sync {
    fn image<'a>(&'a self, _: &'a str) -> Call<'a, Option<ImageInfo>> {
        unanswered("image")
    }

    fn pull<'a>(&'a self, _: PullSpec<'a>, _: ProgressSink<'a>) -> Call<'a, ()> {
        unanswered("pull")
    }

    fn build<'a>(
        &'a self,
        _: BuildSpec<'a>,
        _: Parts<Vec<u8>>,
        _: ProgressSink<'a>,
    ) -> Call<'a, ()> {
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

    fn steps<'a>(&'a self, _: &'a str) -> Call<'a, Vec<String>> {
        unanswered("steps")
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

    fn converse<'a>(&'a self, _: &'a str, _: Vec<u8>) -> Call<'a, ()> {
        unanswered("converse")
    }

    fn upload<'a>(&'a self, _: &'a str, _: &'a str, _: Parts<Vec<u8>>) -> Call<'a, ()> {
        unanswered("upload")
    }

    fn download(&self, _: &str, _: &str) -> Parts<Vec<u8>> {
        unanswered("download")
    }
}

/// The engine of a test's answers.
pub(super) struct Fake {
    answers: Box<dyn Answers>,
    info: EngineInfo,
}

impl Fake {
    fn new(answers: impl Answers + 'static) -> Self {
        Self {
            answers: Box::new(answers),
            info: EngineInfo {
                address: "unix:///fake.sock".to_owned(),
                arch: "amd64".to_owned(),
                ..EngineInfo::default()
            },
        }
    }

    pub(super) fn info(&self) -> &EngineInfo {
        &self.info
    }
}

/// Each call goes to the answers.
impl Deref for Fake {
    type Target = dyn Answers;

    fn deref(&self) -> &Self::Target {
        &*self.answers
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fake")
    }
}

impl Engine {
    /// The engine with these answers. Its calls have no deadlines.
    pub(crate) fn fake(answers: impl Answers + 'static) -> Self {
        Self::new(Kind::Fake(Arc::new(Fake::new(answers))), None)
    }

    /// The engine with these answers and deadlines.
    pub(super) fn fake_within(deadlines: Deadlines, answers: impl Answers + 'static) -> Self {
        Self::new(Kind::Fake(Arc::new(Fake::new(answers))), Some(deadlines))
    }
}

/// Panics, as the test does not expect this call.
#[track_caller]
pub(crate) fn unanswered(call: &str) -> ! {
    panic!("the fake engine has no answer to {call}")
}

/// An answer that is ready at once.
pub(crate) fn answer<'a, T: Send + 'a>(outcome: Result<T, EngineError>) -> Call<'a, T> {
    Box::pin(ready(outcome))
}

/// An error of the engine.
pub(crate) fn refusal(kind: EngineErrorKind, message: &str) -> EngineError {
    EngineError {
        kind,
        attempt: "do as asked".to_owned(),
        message: message.to_owned(),
    }
}
