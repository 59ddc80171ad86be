//! A keeper's service on this run's network, where the services of the run reach it.
//!
//! The keeper has the container. This side has only the connection to the run's network.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::engine::Attachment;
use crate::protocol::ServiceInfo;
use crate::supervisor::context::Context;
use crate::supervisor::diagnosis::engine_error;
use crate::supervisor::instance::{Command, Phase};
use crate::supervisor::network::HostNumber;
use crate::supervisor::reaper::{AttachmentGuard, TaskGuard};
use crate::{Error, ErrorKind};

/// A kept service to be connected.
pub(super) struct Attached {
    pub(super) context: Arc<Context>,
    pub(super) address: HostNumber,
    /// The service as the keeper describes it.
    pub(super) info: Arc<ServiceInfo>,
    /// The run does not end while this lives.
    pub(super) _task_guard: TaskGuard,
}

impl Attached {
    /// Connects the service, until it is ended.
    pub(super) async fn run(
        self,
        phase: watch::Sender<Phase>,
        ended: CancellationToken,
        mut commands: mpsc::UnboundedReceiver<Command>,
    ) {
        let live = async {
            let outcome = self.connect().await;
            let _guard = match outcome {
                Ok(guard) => {
                    phase.send_replace(Phase::Ready(self.info.clone()));
                    Some(guard)
                }
                Err(error) => {
                    phase.send_replace(Phase::Failed(error));
                    None
                }
            };
            // The owner of a handle asks the keeper.
            while commands.recv().await.is_some() {}
        };
        tokio::select! {
            biased;
            () = ended.cancelled() => {}
            () = live => {}
        }
    }

    async fn connect(&self) -> Result<AttachmentGuard, Error> {
        let engine = self.context.engine().await?;
        let network = self.context.network().await?;
        let attachment = Attachment {
            network: network.id.clone(),
            address: network.address(self.address),
        };
        let reaper = &self.context.run.reaper;
        let container = &self.info.container;
        let connected = reaper.attach(&engine, container, attachment).await;
        connected.map_err(|error| {
            engine_error(ErrorKind::Start, &error).with(|report| {
                report.service = Some(self.info.field.clone());
            })
        })
    }
}
