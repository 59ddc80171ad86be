//! Prepares the readiness checks of a container's service, and waits for them.

use std::convert::Infallible;

use super::prober::Prober;
use super::running::Running;
use super::state::Instance;
use crate::Error;
use crate::readiness::{self, Check, PreparedTiming, Subject};
use crate::supervisor::spec;

/// How much is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thoroughness {
    /// All checks.
    All,
    /// Checks that take milliseconds, for a service that was ready before and whose container is followed.
    Again,
}

impl Running {
    /// Waits until the service is ready. Polls `meanwhile` as long as it waits.
    ///
    /// # Errors
    ///
    /// Returns the reason if the service does not become ready.
    pub(super) async fn check(
        &self,
        instance: &Instance,
        thoroughness: Thoroughness,
        meanwhile: impl Future<Output = Infallible>,
    ) -> Result<(), Error> {
        let service = instance.service();
        if service.job.is_some() {
            // It is ready once it has ended, and stays so.
            return Ok(());
        }
        let prober = Prober {
            instance,
            running: self,
        };
        let subject = Subject {
            engine: &self.engine,
            container: self.id(),
            address: self.address,
            direct: self.direct,
            published: &self.container.ports,
            output_before: *self.position(),
            probes: &prober,
            redactor: &instance.redactor,
        };
        let checks = Check::all_of(service, &self.image.healthcheck, |template| {
            spec::render(&instance.launch, instance.index, template)
        });
        let default = instance.context.config().timeouts.ready;
        let timing = PreparedTiming::new(&service.timing, default);
        let ready = async {
            let ended = self.exits.ended();
            match thoroughness {
                Thoroughness::All => readiness::wait(&subject, checks, &timing, ended).await,
                Thoroughness::Again => {
                    readiness::wait_again(&subject, checks, &timing, ended).await
                }
            }
        };
        let outcome = tokio::select! {
            outcome = ready => outcome,
            never = meanwhile => match never {},
        };
        match outcome {
            Ok(()) => Ok(()),
            Err(reason) => {
                let was_ready = thoroughness == Thoroughness::Again;
                Err(self.not_ready(instance, was_ready, reason).await)
            }
        }
    }
}
