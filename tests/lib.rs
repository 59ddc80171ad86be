//! What the engine tests share: talking to the service that `fixtures/serve.pl` is and to real servers, running one test of an executable in a
//! process of its own or many under a cargo of their own, what was recorded of a run, by the runtime and by the engine, and
//! what is too much to be held, directories for files, and waiting for what nothing tells of.

pub mod cargo;
pub mod child;
pub mod conversation;
pub mod engine;
pub mod events;
pub mod flood;
pub mod postgres;
pub mod scratch;
pub mod servers;
pub mod waiting;
