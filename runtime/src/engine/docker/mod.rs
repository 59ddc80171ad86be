//! Docker's engine, and what speaks its API, through bollard.
//!
//! Turns calls of the boundary into requests and answers into the boundary's terms; [`errors`] alone decides what an
//! engine's words mean, and [`endpoints`] which requests older engines must not get side by side. No type of bollard's
//! leaves this module, no version of the API is ever pinned, nothing is retried, and no label is added.

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
