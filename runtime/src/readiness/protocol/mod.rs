//! Checks that the server at a port answers in its own protocol that it takes requests.
//!
//! A database accepts connections while it still recovers, and rejects each with a message of its protocol. A check of
//! the port alone does not notice. So the check sends a few bytes, as a client would begin, and leaves as a client
//! would. It causes as few lines in the server's log as the protocol allows.
//!
//! Each protocol has one small file, over bytes alone. `server.rs` owns the connection and its deadlines.

mod amqp;
mod conversation;
mod dialect;
mod foreign;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod login;
mod mysql;
mod nats;
mod postgres;
mod redis;
mod server;
#[cfg(test)]
mod tests;

pub(super) use self::login::Login;
pub(super) use self::server::Server;
