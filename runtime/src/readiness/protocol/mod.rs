//! Whether what serves a port answers in its own protocol that it takes requests.
//!
//! A database accepts connections while it still recovers, and refuses each in words of its own; a port that is served
//! says nothing of that. So it is asked in a few bytes, as a client would begin, and left as a client leaves it: what an
//! attempt writes into the server's log is as little as its protocol allows.
//!
//! What is said is one small file for each protocol, over bytes alone; what listens, and how long, is the server's file.

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
