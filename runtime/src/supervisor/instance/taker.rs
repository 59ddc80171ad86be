//! Who an instance was brought up for. One that is brought up ahead gets its taker when a launch takes it.

use tokio::sync::watch;

use crate::protocol::{ClientId, Launch};

/// A launch that has an instance.
#[derive(Clone, Debug)]
pub(in crate::supervisor) struct Taken {
    client: ClientId,
    /// The name of its composition.
    composition: String,
}

impl Taken {
    pub(in crate::supervisor) fn by(client: ClientId, launch: &Launch) -> Self {
        Self {
            client,
            composition: launch.plan.name.clone(),
        }
    }
}

/// The launch of an instance, if it has one by now.
#[derive(Clone, Debug)]
pub(in crate::supervisor) struct Taker(watch::Receiver<Option<Taken>>);

impl Taker {
    /// The launch for which the instance is brought up.
    pub(in crate::supervisor) fn of(taken: Taken) -> Self {
        Self(watch::channel(Some(taken)).1)
    }

    /// A launch that will be known later, and the way to say which.
    pub(in crate::supervisor) fn later() -> (watch::Sender<Option<Taken>>, Self) {
        let (sender, receiver) = watch::channel(None);
        (sender, Self(receiver))
    }

    pub(super) fn is_known(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// The name of the composition: of the launch that has taken the instance or, before that, of the one it is brought up for.
    pub(super) fn composition(&self, begun_for: &Launch) -> String {
        let taken = self.0.borrow();
        let name = taken.as_ref().map(|taken| &taken.composition);
        name.unwrap_or(&begun_for.plan.name).clone()
    }

    /// The client that has launched it, once that is known. An instance that nobody takes waits until it is removed.
    pub(super) async fn client(&self) -> ClientId {
        let mut taken = self.0.clone();
        let known = taken.wait_for(Option::is_some).await;
        match known.ok().and_then(|known| Some(known.as_ref()?.client)) {
            Some(client) => client,
            None => std::future::pending().await,
        }
    }
}
