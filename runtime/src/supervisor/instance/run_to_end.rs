//! Running a job to its end: what it leaves behind is copied to this machine, and its exit code is its result.

use std::path::Path;
use std::time::Duration;

use seatrial_model::Job;
use tokio::time::timeout;

use super::inbox::Inbox;
use super::running::Running;
use super::state::Instance;
use crate::Error;
use crate::protocol::{Action, HookKind};
use crate::supervisor::artifacts::{self, Artifacts};
use crate::supervisor::diagnosis::{self, JobEnd};
use crate::supervisor::spec;

/// How soon a container that is killed has ended. A machine without memory may need some seconds.
const KILLED_WITHIN: Duration = Duration::from_secs(30);

impl Running {
    /// Waits until a job has ended.
    ///
    /// # Errors
    ///
    /// Returns an error if it exits with another code than 0, does not end in time, or does not leave what it should.
    pub(super) async fn run_to_end(
        &self,
        instance: &Instance,
        job: &Job,
        inbox: &mut Inbox,
    ) -> Result<(), Error> {
        instance.activity.set_step("was running");
        let default = instance.context.config().timeouts.job;
        let within = instance.service().timing.timeout.unwrap_or(default);
        let in_time = tokio::select! {
            biased;
            ended = timeout(within, self.exits.ended()) => ended.is_ok(),
            never = self.serve_meanwhile(instance, inbox, HookKind::Ready) => match never {},
        };
        if !in_time {
            let kill = Action::Kill { signal: None };
            // An error is one of the engine, which also says how the job has ended.
            let _ = self.act_at_once(instance, kill).await;
            let _ = timeout(KILLED_WITHIN, self.exits.ended()).await;
        }
        if let Some(followed) = &instance.followed {
            instance
                .activity
                .set_step("had ended, and its output was being read");
            followed.cancelled().await;
        }
        instance
            .activity
            .set_step("had ended, and its artifacts were being copied");
        let artifacts = self.artifacts(instance, job).await;
        let end = match in_time {
            true => JobEnd::ByItself,
            false => JobEnd::TimedOut(within),
        };
        let started = self.started(instance, true);
        match diagnosis::job_result(&started, end, &artifacts).await {
            Ok(()) => Ok(()),
            Err(error) => Err(instance.attach(error)),
        }
    }

    async fn artifacts(&self, instance: &Instance, job: &Job) -> Artifacts {
        let Instance { launch, .. } = instance;
        let workdir = spec::workdir(launch, instance.service());
        let workdir = workdir.unwrap_or_else(|| self.image.workdir.clone());
        let mut found = Artifacts::default();
        for artifact in &job.artifacts {
            let from = Path::new("/").join(&workdir).join(&artifact.from);
            let to = launch.package_dir.join(&artifact.to);
            let from = from.to_string_lossy();
            let copied = artifacts::copy(&self.engine, self.id(), &from, &to).await;
            found.add(&artifact.from, &launch.package_dir, copied);
        }
        found
    }
}
