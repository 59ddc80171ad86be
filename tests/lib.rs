//! What the engine tests share: the image they run in, talking to the service that `fixtures/serve.pl` is, and running
//! one test of an executable in a process of its own.

pub mod child;
pub mod conversation;
pub mod events;
