//! The image that this crate's tests make their containers from.

use crate::config::Config;
use crate::engine::discovery::{self, EngineChoice};
use crate::images::Images;
use crate::workspace;

/// Its name; the project's own configuration says what makes it where no registry delivers it.
pub(crate) const IMAGE: &str = "debian:bookworm-slim";

/// Has the engine get the image, where it is not there yet.
pub(crate) async fn prepare() {
    let config = Config::of_process(&workspace::of_process()).expect("the project's configuration");
    let choice = EngineChoice::from(config.engine.clone());
    let engine = discovery::connect(&choice, std::env::vars().collect())
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let image = IMAGE.parse().expect("a reference");
    let got = Images::new(&config, std::env::vars().collect())
        .get(&engine, &image, seatrial_model::Pull::Missing, None)
        .await;
    got.unwrap_or_else(|error| panic!("{error}"));
}
