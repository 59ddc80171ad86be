//! The container of a diagnosis, and what is known of it.

use std::net::Ipv4Addr;

use seatrial_model::secret::Redactor;
use seatrial_model::{ImageRef, ServicePlan};

use crate::engine::{Engine, ImageInfo};
use crate::protocol::Launch;
use crate::supervisor::exits::Exits;

/// A container and its service.
#[derive(Clone, Copy)]
pub(in crate::supervisor) struct Target<'a> {
    pub(in crate::supervisor) engine: &'a Engine,
    pub(in crate::supervisor) container: &'a str,
    pub(in crate::supervisor) launch: &'a Launch,
    /// The service's position in the launch.
    pub(in crate::supervisor) index: usize,
    /// The image for a binary of the package, unless its declaration names one.
    pub(in crate::supervisor) base: &'a ImageRef,
    pub(in crate::supervisor) redactor: &'a Redactor,
}

impl<'a> Target<'a> {
    pub(super) fn service(&self) -> &'a ServicePlan {
        &self.launch.plan.services[self.index]
    }
}

/// A started container.
#[derive(Clone, Copy)]
pub(in crate::supervisor) struct Started<'a> {
    pub(in crate::supervisor) target: Target<'a>,
    pub(in crate::supervisor) image: &'a ImageInfo,
    pub(in crate::supervisor) address: Ipv4Addr,
    pub(in crate::supervisor) exits: &'a Exits,
    /// Whether the container has been ready before.
    pub(in crate::supervisor) was_ready: bool,
}
