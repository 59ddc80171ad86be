//! An engine each of whose calls comes to an end: a deadline for each kind of call.
//!
//! An engine that hangs accepts connections and never answers; without this, whoever asks it would wait for ever. What
//! takes as long as the user's own matter takes has no deadline here: a command, a copy and a container's end, which a
//! test's own time-out bounds; a log that is followed; and what is done to get an image, which is bounded by its progress.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use super::{
    Attachment, BuildSpec, Call, ContainerInfo, ContainerListing, ContainerSpec, Engine,
    EngineError, EngineErrorKind, EngineInfo, ExecResult, ExecSpec, ImageInfo, NetworkInfo,
    NetworkSpec, Output, Parts, ProgressSink, PullSpec, VolumeInfo,
};

/// For what an engine only looks up or notes down: milliseconds, and seconds on a machine that is very busy.
const SHORT: Duration = Duration::from_secs(60);

/// For what makes it set up or take down a container: the first may copy an image's data into a volume, and a stop waits
/// for the service's own end.
const LONG: Duration = Duration::from_secs(5 * 60);

/// Another engine, with deadlines.
#[derive(Debug)]
pub(crate) struct WithDeadlines(pub(crate) Arc<dyn Engine>);

/// The outcome of `call`, or an error once `deadline` has passed.
fn within<'a, T: Send + 'a>(
    deadline: Duration,
    attempt: &'static str,
    call: Call<'a, T>,
) -> Call<'a, T> {
    Box::pin(async move {
        let outcome = tokio::time::timeout(deadline, call).await;
        outcome.unwrap_or_else(|_| Err(hangs(deadline, attempt)))
    })
}

fn hangs(deadline: Duration, attempt: &str) -> EngineError {
    EngineError {
        kind: EngineErrorKind::Unreachable,
        attempt: attempt.to_owned(),
        message: format!(
            "the engine has not answered within {} seconds",
            deadline.as_secs()
        ),
    }
}

/// The parts of an answer that waits for nothing, or an error once the next has not come within the deadline.
fn each_within<T: Send + 'static>(
    deadline: Duration,
    attempt: &'static str,
    parts: Parts<T>,
) -> Parts<T> {
    Box::pin(stream::unfold(Some(parts), move |parts| async move {
        let mut parts = parts?;
        match tokio::time::timeout(deadline, parts.next()).await {
            Ok(part) => part.map(|part| (part, Some(parts))),
            Err(_) => Some((Err(hangs(deadline, attempt)), None)),
        }
    }))
}

impl Engine for WithDeadlines {
    fn info(&self) -> &EngineInfo {
        self.0.info()
    }

    fn image<'a>(&'a self, reference: &'a str) -> Call<'a, Option<ImageInfo>> {
        within(SHORT, "look the image up", self.0.image(reference))
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
        within(SHORT, "name the image", self.0.tag(image, tag))
    }

    fn create_network<'a>(&'a self, network: &'a NetworkSpec) -> Call<'a, String> {
        within(SHORT, "create the network", self.0.create_network(network))
    }

    fn networks(&self) -> Call<'_, Vec<NetworkInfo>> {
        within(SHORT, "list the networks", self.0.networks())
    }

    fn attached<'a>(&'a self, network: &'a str) -> Call<'a, Vec<String>> {
        within(SHORT, "look at the network", self.0.attached(network))
    }

    fn remove_network<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        within(SHORT, "remove the network", self.0.remove_network(id))
    }

    fn connect<'a>(&'a self, container: &'a str, attachment: &'a Attachment) -> Call<'a, ()> {
        let call = self.0.connect(container, attachment);
        within(SHORT, "connect the container to its network", call)
    }

    fn disconnect<'a>(&'a self, container: &'a str, network: &'a str) -> Call<'a, ()> {
        let call = self.0.disconnect(container, network);
        within(SHORT, "disconnect the container from its network", call)
    }

    fn create_volume<'a>(
        &'a self,
        name: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> Call<'a, ()> {
        within(
            SHORT,
            "create the volume",
            self.0.create_volume(name, labels),
        )
    }

    fn volumes<'a>(&'a self, label: &'a str) -> Call<'a, Vec<VolumeInfo>> {
        within(SHORT, "list the volumes", self.0.volumes(label))
    }

    fn remove_volume<'a>(&'a self, name: &'a str) -> Call<'a, ()> {
        within(LONG, "remove the volume", self.0.remove_volume(name))
    }

    fn containers<'a>(&'a self, label: &'a str) -> Call<'a, Vec<ContainerListing>> {
        within(SHORT, "list the containers", self.0.containers(label))
    }

    fn create<'a>(&'a self, container: &'a ContainerSpec) -> Call<'a, String> {
        within(LONG, "create the container", self.0.create(container))
    }

    fn start<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        within(LONG, "start the container", self.0.start(id))
    }

    fn stop<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        within(LONG, "stop the container", self.0.stop(id))
    }

    fn kill<'a>(&'a self, id: &'a str, signal: Option<&'a str>) -> Call<'a, ()> {
        within(SHORT, "signal the container", self.0.kill(id, signal))
    }

    fn pause<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        within(SHORT, "pause the container", self.0.pause(id))
    }

    fn unpause<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        within(SHORT, "unpause the container", self.0.unpause(id))
    }

    fn remove<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        within(LONG, "remove the container", self.0.remove(id))
    }

    fn inspect<'a>(&'a self, id: &'a str) -> Call<'a, ContainerInfo> {
        within(SHORT, "inspect the container", self.0.inspect(id))
    }

    fn wait<'a>(&'a self, id: &'a str) -> Call<'a, i64> {
        self.0.wait(id)
    }

    fn logs(&self, id: &str, follow: bool, tail: Option<usize>) -> Parts<Output> {
        let output = self.0.logs(id, follow, tail);
        match follow {
            true => output,
            false => each_within(SHORT, "read the log", output),
        }
    }

    fn exec<'a>(&'a self, id: &'a str, exec: &'a ExecSpec) -> Call<'a, ExecResult> {
        self.0.exec(id, exec)
    }

    fn upload<'a>(&'a self, id: &'a str, at: &'a str, tar: Vec<u8>) -> Call<'a, ()> {
        self.0.upload(id, at, tar)
    }

    fn download<'a>(&'a self, id: &'a str, from: &'a str) -> Call<'a, Vec<u8>> {
        self.0.download(id, from)
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::Instant;

    use super::*;
    use crate::engine::fake::{Answers, FakeEngine, answer};

    /// Hangs at what it is asked first, and answers what is asked then.
    struct Hanging;

    impl Answers for Hanging {
        fn inspect<'a>(&'a self, _: &'a str) -> Call<'a, ContainerInfo> {
            Box::pin(pending())
        }

        fn start<'a>(&'a self, _: &'a str) -> Call<'a, ()> {
            Box::pin(pending())
        }

        fn remove<'a>(&'a self, _: &'a str) -> Call<'a, ()> {
            answer(Ok(()))
        }

        fn logs(&self, _: &str, _: bool, _: Option<usize>) -> Parts<Output> {
            let piece = Output {
                stderr: false,
                bytes: b"up".to_vec(),
            };
            Box::pin(stream::iter([Ok(piece)]).chain(stream::pending()))
        }

        fn wait<'a>(&'a self, _: &'a str) -> Call<'a, i64> {
            Box::pin(async {
                tokio::time::sleep(Duration::from_secs(24 * 60 * 60)).await;
                Ok(7)
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_engine_that_hangs_is_given_up_by_the_kind_of_call() {
        let engine = WithDeadlines(Arc::new(FakeEngine::new(Hanging)));
        let begun = Instant::now();
        let error = engine.inspect("one").await.expect_err("it hangs");
        assert_eq!(begun.elapsed(), SHORT);
        assert_eq!(error.kind, EngineErrorKind::Unreachable);
        assert_eq!(
            error.to_string(),
            "cannot inspect the container: the engine has not answered within 60 seconds"
        );

        let begun = Instant::now();
        engine.start("one").await.expect_err("it hangs");
        assert_eq!(begun.elapsed(), LONG);
        assert_eq!(engine.remove("one").await, Ok(()));
        let log: Vec<_> = engine.logs("one", false, None).collect().await;
        assert_eq!(log.len(), 2, "a piece, and that no more came: {log:?}");
        assert!(log[0].is_ok() && log[1].is_err(), "{log:?}");
        // As long as the container runs.
        assert_eq!(engine.wait("one").await, Ok(7));
    }
}
