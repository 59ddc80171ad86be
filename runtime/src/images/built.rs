//! The images of declarations with `build`. Each is built once by all processes of a run, and again only if what it is built from has
//! changed.
//!
//! Such an image has a name that depends on where it is built from, so it is replaced when it is built again. What it replaces is
//! removed at the end of the run, unless something uses it.

use seatrial_model::{ImageRef, Pull};

use super::cache::{Images, Key, Request};
use super::error::{Cause, ImageError, Trail};
use super::fetch::Getting;
use super::recipe::{Purpose, Recipe};
use crate::config::BuildSource;
use crate::engine::{Engine, ImageInfo};
use crate::fingerprint::Fingerprint;

/// The first part of the names of images that declarations build.
const REPOSITORY: &str = "seatrial-build";

/// The number of hex digits of a fingerprint in such a name.
const DIGITS: usize = 16;

/// The image of the name that a build gives.
enum Present {
    UpToDate(ImageInfo),
    Outdated(ImageInfo),
    Absent,
}

impl Images {
    /// Returns the image that is built from `source`, on the images that `pull` delivers.
    ///
    /// # Errors
    ///
    /// It cannot be built. All callers in this process get the same error.
    pub(crate) fn built<'a>(
        &'a self,
        engine: &'a Engine,
        source: BuildSource,
        pull: Pull,
        platform: Option<&'a str>,
    ) -> Getting<'a> {
        Box::pin(async move {
            let image = name(&source, platform);
            let request = Request {
                engine,
                asked: &image,
                image: image.clone(),
                pull,
                platform,
            };
            let key = Key::of(&request);
            let fetch = self.begun(&key);
            let result = fetch.get_or_init(|| self.build_if_outdated(&request, &source, &key));
            result.await.clone()
        })
    }

    async fn build_if_outdated(
        &self,
        request: &Request<'_>,
        source: &BuildSource,
        key: &Key,
    ) -> Result<ImageInfo, ImageError> {
        let mut trail = Trail::of_build(request.asked, &self.shown(source));
        let recipe = match self.recipe_of(source).await {
            Ok(recipe) => recipe,
            Err(reason) => {
                trail.add("build", reason, Cause::Build(self.by_hand(source)));
                return Err(trail.into_error(true));
            }
        };
        // Usually nothing has changed, and no lock is needed.
        match present(request, &recipe, &mut trail).await {
            Some(Present::UpToDate(image)) => return Ok(image),
            Some(_) => {}
            None => return Err(trail.into_error(true)),
        }
        let lock = self.turn(request, key).await?;
        let replaced = match present(request, &recipe, &mut trail).await {
            Some(Present::UpToDate(image)) => return Ok(image),
            Some(Present::Outdated(image)) => Some(image),
            Some(Present::Absent) => None,
            None => return Err(trail.into_error(true)),
        };
        match self.make(request, recipe, &mut trail).await {
            Some(image) => {
                if let Some(replaced) = replaced.filter(|it| it.id != image.id) {
                    self.discard(request.engine, replaced, &key.lock()).await;
                }
                Ok(image)
            }
            None => {
                let error = trail.into_error(true);
                if let Some(lock) = lock {
                    self.leave(lock, &error);
                }
                Err(error)
            }
        }
    }

    /// Notes that the image and the steps of its build are not needed any more.
    async fn discard(&self, engine: &Engine, image: ImageInfo, build: &str) {
        // What stays is a part of the engine's cache.
        for step in engine.steps(&image.id).await.unwrap_or_default() {
            self.builds.made(build, &step);
        }
    }
}

/// The image of the name that the build gives. `None` if the engine does not answer, which is noted on the trail.
async fn present(request: &Request<'_>, recipe: &Recipe, trail: &mut Trail<'_>) -> Option<Present> {
    match request.engine.image(&request.image.to_string()).await {
        Ok(Some(image)) => {
            let built_from = image.labels.get(Purpose::Declared.label());
            Some(match built_from == Some(&recipe.fingerprint) {
                true => Present::UpToDate(image),
                false => Present::Outdated(image),
            })
        }
        Ok(None) => Some(Present::Absent),
        Err(error) => {
            trail.add_engine(request.engine.info().name.clone(), &error, None);
            None
        }
    }
}

/// The name of the image that is built from `source`.
fn name(source: &BuildSource, platform: Option<&str>) -> ImageRef {
    let mut place = Fingerprint::new();
    place
        .add(source.context.as_os_str().as_encoded_bytes())
        .add(source.dockerfile.as_bytes())
        .add(source.target.as_deref().unwrap_or_default().as_bytes())
        .add(platform.unwrap_or_default().as_bytes());
    for (name, value) in &source.args {
        place.add(name.as_bytes()).add(value.as_bytes());
    }
    let directory = source.context.file_name().unwrap_or_default();
    let directory = directory.to_string_lossy().to_lowercase();
    let words: Vec<&str> = directory
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let directory = match words.is_empty() {
        true => "context".to_owned(),
        false => words.join("-"),
    };
    let digits = &place.finish()[..DIGITS];
    let name = format!("{REPOSITORY}/{directory}:{digits}");
    name.parse()
        .unwrap_or_else(|error| unreachable!("`{name}` is a reference: {error}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_name_depends_on_everything_but_the_content() {
        let source = |context: &str| BuildSource {
            context: context.into(),
            dockerfile: "Dockerfile".to_owned(),
            target: None,
            args: BTreeMap::new(),
        };
        let plain = name(&source("/work/My Shop_2"), None);
        assert!(plain.to_string().starts_with("seatrial-build/my-shop-2:"));
        assert_eq!(name(&source("/work/My Shop_2"), None), plain);
        let others = [
            source("/other/My Shop_2"),
            BuildSource {
                dockerfile: "Containerfile".to_owned(),
                ..source("/work/My Shop_2")
            },
            BuildSource {
                target: Some("test".to_owned()),
                ..source("/work/My Shop_2")
            },
            BuildSource {
                args: [("A".to_owned(), "1".to_owned())].into(),
                ..source("/work/My Shop_2")
            },
        ];
        for other in others {
            assert_ne!(name(&other, None), plain, "{other:?}");
        }
        assert_ne!(name(&source("/work/My Shop_2"), Some("linux/arm64")), plain);
        for strange in ["/", "/work/\u{e9}", "/work/..."] {
            let name = name(&source(strange), None).to_string();
            assert!(name.starts_with("seatrial-build/context:"), "{name}");
        }
    }
}
