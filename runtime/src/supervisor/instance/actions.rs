//! Changes of a container: starts, stops, network changes, files. Must not wait until the service is ready.

use super::running::Running;
use super::state::Instance;
use crate::Error;
use crate::engine::{Attachment, EngineError, Parts};
use crate::protocol::{Action, Reply};
use crate::readiness::OutputPosition;
use crate::supervisor::content;
use crate::supervisor::links::Links;

impl Running {
    /// Runs an action that does not wait for the service.
    pub(super) async fn act_at_once(
        &self,
        instance: &Instance,
        action: Action,
    ) -> Result<(), Error> {
        let (engine, id) = (&self.engine, self.id());
        let guard = &self.container.guard;
        let outcome = match action {
            Action::Stop { grace_period } => guard.stop(id, grace_period).await,
            Action::Kill { signal } => guard.kill(id, signal).await,
            Action::Pause => engine.pause(id).await,
            Action::Unpause => engine.unpause(id).await,
            Action::Disconnect => {
                if let Some(holder) = instance.seat.holder() {
                    holder.has_changed();
                }
                guard.disconnect(&self.endpoint, &self.network).await
            }
            Action::Reconnect => {
                let attachment = Attachment {
                    network: self.network.clone(),
                    address: self.address,
                };
                guard.connect(&self.endpoint, attachment).await
            }
            Action::Start
            | Action::Restart
            | Action::WaitReady
            | Action::Ended
            | Action::Status
            | Action::Logs { .. }
            | Action::Exec(_)
            | Action::CopyIn { .. }
            | Action::CopyOut { .. }
            | Action::Follow { .. } => unreachable!("it is served elsewhere"),
        };
        outcome.map_err(|error| self.refused(instance, &error))
    }

    /// Unpacks files in the container as they come, all at a path or below.
    pub(super) async fn copy_in(
        &self,
        instance: &Instance,
        to: &str,
        is_file: bool,
        tar: Parts<Vec<u8>>,
    ) -> Result<Reply, Error> {
        let links = Links {
            engine: &self.engine,
            container: self.id(),
            // The archive may have made other links.
            image: None,
        };
        let checked = links.check(to, &self.info.mounted).await;
        checked.map_err(|error| instance.attach(error))?;
        if is_file {
            let checked = content::check_place(&self.engine, self.id(), to).await;
            checked.map_err(|error| instance.attach(error))?;
        }
        let copied = self.engine.upload(self.id(), "/", tar).await;
        copied
            .map(|()| Reply::Done)
            .map_err(|error| self.refused(instance, &error))
    }

    /// Ends the container, and waits until it has ended.
    pub(super) async fn end(&self, instance: &Instance, action: Action) -> Result<(), Error> {
        let event = match action {
            Action::Kill { .. } => "killed",
            _ => "stopped",
        };
        self.act_at_once(instance, action).await?;
        self.exits.ended().await;
        instance.record(event, &[]);
        Ok(())
    }

    /// Starts the container unless it runs. A running container writes nothing new for a check to wait for.
    pub(super) async fn start(&self, instance: &Instance) -> Result<(), Error> {
        let refused = |error: EngineError| self.refused(instance, &error);
        let info = self.engine.inspect(self.id()).await.map_err(refused)?;
        // The engine does not start a paused container.
        if info.running && !info.paused {
            return Ok(());
        }
        let before = OutputPosition::now(&self.engine, self.id()).await;
        let before = before.map_err(refused)?;
        self.container.start().await.map_err(refused)?;
        *self.position() = before;
        self.exits.started(&self.engine, self.id());
        instance.starts.send_replace(());
        instance.record("started", &[]);
        Ok(())
    }
}
