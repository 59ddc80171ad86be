//! Images that declarations build.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use seatrial_model::Pull;

use super::{Rig, unique};
use crate::config::BuildSource;
use crate::engine::ImageInfo;
use crate::images::fixture::IMAGE;
use crate::images::lock::Locks;
use crate::images::recipe::Purpose;
use crate::images::{ImageError, unfinished};

/// The build of the directory `image`.
pub(super) fn source(rig: &Rig, args: &[(&str, &str)]) -> BuildSource {
    let args = args.iter();
    let args = args.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    rig.source("image", args.collect())
}

/// Builds as a new process would.
pub(super) async fn built(rig: &Rig, source: &BuildSource) -> Result<ImageInfo, ImageError> {
    let images = rig.images();
    let built = images.built(&rig.engine, source.clone(), Pull::Missing, None);
    let image = built.await?;
    rig.made.lock().unwrap().push(image.id.clone());
    Ok(image)
}

#[tokio::test]
async fn what_has_not_changed_is_not_built_again() {
    let rig = Rig::new().await;
    rig.file(
        "image/Dockerfile",
        "FROM scratch\nCOPY file /\nCMD [\"/file\"]\n",
        false,
    );
    rig.file("image/.dockerignore", "logs\n*.tmp\n", false);
    rig.content("image/file", "1", true);
    let source = source(&rig, &[]);
    let first = built(&rig, &source)
        .await
        .unwrap_or_else(|it| panic!("{it}"));
    assert_eq!(first.command, ["/file"]);
    assert!(first.labels.contains_key(Purpose::Declared.label()));
    let shown = rig.shown();
    for line in [
        "\nseatrial: building image/Dockerfile ...\n",
        "\nseatrial: image/Dockerfile | Step 1/",
        "\nseatrial: built image/Dockerfile in ",
    ] {
        assert!(
            format!("\n{shown}").contains(line),
            "{line} is not in {shown}"
        );
    }

    rig.file("image/logs/today", "2", false);
    rig.file("image/x.tmp", "2", false);
    let again = built(&rig, &source)
        .await
        .unwrap_or_else(|it| panic!("{it}"));
    assert_eq!(again, first);
    assert_eq!(rig.shown(), shown, "nothing was sent");

    rig.content("image/file", "2", true);
    let changed = built(&rig, &source)
        .await
        .unwrap_or_else(|it| panic!("{it}"));
    assert_ne!(changed.id, first.id);
    assert_eq!(rig.shown().matches("built image").count(), 2);
}

#[tokio::test]
async fn what_a_build_replaces_is_removed_with_its_steps() {
    let rig = Rig::new().await;
    // A step of its own: what others on this engine build on it, too, cannot be removed.
    let own = unique();
    let dockerfile = format!("FROM {IMAGE}\nLABEL a={own}\nCOPY file /\nLABEL c=d\n");
    rig.file("image/Dockerfile", &dockerfile, false);
    rig.content("image/file", "1", false);
    let source = source(&rig, &[]);
    let first = built(&rig, &source)
        .await
        .unwrap_or_else(|it| panic!("{it}"));
    let begun = rig.builds.made.lock().unwrap().len();
    rig.content("image/file", "2", false);
    let second = built(&rig, &source)
        .await
        .unwrap_or_else(|it| panic!("{it}"));
    assert_eq!(rig.builds.ended.lock().unwrap().len(), 2);
    // Those of the second build itself are known, too, until it ends.
    let made = rig.builds.made.lock().unwrap()[begun..].to_vec();
    let (build, _) = made[0].clone();
    let replaced: Vec<String> = made
        .into_iter()
        .map(|(_, id)| id)
        .skip_while(|id| *id != first.id)
        .collect();
    // The two labels, the file, and the label of the fingerprint.
    assert_eq!(replaced.len(), 4, "{replaced:?}");
    let locks = Locks::at(rig.directory.join("locks"));
    let removed = unfinished::remove_under(&locks, &rig.engine, &build, &replaced).await;
    assert_eq!(removed, Ok(true));
    for id in &replaced[..3] {
        assert!(!rig.is_local(id).await, "{id} is left");
    }
    assert!(
        rig.is_local(&replaced[3]).await,
        "the new one is built on it"
    );
    assert!(rig.is_local(&second.id).await && rig.is_local(IMAGE).await);
}

#[tokio::test]
async fn the_target_and_the_arguments_count() {
    let rig = Rig::new().await;
    rig.file(
        "image/Dockerfile",
        "FROM scratch AS one\nARG CONTENT=a\nCOPY $CONTENT /\nCMD [\"one\"]\n\
         FROM no-such-image:1\nCMD [\"two\"]\n",
        false,
    );
    rig.content("image/a", "1", false);
    rig.content("image/b", "2", false);
    let target = |args| BuildSource {
        target: Some("one".to_owned()),
        ..source(&rig, args)
    };
    let default = built(&rig, &target(&[])).await;
    let default = default.unwrap_or_else(|it| panic!("{it}"));
    assert_eq!(default.command, ["one"]);
    assert!(rig.shown().contains("built image/Dockerfile (one) in"));
    let other = built(&rig, &target(&[("CONTENT", "b")])).await;
    assert_ne!(other.unwrap_or_else(|it| panic!("{it}")).id, default.id);
    // Each has its own name, so neither replaces the other.
    let again = built(&rig, &target(&[])).await;
    assert_eq!(again.unwrap_or_else(|it| panic!("{it}")), default);
    assert_eq!(rig.shown().matches("built image").count(), 2);
}

#[tokio::test]
async fn those_who_ask_at_once_build_once() {
    let rig = Rig::new().await;
    rig.file("image/Dockerfile", "FROM scratch\nCOPY file /\n", false);
    rig.content("image/file", "1", false);
    let source = source(&rig, &[]);
    // Two processes, with four that ask in each.
    let processes = [rig.images(), rig.images()];
    let ask = |number: usize| {
        processes[number % 2].built(&rig.engine, source.clone(), Pull::Missing, None)
    };
    let all = join_all((0..8).map(ask)).await;
    let first = all[0].clone().unwrap_or_else(|it| panic!("{it}"));
    rig.made.lock().unwrap().push(first.id.clone());
    assert!(all.iter().all(|image| *image == Ok(first.clone())));
    assert_eq!(
        rig.shown().matches("building").count(),
        1,
        "{}",
        rig.shown()
    );
}

#[tokio::test]
async fn a_step_that_fails_is_told_with_its_output() {
    let rig = Rig::new().await;
    rig.file(
        "image/Dockerfile",
        &format!("FROM {IMAGE}\nARG API_TOKEN\nRUN echo built with $API_TOKEN; no-such-program\n"),
        false,
    );
    let source = source(&rig, &[("API_TOKEN", "albatross-17")]);
    let error = built(&rig, &source)
        .await
        .expect_err("there is no such program");
    assert_eq!(error.failed, "cannot build `image/Dockerfile`");
    let text = error.to_string();
    for part in [
        "build: Step 3/",
        "RUN echo built with",
        "built with [hidden]",
        "no-such-program: not found",
        "`docker build --file image/Dockerfile --build-arg API_TOKEN=.. image` does the same by hand",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(!text.contains("albatross") && !rig.shown().contains("albatross"));
}

#[tokio::test]
async fn what_keeps_a_build_from_starting_is_named() {
    let rig = Rig::new().await;
    let error = built(&rig, &source(&rig, &[])).await;
    let error = error.expect_err("there is no Dockerfile").to_string();
    assert!(error.contains("image/Dockerfile: No such file"), "{error}");
    rig.file("image/Dockerfile", "FROM 127.0.0.1:1/base:1\n", false);
    let error = built(&rig, &source(&rig, &[])).await;
    let error = error.expect_err("no registry has it").to_string();
    for part in [
        "cannot build `image/Dockerfile`",
        "it is built on another image: cannot obtain the image `127.0.0.1:1/base:1`",
    ] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    let never = rig.images();
    let of = BuildSource {
        args: BTreeMap::new(),
        ..source(&rig, &[])
    };
    let error = never.built(&rig.engine, of, Pull::Never, None).await;
    let error = error.expect_err("the engine does not have it").to_string();
    assert!(error.contains("docker pull 127.0.0.1:1/base:1"), "{error}");
}
