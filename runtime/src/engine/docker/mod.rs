//! Docker's engine and others with its API, through bollard.
//!
//! Turns calls of the boundary into requests, and answers into the boundary's terms. Only builds with BuildKit are not
//! requests of bollard, which does not read their answers without many more libraries. Only [`errors`] decides the
//! meaning of an engine's messages, and only [`endpoints`] decides which requests older engines must not get side by
//! side. No type of bollard leaves this module. It must not pin a version of the API, retry, or add labels.

mod build;
mod client;
mod containers;
mod endpoints;
mod errors;
mod following;
mod held_back;
mod images;
mod log;
mod networks;
mod streams;
#[cfg(test)]
mod tests;
mod turns;
mod volumes;

pub(super) use self::client::Docker;
