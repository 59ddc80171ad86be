//! The client that an instance was brought up for. One that is brought up ahead gets its client when a launch takes it.

use tokio::sync::watch;

use crate::protocol::ClientId;

/// The client of an instance, if it has one by now.
#[derive(Clone, Debug)]
pub(in crate::supervisor) struct Taker(watch::Receiver<Option<ClientId>>);

impl Taker {
    /// The client that has launched the instance.
    pub(in crate::supervisor) fn of(client: ClientId) -> Self {
        Self(watch::channel(Some(client)).1)
    }

    /// A client that will be known later, and the way to say which.
    pub(in crate::supervisor) fn later() -> (watch::Sender<Option<ClientId>>, Self) {
        let (sender, receiver) = watch::channel(None);
        (sender, Self(receiver))
    }

    pub(super) fn is_known(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// The client, once it is known. An instance that nobody takes waits until it is removed.
    pub(super) async fn client(&self) -> ClientId {
        let mut client = self.0.clone();
        let known = client.wait_for(Option::is_some).await;
        match known.ok().and_then(|known| *known) {
            Some(client) => client,
            None => std::future::pending().await,
        }
    }
}
