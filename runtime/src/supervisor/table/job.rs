//! A job that a test asks for: it runs beside the instances of a launch, once for each time that it is asked for.

use std::convert::Infallible;
use std::sync::Arc;

use tokio::sync::{SetOnce, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::launch::{Beginning, New};
use super::state::Supervisor;
use super::waiting::{NotLaunched, Waiting};
use crate::Error;
use crate::protocol::{CallId, ClientId, FollowEnd, JobRun, Kept, LogLine, Reply};
use crate::supervisor::context::Context;
use crate::supervisor::instance::{Dependency, Taken, Taker, gone};
use crate::supervisor::lines;
use crate::supervisor::messages::{Internal, answer};
use crate::supervisor::spec;
use crate::supervisor::streams::Outgoing;
use crate::supervisor::volumes::Volumes;

impl Supervisor {
    /// Runs a job for a client: streams its output, and answers when it has ended.
    pub(super) fn run_job(&mut self, id: ClientId, call: CallId, job: JobRun) {
        let JobRun {
            lease,
            launch,
            service,
            beside,
            within,
        } = job;
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        let context = match &client.context {
            Ok(context) => context.clone(),
            Err(error) => return client.answer(call, Err(error.clone())),
        };
        client.begin_lease(lease);
        let launch = Arc::new(launch);
        let mut dependencies = vec![Dependency::absent(); launch.plan.services.len()];
        for (index, dependency) in dependencies.iter_mut().enumerate() {
            if let Some(Kept::Running(info)) = launch.kept.get(&index) {
                *dependency = self.attach(&context, info);
            } else if let Some(handle) = beside.get(&index).and_then(|it| self.instances.get(it)) {
                *dependency = handle.dependency();
            }
        }
        let mut own = launch.plan.services[service].volumes.iter();
        let may_share = own.any(|volume| volume.name.is_some());
        let mut others = beside.values().filter_map(|it| self.instances.get(it));
        let shared = others.find_map(|handle| handle.volumes.clone().filter(|_| may_share));
        let volumes = shared.unwrap_or_else(|| {
            let volumes = Volumes::new(&context, (id, lease), &launch.identity, None);
            Arc::new(volumes)
        });

        let instance = self.number();
        let seat = context.seat(&launch.plan.services[service]);
        let (handle, new) = New::instance(service, instance, seat.host());
        dependencies[service] = handle.dependency();
        let output = JobOutput {
            context: context.clone(),
            container: handle.container.clone(),
            starts: handle.starts.clone(),
            followed: CancellationToken::new(),
        };
        self.instances.insert(instance, handle);
        self.hold(instance, (id, lease));
        let begun = std::time::Instant::now();
        let beginning = Beginning {
            context: context.clone(),
            taker: Taker::of(Taken::by(id, &launch)),
            launch: launch.clone(),
            dependencies: dependencies.clone(),
            redactor: Arc::new(spec::redactor(&launch)),
            begun,
            followed: Some(output.followed.clone()),
        };
        beginning.begin(new, seat, volumes);

        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        let messages = client.messages.clone();
        let waiting = Waiting {
            context,
            launch,
            dependencies,
            asked: vec![service],
            begun,
            messages: messages.clone(),
        };
        let until = within.and_then(|within| Instant::now().checked_add(within));
        let internal = self.run.internal.clone();
        client.stream(call, |to| async move {
            let outcome = tokio::select! {
                biased;
                outcome = waiting.outcome(until) => outcome,
                never = output.follow(&to) => match never {},
            };
            let outcome = outcome.map(Reply::Launched).map_err(|error| match error {
                NotLaunched::Failed(error) => *error,
                NotLaunched::Discarded => gone(),
            });
            answer(&messages, call, outcome);
            let _ = internal.send(Internal::StreamEnded {
                client: id,
                stream: call,
            });
        });
    }
}

/// The output of a job that is about to begin.
struct JobOutput {
    context: Arc<Context>,
    container: Arc<SetOnce<String>>,
    starts: watch::Receiver<()>,
    /// The job has its result only when this is cancelled, so that its output is whole.
    followed: CancellationToken,
}

impl JobOutput {
    /// Passes the output on from the first line to the last, and then waits.
    async fn follow(self, to: &Outgoing) -> Infallible {
        let followed = self.followed.drop_guard();
        let container = self.container.wait().await;
        let outcome = async {
            let engine = self.context.engine().await?;
            let followed = lines::follow(&engine, container, FollowEnd::Stopped, self.starts, to);
            let followed = followed.await;
            followed.map_err(|error| Error::new(crate::ErrorKind::Engine, error.to_string()))
        };
        if let Err(error) = outcome.await {
            let text = format!("[.. the rest of the output cannot be read: {error}]");
            let line = LogLine { stderr: true, text };
            let _ = to.line(line).await;
        }
        drop(followed);
        std::future::pending().await
    }
}
