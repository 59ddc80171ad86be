//! An engine each of whose calls comes to an end: a deadline for each kind of call.
//!
//! An engine that hangs accepts connections and never answers; without this, whoever asks it would wait for ever. What is
//! only looked up or noted down has a plain deadline. What takes as long as the user's own matter takes (a command, a
//! container's end, a log that is followed, a copy, an image) has none: while nothing comes from it, the engine is asked
//! whether it still answers, in general and about that very container, and as long as it does it is waited for.

mod copies;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::time::timeout;

use super::call::{Call, Engine};
use super::container::{ContainerInfo, ContainerListing, ContainerSpec};
use super::error::{EngineError, EngineErrorKind};
use super::exec::{ExecResult, ExecSpec, Output};
use super::image::{BuildSpec, ImageInfo, ProgressSink, PullSpec};
use super::info::EngineInfo;
use super::network::{Attachment, NetworkInfo, NetworkSpec};
use super::parts::Parts;
use super::volume::VolumeInfo;
use copies::Copies;

/// How long an engine may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadlines {
    /// For what it only looks up or notes down: milliseconds, and seconds on a machine that is very busy.
    pub(crate) short: Duration,
    /// For what makes it set up or take down a container: the first may copy an image's data into a volume, and a stop
    /// waits for the service's own end. It has a container's lock for as long.
    pub(crate) long: Duration,
    /// How long nothing may come from what has no deadline, before the engine is asked whether it still answers.
    pub(crate) quiet: Duration,
}

impl Deadlines {
    /// Whatever is configured: how long a service takes to end is not the engine's own matter.
    const LONG: Duration = Duration::from_secs(5 * 60);

    /// Those of an engine that may take this long for an answer.
    pub(crate) fn new(short: Duration) -> Self {
        Self {
            short,
            long: short.saturating_mul(5).max(Self::LONG),
            quiet: short / 2,
        }
    }
}

/// Another engine, with deadlines.
#[derive(Clone, Debug)]
pub(crate) struct WithDeadlines {
    engine: Arc<dyn Engine>,
    deadlines: Deadlines,
    copies: Copies,
}

/// What the engine is asked about while nothing comes from a call.
#[derive(Clone, Copy, Debug)]
enum About<'a> {
    /// Itself only.
    Engine,
    /// Also this container. The answer takes the container's lock in the engine, so a container that is stuck has none.
    Container(&'a str),
}

impl WithDeadlines {
    pub(crate) fn new(engine: Arc<dyn Engine>, deadlines: Deadlines) -> Self {
        Self {
            engine,
            deadlines,
            copies: Copies::default(),
        }
    }

    /// The outcome of a call that is short.
    fn short<'a, T: Send + 'a>(&'a self, attempt: &'static str, call: Call<'a, T>) -> Call<'a, T> {
        self.within(self.deadlines.short, attempt, call)
    }

    /// The outcome of a call that is long; an engine that hangs is noticed before.
    fn long<'a, T: Send + 'a>(&'a self, attempt: &'static str, call: Call<'a, T>) -> Call<'a, T> {
        let call = self.watched(attempt, About::Engine, call);
        self.within(self.deadlines.long, attempt, call)
    }

    /// The outcome of `call`, or an error once `deadline` has passed.
    fn within<'a, T: Send + 'a>(
        &'a self,
        deadline: Duration,
        attempt: &'static str,
        call: Call<'a, T>,
    ) -> Call<'a, T> {
        Box::pin(async move {
            let outcome = timeout(deadline, call).await;
            outcome.unwrap_or_else(|_| Err(self.unanswered(deadline, attempt)))
        })
    }

    /// The outcome of `call`, however long it takes, or an error once the engine does not answer.
    fn watched<'a, T: Send + 'a>(
        &'a self,
        attempt: &'static str,
        about: About<'a>,
        call: Call<'a, T>,
    ) -> Call<'a, T> {
        Box::pin(async move { self.watch(attempt, about, call).await? })
    }

    /// The outcome of a copy into a container. It has the container's lock itself, so only the engine can be asked.
    fn copying<'a, T: Send + 'a>(
        &'a self,
        attempt: &'static str,
        container: &'a str,
        call: Call<'a, T>,
    ) -> Call<'a, T> {
        Box::pin(async move {
            let _copy = self.copies.begin(container);
            self.watched(attempt, About::Engine, call).await
        })
    }

    /// The parts of an answer that waits for something, or an error once the engine does not answer.
    fn watched_parts<T: Send + 'static>(
        &self,
        attempt: &'static str,
        container: Option<&str>,
        parts: Parts<T>,
    ) -> Parts<T> {
        let begun = (self.clone(), container.map(str::to_owned), parts);
        Box::pin(stream::unfold(Some(begun), move |state| async move {
            let (this, container, mut parts) = state?;
            let about = container.as_deref().map_or(About::Engine, About::Container);
            match this.watch(attempt, about, parts.next()).await {
                Ok(part) => part.map(|part| (part, Some((this, container, parts)))),
                Err(error) => Some((Err(error), None)),
            }
        }))
    }

    /// The parts of an answer that waits for nothing, or an error once the next has not come within the deadline.
    fn each_within<T: Send + 'static>(
        &self,
        deadline: Duration,
        attempt: &'static str,
        parts: Parts<T>,
    ) -> Parts<T> {
        let begun = (self.clone(), parts);
        Box::pin(stream::unfold(Some(begun), move |state| async move {
            let (this, mut parts) = state?;
            match timeout(deadline, parts.next()).await {
                Ok(part) => part.map(|part| (part, Some((this, parts)))),
                Err(_) => Some((Err(this.unanswered(deadline, attempt)), None)),
            }
        }))
    }

    /// Waits for something, and asks the engine whenever it has been quiet.
    async fn watch<T>(
        &self,
        attempt: &str,
        about: About<'_>,
        mut waiting: impl Future<Output = T> + Unpin,
    ) -> Result<T, EngineError> {
        loop {
            if let Ok(outcome) = timeout(self.deadlines.quiet, &mut waiting).await {
                return Ok(outcome);
            }
            tokio::select! {
                biased;
                outcome = &mut waiting => return Ok(outcome),
                answers = self.ask(attempt, about) => answers?,
            }
        }
    }

    /// Sees whether the engine still answers, and whether the container is still there.
    async fn ask(&self, attempt: &str, about: About<'_>) -> Result<(), EngineError> {
        let networks = self.engine.networks();
        let short = self.deadlines.short;
        self.answered(short, attempt, "for its networks", networks)
            .await?;
        let About::Container(id) = about else {
            return Ok(());
        };
        // Longer, for whatever sets the container up or takes it down has its lock.
        let long = self.deadlines.long;
        let inspected = self.engine.inspect(id);
        let answered = self.answered(long, attempt, "for the container's state", inspected);
        match answered.await {
            // A copy has the lock as well, and takes as long as what is copied is large.
            Err(error)
                if error.kind == EngineErrorKind::Unreachable && self.copies.are_made_of(id) =>
            {
                Ok(())
            }
            answered => answered,
        }
    }

    /// Whether a question is answered, whatever the answer says, unless that it has become pointless to wait.
    async fn answered<T>(
        &self,
        within: Duration,
        attempt: &str,
        asked: &str,
        question: Call<'_, T>,
    ) -> Result<(), EngineError> {
        use EngineErrorKind::{NotFound, Unreachable};
        match timeout(within, question).await {
            Ok(Err(error)) if matches!(error.kind, Unreachable | NotFound) => Err(EngineError {
                attempt: attempt.to_owned(),
                ..error
            }),
            Ok(_) => Ok(()),
            Err(_) => Err(EngineError {
                kind: Unreachable,
                attempt: attempt.to_owned(),
                message: format!(
                    "nothing came for {:?}, and the engine at {}, asked {asked}, has not answered within {within:?}",
                    self.deadlines.quiet,
                    self.info().address
                ),
            }),
        }
    }

    fn unanswered(&self, deadline: Duration, attempt: &str) -> EngineError {
        EngineError {
            kind: EngineErrorKind::Unreachable,
            attempt: attempt.to_owned(),
            message: format!(
                "the engine at {} has not answered within {deadline:?}",
                self.info().address
            ),
        }
    }
}

/// What an exec attempts.
const RUN: &str = "run a command in the container";

impl Engine for WithDeadlines {
    fn info(&self) -> &EngineInfo {
        self.engine.info()
    }

    fn image<'a>(&'a self, reference: &'a str) -> Call<'a, Option<ImageInfo>> {
        self.short("look the image up", self.engine.image(reference))
    }

    fn pull<'a>(&'a self, pull: PullSpec<'a>, progress: ProgressSink<'a>) -> Call<'a, ()> {
        let call = self.engine.pull(pull, progress);
        self.watched("pull the image", About::Engine, call)
    }

    fn build<'a>(&'a self, build: BuildSpec<'a>, progress: ProgressSink<'a>) -> Call<'a, ()> {
        let call = self.engine.build(build, progress);
        self.watched("build the image", About::Engine, call)
    }

    fn import<'a>(
        &'a self,
        root: Parts<Vec<u8>>,
        tag: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> Call<'a, ()> {
        let call = self.engine.import(root, tag, labels);
        self.watched("import the image", About::Engine, call)
    }

    fn tag<'a>(&'a self, image: &'a str, tag: &'a str) -> Call<'a, ()> {
        self.short("name the image", self.engine.tag(image, tag))
    }

    fn remove_unused_image<'a>(&'a self, id: &'a str) -> Call<'a, bool> {
        self.long("remove the image", self.engine.remove_unused_image(id))
    }

    fn create_network<'a>(&'a self, network: &'a NetworkSpec) -> Call<'a, String> {
        self.short("create the network", self.engine.create_network(network))
    }

    fn networks(&self) -> Call<'_, Vec<NetworkInfo>> {
        self.short("list the networks", self.engine.networks())
    }

    fn attached<'a>(&'a self, network: &'a str) -> Call<'a, Vec<String>> {
        self.short("look at the network", self.engine.attached(network))
    }

    fn remove_network<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        self.short("remove the network", self.engine.remove_network(id))
    }

    fn connect<'a>(&'a self, container: &'a str, attachment: &'a Attachment) -> Call<'a, ()> {
        let call = self.engine.connect(container, attachment);
        self.short("connect the container to its network", call)
    }

    fn disconnect<'a>(&'a self, container: &'a str, network: &'a str) -> Call<'a, ()> {
        let call = self.engine.disconnect(container, network);
        self.short("disconnect the container from its network", call)
    }

    fn create_volume<'a>(
        &'a self,
        name: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> Call<'a, ()> {
        let call = self.engine.create_volume(name, labels);
        self.short("create the volume", call)
    }

    fn volumes<'a>(&'a self, label: &'a str) -> Call<'a, Vec<VolumeInfo>> {
        self.short("list the volumes", self.engine.volumes(label))
    }

    fn remove_volume<'a>(&'a self, name: &'a str) -> Call<'a, ()> {
        self.long("remove the volume", self.engine.remove_volume(name))
    }

    fn containers<'a>(&'a self, label: &'a str) -> Call<'a, Vec<ContainerListing>> {
        self.short("list the containers", self.engine.containers(label))
    }

    fn create<'a>(&'a self, container: &'a ContainerSpec) -> Call<'a, String> {
        self.long("create the container", self.engine.create(container))
    }

    fn start<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        self.long("start the container", self.engine.start(id))
    }

    fn stop<'a>(&'a self, id: &'a str, patience: Option<Duration>) -> Call<'a, ()> {
        let attempt = "stop the container";
        // The patience is the service's, and what the engine itself takes comes on top of it.
        let own = self.deadlines.long;
        let within = own.saturating_add(patience.unwrap_or_default());
        Box::pin(async move {
            // An engine that waits for the container's end may have its lock, as one that copies does.
            let _held = self.copies.begin(id);
            let call = self.watched(attempt, About::Engine, self.engine.stop(id, patience));
            self.within(within, attempt, call).await
        })
    }

    fn kill<'a>(&'a self, id: &'a str, signal: Option<&'a str>) -> Call<'a, ()> {
        self.short("signal the container", self.engine.kill(id, signal))
    }

    fn pause<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        self.short("pause the container", self.engine.pause(id))
    }

    fn unpause<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        self.short("unpause the container", self.engine.unpause(id))
    }

    fn remove<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        self.long("remove the container", self.engine.remove(id))
    }

    fn inspect<'a>(&'a self, id: &'a str) -> Call<'a, ContainerInfo> {
        self.short("inspect the container", self.engine.inspect(id))
    }

    fn wait<'a>(&'a self, id: &'a str) -> Call<'a, i64> {
        let call = self.engine.wait(id);
        self.watched("wait for the container's end", About::Container(id), call)
    }

    fn logs(&self, id: &str, follow: bool, tail: Option<usize>) -> Parts<Output> {
        let output = self.engine.logs(id, follow, tail);
        match follow {
            true => self.watched_parts("follow the log", Some(id), output),
            false => self.each_within(self.deadlines.short, "read the log", output),
        }
    }

    fn exec<'a>(&'a self, id: &'a str, exec: &'a ExecSpec) -> Call<'a, ExecResult> {
        let call = self.engine.exec(id, exec);
        self.watched(RUN, About::Container(id), call)
    }

    fn exec_with_input<'a>(
        &'a self,
        id: &'a str,
        exec: &'a ExecSpec,
        input: Parts<Vec<u8>>,
    ) -> Call<'a, ExecResult> {
        let call = self.engine.exec_with_input(id, exec, input);
        self.watched(RUN, About::Container(id), call)
    }

    fn upload<'a>(&'a self, id: &'a str, at: &'a str, tar: Parts<Vec<u8>>) -> Call<'a, ()> {
        let call = self.engine.upload(id, at, tar);
        self.copying("copy files into the container", id, call)
    }

    fn download(&self, id: &str, from: &str) -> Parts<Vec<u8>> {
        let copy = self.copies.begin(id);
        let attempt = "copy files out of the container";
        let parts = self.watched_parts(attempt, None, self.engine.download(id, from));
        let parts = self.each_within(self.deadlines.long, attempt, parts);
        // It is under way until the stream is dropped.
        Box::pin(parts.inspect(move |_| {
            let _ = &copy;
        }))
    }
}
