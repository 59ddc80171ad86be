//! The image that this crate's tests make their containers from.

use std::sync::Arc;

use crate::config::Config;
use crate::engine::Engine;
use crate::engine::discovery::{self, EngineChoice};
use crate::images::Images;
use crate::images::unfinished::Record;
use crate::workspace;

/// Its name; the project's own configuration says what makes it where no registry delivers it.
pub(crate) const IMAGE: &str = "debian:bookworm-slim";

/// The path of the engine's socket.
pub(crate) async fn engine_socket() -> String {
    let address = engine().await.info().address.clone();
    let path = address.strip_prefix("unix://");
    path.expect("the tests use an engine on this machine")
        .to_owned()
}

/// The engine of this machine.
pub(crate) async fn engine() -> Engine {
    let config = Config::of_process(&workspace::of_process()).expect("the project's configuration");
    let choice = EngineChoice::from(config.engine);
    discovery::connect(&choice, std::env::vars().collect())
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Has the engine obtain the image, unless it has it.
pub(crate) async fn prepare() {
    let config = Config::of_process(&workspace::of_process()).expect("the project's configuration");
    let engine = engine().await;
    let image = IMAGE.parse().expect("a reference");
    let got = Images::new(
        &config,
        std::env::vars().collect(),
        Arc::<Record>::default(),
    )
    .get(&engine, &image, seatrial_model::Pull::Missing, None)
    .await;
    got.unwrap_or_else(|error| panic!("{error}"));
}
