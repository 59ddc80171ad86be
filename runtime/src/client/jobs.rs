//! The jobs of a launch: what is needed to run one, and a run of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use seatrial_model::secret::Redactor;
use tokio::sync::mpsc;

use super::lease::Lease;
use super::pending::{JobNews, Pending};
use crate::flow::Reading;
use crate::pieces;
use crate::protocol::{CallId, InstanceId, JobRun, Launch, RequestBody};
use crate::supervisor::redactor;

/// What the jobs of one launch are run with.
#[derive(Debug)]
pub(crate) struct OfLaunch {
    pub(super) launch: Launch,
    /// The instances that run, by position.
    pub(super) beside: BTreeMap<usize, InstanceId>,
    pub(super) lease: Arc<Lease>,
}

impl OfLaunch {
    pub(crate) fn launch(&self) -> &Launch {
        &self.launch
    }

    pub(crate) fn lease(&self) -> &Arc<Lease> {
        &self.lease
    }

    /// Hides the secrets in what the launch's containers write.
    pub(crate) fn redactor(&self) -> Redactor {
        redactor(&self.launch)
    }

    /// Asks the supervisor to run the job at this position of the plan. The request is queued when this returns.
    pub(crate) fn run(&self, service: usize) -> RunningJob {
        let client = self.lease.client();
        let lease = Lease::of_launch(client, None, self.lease.deadline());
        let (news, received) = mpsc::unbounded_channel();
        let call = lease.id();
        client.expect(call, Pending::Job(news));
        let job = JobRun {
            lease: lease.id(),
            launch: self.launch.clone(),
            service,
            beside: self.beside.clone(),
            within: lease.deadline().map(|deadline| deadline.left()),
        };
        client.send(call, RequestBody::RunJob(Box::new(job)));
        RunningJob {
            call,
            news: received,
            reading: Reading::default(),
            lease,
        }
    }
}

/// A job under way. Dropping it ends the job, and has its container removed.
pub(crate) struct RunningJob {
    call: CallId,
    news: mpsc::UnboundedReceiver<JobNews>,
    reading: Reading,
    lease: Lease,
}

impl RunningJob {
    /// The next line of its output, or how it has ended.
    pub(crate) async fn next(&mut self) -> JobNews {
        match self.news.recv().await {
            Some(JobNews::Line(line)) => {
                if let Some(units) = self.reading.read(line.text.len()) {
                    self.lease.client().have_read(self.call, units);
                }
                JobNews::Line(line)
            }
            Some(end) => end,
            None => JobNews::End(Err(pieces::ending())),
        }
    }
}

impl Drop for RunningJob {
    fn drop(&mut self) {
        self.lease.client().stop_stream(self.call);
    }
}
