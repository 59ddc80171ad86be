//! The engine boundary: what runs containers, in our own terms.
//!
//! Callers above this module use containers, images, networks and volumes through [`Engine`]. Everything particular to
//! one kind of engine stays below it, in a module of its own, and no type of a client library leaves that module. An
//! engine does one thing per call. It must not keep state of ours, retry or print.

mod address;
mod call;
mod container;
mod deadlines;
pub(crate) mod discovery;
mod docker;
mod error;
mod exec;
#[cfg(test)]
pub(crate) mod fake;
mod image;
mod info;
mod kind;
mod network;
mod parts;
#[cfg(test)]
mod scripted;
mod volume;

pub(crate) use self::call::Engine;
#[cfg(test)]
pub(crate) use self::container::ContainerListing;
pub(crate) use self::container::{
    ContainerInfo, ContainerSpec, MountSpec, NetworkOf, PublishedPort,
};
pub(crate) use self::error::{EngineError, EngineErrorKind};
pub(crate) use self::exec::{Collected, ExecResult, ExecSpec, Output, OutputUse};
pub(crate) use self::image::{BuildSpec, Credentials, ImageInfo, Progress, PullSpec};
pub(crate) use self::info::EngineInfo;
pub(crate) use self::network::{Attachment, NetworkInfo, NetworkSpec, Subnet};
pub(crate) use self::parts::{Parts, all_of};
#[cfg(test)]
pub(crate) use self::volume::VolumeInfo;
