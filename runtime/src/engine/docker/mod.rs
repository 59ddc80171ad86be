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

use std::collections::BTreeMap;
use std::time::Duration;

pub(super) use self::client::Docker;
use super::call::{Call, Engine};
use super::container::{ContainerInfo, ContainerListing, ContainerSpec};
use super::exec::{ExecResult, ExecSpec, Output};
use super::image::{BuildSpec, ImageInfo, ProgressSink, PullSpec};
use super::info::EngineInfo;
use super::network::{Attachment, NetworkInfo, NetworkSpec};
use super::parts::Parts;
use super::volume::VolumeInfo;

impl Engine for Docker {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn image<'a>(&'a self, reference: &'a str) -> Call<'a, Option<ImageInfo>> {
        Box::pin(self.find_image(reference))
    }

    fn pull<'a>(&'a self, pull: PullSpec<'a>, progress: ProgressSink<'a>) -> Call<'a, ()> {
        Box::pin(self.pull_image(pull, progress))
    }

    fn build<'a>(&'a self, build: BuildSpec<'a>, progress: ProgressSink<'a>) -> Call<'a, ()> {
        Box::pin(self.build_image(build, progress))
    }

    fn import<'a>(
        &'a self,
        root: Parts<Vec<u8>>,
        tag: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> Call<'a, ()> {
        Box::pin(self.import_image(root, tag, labels))
    }

    fn tag<'a>(&'a self, image: &'a str, tag: &'a str) -> Call<'a, ()> {
        Box::pin(self.tag_image(image, tag))
    }

    fn remove_unused_image<'a>(&'a self, id: &'a str) -> Call<'a, bool> {
        Box::pin(self.delete_unused_image(id))
    }

    fn create_network<'a>(&'a self, network: &'a NetworkSpec) -> Call<'a, String> {
        Box::pin(self.make_network(network))
    }

    fn networks(&self) -> Call<'_, Vec<NetworkInfo>> {
        Box::pin(self.list_networks())
    }

    fn attached<'a>(&'a self, network: &'a str) -> Call<'a, Vec<String>> {
        Box::pin(self.containers_on(network))
    }

    fn remove_network<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        Box::pin(self.delete_network(id))
    }

    fn connect<'a>(&'a self, container: &'a str, attachment: &'a Attachment) -> Call<'a, ()> {
        Box::pin(self.attach_to_network(container, attachment))
    }

    fn disconnect<'a>(&'a self, container: &'a str, network: &'a str) -> Call<'a, ()> {
        Box::pin(self.detach_from_network(container, network))
    }

    fn create_volume<'a>(
        &'a self,
        name: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> Call<'a, ()> {
        Box::pin(self.make_volume(name, labels))
    }

    fn volumes<'a>(&'a self, label: &'a str) -> Call<'a, Vec<VolumeInfo>> {
        Box::pin(self.list_volumes(label))
    }

    fn remove_volume<'a>(&'a self, name: &'a str) -> Call<'a, ()> {
        Box::pin(self.delete_volume(name))
    }

    fn containers<'a>(&'a self, label: &'a str) -> Call<'a, Vec<ContainerListing>> {
        Box::pin(self.list_containers(label))
    }

    fn create<'a>(&'a self, container: &'a ContainerSpec) -> Call<'a, String> {
        Box::pin(self.create_container(container))
    }

    fn start<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        Box::pin(self.start_container(id))
    }

    fn stop<'a>(&'a self, id: &'a str, patience: Option<Duration>) -> Call<'a, ()> {
        Box::pin(self.stop_container(id, patience))
    }

    fn kill<'a>(&'a self, id: &'a str, signal: Option<&'a str>) -> Call<'a, ()> {
        Box::pin(self.kill_container(id, signal))
    }

    fn pause<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        Box::pin(self.pause_container(id))
    }

    fn unpause<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        Box::pin(self.unpause_container(id))
    }

    fn remove<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        Box::pin(self.remove_container(id))
    }

    fn inspect<'a>(&'a self, id: &'a str) -> Call<'a, ContainerInfo> {
        Box::pin(self.inspect_container(id))
    }

    fn wait<'a>(&'a self, id: &'a str) -> Call<'a, i64> {
        Box::pin(self.wait_for_container(id))
    }

    fn logs(&self, id: &str, follow: bool, tail: Option<usize>) -> Parts<Output> {
        self.container_logs(id, follow, tail)
    }

    fn exec<'a>(&'a self, id: &'a str, exec: &'a ExecSpec) -> Call<'a, ExecResult> {
        Box::pin(self.run_in_container(id, exec, None))
    }

    fn exec_with_input<'a>(
        &'a self,
        id: &'a str,
        exec: &'a ExecSpec,
        input: Parts<Vec<u8>>,
    ) -> Call<'a, ExecResult> {
        Box::pin(self.run_in_container(id, exec, Some(input)))
    }

    fn upload<'a>(&'a self, id: &'a str, at: &'a str, tar: Parts<Vec<u8>>) -> Call<'a, ()> {
        Box::pin(self.unpack_in_container(id, at, tar))
    }

    fn download(&self, id: &str, from: &str) -> Parts<Vec<u8>> {
        self.pack_from_container(id, from)
    }
}
