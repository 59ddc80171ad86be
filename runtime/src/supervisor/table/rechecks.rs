//! Checks a shared instance again for one more launch.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use super::state::Handle;
use crate::Error;
use crate::protocol::{Reply, ServiceInfo, Times};
use crate::supervisor::instance::{Command, Order, Phase, gone};

/// The advice for a test that stops or changes a shared service.
const OWN_INSTANCES: &str = "give a test that stops or changes a service instances of its own: write `#[composition(scope = test)]` on its parameter";

/// The error of a failed instance for one more launch of the run.
pub(super) fn again(error: &Error) -> Error {
    error.clone().with(|report| {
        let note = "it failed earlier in this run, and is not tried again";
        report.details.push(note.to_owned());
    })
}

/// The phase of a shared instance for one more launch. A ready instance is checked again, once for all launches that
/// ask at the same moment.
pub(super) fn check_again(handle: &mut Handle) -> watch::Receiver<Phase> {
    if let Some(checking) = &handle.checking
        && matches!(*checking.borrow(), Phase::Pending)
    {
        return checking.clone();
    }
    let info = match &*handle.phase.borrow() {
        Phase::Ready(info) => info.clone(),
        Phase::Failed(error) => {
            return watch::channel(Phase::Failed(again(error))).1;
        }
        Phase::Pending | Phase::Blocked | Phase::Discarded => return handle.phase.clone(),
    };
    let receiver = look_again(handle, info, Order::CheckAgain, |error| {
        Phase::Failed(error.with(|report| {
            let note =
                "it was ready when it was launched; a test before this one may have changed that";
            report.details.push(note.to_owned());
            report.help.get_or_insert_with(|| OWN_INSTANCES.to_owned());
        }))
    });
    handle.checking = Some(receiver.clone());
    receiver
}

/// The phase of a ready instance that is checked again: still ready, or what `unfit` makes of the reason why not.
pub(super) fn look_again(
    handle: &Handle,
    info: Arc<ServiceInfo>,
    order: Order,
    unfit: impl FnOnce(Error) -> Phase + Send + 'static,
) -> watch::Receiver<Phase> {
    let (sender, receiver) = watch::channel(Phase::Pending);
    let outcome = order_of(&handle.commands, order);
    tokio::spawn(async move {
        sender.send_replace(match outcome.await {
            Ok(_) => {
                let mut info = info.as_ref().clone();
                info.times = Times {
                    shared: true,
                    ..Times::default()
                };
                Phase::Ready(Arc::new(info))
            }
            Err(error) => unfit(error),
        });
    });
    receiver
}

/// Sends an order to an instance at once. Returns what waits for the outcome.
pub(super) fn order_of(
    commands: &mpsc::UnboundedSender<Command>,
    order: Order,
) -> impl Future<Output = Result<Reply, Error>> + Send + use<> {
    let (answer, answered) = oneshot::channel();
    let sent = commands.send(Command { order, answer });
    async move {
        match sent {
            Ok(()) => answered.await.unwrap_or_else(|_| Err(gone())),
            Err(_) => Err(gone()),
        }
    }
}
