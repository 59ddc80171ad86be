//! Bringing up the container of an instance. It is created while the services that it needs start, and started as soon as
//! they are ready.
//!
//! Decides when another container has to take its place, such as one with other ports.

use super::creation::{Container, Parts};
use super::phase::Phase;
use super::state::Instance;
use crate::Error;
use crate::engine::EngineErrorKind;
use crate::protocol::Times;
use crate::supervisor::diagnosis;

/// The number of attempts to choose host ports.
const PORT_CHOICES: u32 = 10;

/// Why an instance did not come up.
pub(super) enum BringUpError {
    Failed(Box<Error>),
    Blocked,
    Discarded,
}

impl From<Error> for BringUpError {
    fn from(error: Error) -> Self {
        Self::Failed(Box::new(error))
    }
}

impl Instance {
    /// Creates a container, waits for the services that this one needs, and starts the container.
    pub(super) async fn started_container(
        &self,
        parts: &Parts,
        times: &mut Times,
    ) -> Result<Container, BringUpError> {
        self.seat.is_decided().await;
        self.activity.set_step("was being created");
        let mut choice = 0;
        loop {
            let Some(container) = self.create(parts, self.seat.holder(), choice).await? else {
                choice += 1;
                self.give_up_holder().await?;
                continue;
            };
            choice += 1;
            if times.created.is_none() {
                times.created = Some(self.begun.elapsed());
                self.unblocked().await?;
                times.unblocked = Some(self.begun.elapsed());
                self.record("starting", &[]);
                self.activity.set_step("was being started");
            }
            match container.start().await {
                Ok(()) => return Ok(container),
                // Another process took the port first. A container with other ports replaces this one.
                Err(error) if error.kind == EngineErrorKind::PortTaken && choice < PORT_CHOICES => {
                }
                Err(_) if self.has_lost_holder().await => self.give_up_holder().await?,
                Err(error) => {
                    self.sees_our_files(&parts.engine, &container).await?;
                    let target = self.target(&parts.engine, &container.id);
                    let error = diagnosis::start_failed(target, &error).await;
                    return Err(self.attach(error).into());
                }
            }
        }
    }

    async fn give_up_holder(&self) -> Result<(), Error> {
        let given_up = self.seat.give_up().await;
        given_up.map_err(|error| self.engine_error(&error))
    }

    /// Waits until the services that this one needs are ready.
    async fn unblocked(&self) -> Result<(), BringUpError> {
        for &need in &self.service().needs {
            let name = &self.launch.plan.services[need].field;
            self.activity.set_step(format!("was waiting for `{name}`"));
            let Phase::Ready(_) = self.dependencies[need].settled().await else {
                return Err(BringUpError::Blocked);
            };
        }
        Ok(())
    }
}
