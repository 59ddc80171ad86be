//! The data of an instance, for everything that is done for it, and what follows from the data. Must not decide
//! what is done, or when.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Instant;

use seatrial_model::ServicePlan;
use seatrial_model::secret::Redactor;
use tokio::sync::{SetOnce, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::activity::Activity;
use super::phase::Dependency;
use super::taker::Taker;
use crate::Error;
use crate::engine::{Engine, EngineError, ImageInfo};
use crate::protocol::{InstanceId, Launch};
use crate::supervisor::context::Context;
use crate::supervisor::diagnosis::{self, Target};
use crate::supervisor::error_context::ErrorContext;
use crate::supervisor::namespaces::Seat;
use crate::supervisor::network::Network;
use crate::supervisor::reaper::TaskGuard;
use crate::supervisor::volumes::Volumes;

/// The data of an instance.
pub(in crate::supervisor) struct Instance {
    pub(in crate::supervisor) context: Arc<Context>,
    /// The client that launched it or has taken it, which has the functions of its declaration.
    pub(in crate::supervisor) taker: Taker,
    pub(in crate::supervisor) launch: Arc<Launch>,
    pub(in crate::supervisor) index: usize,
    pub(in crate::supervisor) id: InstanceId,
    /// Its place on the network.
    pub(in crate::supervisor) seat: Seat,
    /// All services of the launch, in the plan's order.
    pub(in crate::supervisor) dependencies: Vec<Dependency>,
    pub(in crate::supervisor) redactor: Arc<Redactor>,
    pub(in crate::supervisor) volumes: Arc<Volumes>,
    /// The container's id, set once it is started.
    pub(in crate::supervisor) container: Arc<SetOnce<String>>,
    /// Cancelled when somebody has everything that the container has written. Only of a job that a test asked for.
    pub(in crate::supervisor) followed: Option<CancellationToken>,
    /// Its activity until it is ready.
    pub(in crate::supervisor) activity: Arc<Activity>,
    /// Notified of each start but the first.
    pub(in crate::supervisor) starts: watch::Sender<()>,
    /// Dropped when its containers are removed.
    pub(in crate::supervisor) removed: Arc<DropGuard>,
    pub(in crate::supervisor) begun: Instant,
    /// The run does not end while this lives.
    pub(in crate::supervisor) _task_guard: TaskGuard,
}

impl Instance {
    pub(in crate::supervisor) fn service(&self) -> &ServicePlan {
        &self.launch.plan.services[self.index]
    }

    /// The name of the composition that it belongs to.
    pub(in crate::supervisor) fn composition(&self) -> String {
        self.taker.composition(&self.launch)
    }

    pub(in crate::supervisor) fn record(&self, event: &str, details: &[(&str, &str)]) {
        self.recorder()(event, details);
    }

    /// Records events of this instance, also after it has ended.
    pub(in crate::supervisor) fn recorder(
        &self,
    ) -> impl Fn(&str, &[(&str, &str)]) + Send + Sync + use<> {
        let (context, launch) = (self.context.clone(), self.launch.clone());
        let (taker, index, id) = (self.taker.clone(), self.index, self.id);
        move |event, details| {
            let composition = taker.composition(&launch);
            let service = &launch.plan.services[index].field;
            context
                .events
                .record(&composition, service, id, event, details);
        }
    }

    /// The image of these settings.
    pub(in crate::supervisor) async fn image(
        &self,
        context: &Context,
        engine: &Engine,
    ) -> Result<ImageInfo, Error> {
        context
            .image(engine, &self.launch, self.index)
            .await
            .map_err(|error| self.attach(error.redacted(&self.redactor).into()))
    }

    /// Names and addresses of the services that this one needs.
    pub(in crate::supervisor) fn hosts(&self, network: &Network) -> Vec<(String, Ipv4Addr)> {
        let needs = self.service().needs.iter();
        needs
            .map(|&need| {
                let name = self.launch.plan.services[need].name.clone();
                (name, network.address(self.dependencies[need].address))
            })
            .collect()
    }

    pub(in crate::supervisor) fn error_context(&self) -> ErrorContext {
        ErrorContext {
            composition: self.composition(),
            field: self.service().field.clone(),
            redactor: self.redactor.clone(),
        }
    }

    /// Attributes the error to its service and hides secrets in its log; see [`ErrorContext::attach`].
    pub(in crate::supervisor) fn attach(&self, error: Error) -> Error {
        self.error_context().attach(error)
    }

    pub(in crate::supervisor) fn engine_error(&self, error: &EngineError) -> Error {
        self.attach(diagnosis::refused(self.service(), error, &self.redactor))
    }

    /// The container of this instance for a diagnosis.
    pub(in crate::supervisor) fn target<'a>(
        &'a self,
        engine: &'a Engine,
        container: &'a str,
    ) -> Target<'a> {
        Target {
            engine,
            container,
            launch: &self.launch,
            index: self.index,
            base: &self.context.config().base,
            redactor: &self.redactor,
        }
    }
}
