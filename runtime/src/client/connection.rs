//! The way to the supervisor, on a thread of its own.

use tokio::sync::mpsc;

use super::Client;
use crate::protocol::{Message, Request};
use crate::{Error, ErrorKind, supervisor};

/// Serves the process's client until the process or the supervisor ends.
pub(super) fn open(requests: mpsc::UnboundedReceiver<Request>) {
    std::thread::Builder::new()
        .name("seatrial".to_owned())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime needs no more than a few file descriptors");
            runtime.block_on(in_process(requests));
        })
        .expect("a process that cannot start a thread cannot run tests");
}

/// The supervisor in this process.
async fn in_process(requests: mpsc::UnboundedReceiver<Request>) {
    let (to_client, messages) = mpsc::unbounded_channel();
    tokio::spawn(supervisor::run(requests, to_client));
    dispatch(messages).await;
    Client::get().lose(Error::new(
        ErrorKind::Engine,
        "what runs the services has ended unexpectedly",
    ));
}

/// Hands every message to the process's client, until the supervisor is gone.
async fn dispatch(mut messages: mpsc::UnboundedReceiver<Message>) {
    while let Some(message) = messages.recv().await {
        Client::get().receive(message);
    }
}
