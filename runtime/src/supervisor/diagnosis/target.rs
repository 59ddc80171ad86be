//! A container that is looked at for a cause, and what is known of it.

use std::net::Ipv4Addr;

use seatrial_model::secret::Redactor;
use seatrial_model::{ImageRef, ServicePlan};

use crate::engine::Engine;
use crate::protocol::Launch;
use crate::supervisor::exits::Exits;

/// A container, and the service that it is of.
#[derive(Clone, Copy)]
pub(in crate::supervisor) struct Target<'a> {
    pub(in crate::supervisor) engine: &'a Engine,
    pub(in crate::supervisor) container: &'a str,
    pub(in crate::supervisor) launch: &'a Launch,
    /// The service's position in the launch.
    pub(in crate::supervisor) index: usize,
    /// The image that a binary of the package is run in, where its declaration names none.
    pub(in crate::supervisor) base: &'a ImageRef,
    pub(in crate::supervisor) redactor: &'a Redactor,
}

impl<'a> Target<'a> {
    pub(super) fn service(&self) -> &'a ServicePlan {
        &self.launch.plan.services[self.index]
    }
}

/// A container that was started.
#[derive(Clone, Copy)]
pub(in crate::supervisor) struct Started<'a> {
    pub(in crate::supervisor) target: Target<'a>,
    pub(in crate::supervisor) address: Ipv4Addr,
    pub(in crate::supervisor) exits: &'a Exits,
    /// Whether it has been ready before.
    pub(in crate::supervisor) was_ready: bool,
}
