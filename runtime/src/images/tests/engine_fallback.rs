//! Images that no registry delivers.

use std::time::Duration;

use seatrial_model::Pull;

use super::{Rig, unique};
use crate::engine::EngineErrorKind;
use crate::images::fixture::IMAGE;
use crate::images::lock::Locks;
use crate::images::recipe::Purpose;
use crate::images::unfinished;

const LABEL: &str = Purpose::Fallback.label();

/// An image of a registry that refuses connections.
fn undelivered() -> String {
    format!("127.0.0.1:1/{}:1", unique())
}

#[tokio::test]
async fn a_build_is_the_fallback_and_is_labelled() {
    let mut rig = Rig::new().await;
    let image = undelivered();
    rig.file(
        "image/Dockerfile",
        "FROM scratch\nCOPY file /\nCMD [\"/file\"]\n",
        false,
    );
    rig.content("image/file", "1", true);
    rig.fallback_build(&image, "image", &[]);
    let first = rig
        .get(&image)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(first.command, ["/file"]);
    assert_eq!(first.labels[LABEL].len(), 32);
    let shown = rig.shown();
    assert!(
        shown.contains(&format!("\nseatrial: building {image} ...\n")),
        "{shown}"
    );
    assert!(
        shown.contains(&format!("\nseatrial: {image} | Step 1/")),
        "{shown}"
    );
    assert!(
        shown.contains(&format!("\nseatrial: built {image} in ")),
        "{shown}"
    );

    let again = rig
        .get(&image)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(again, first);
    assert_eq!(rig.shown(), shown, "nothing was done the second time");
}

/// The configuration that the help of an error writes out.
fn recommended(advice: &str) -> Vec<&str> {
    let lines = advice.lines();
    lines.filter_map(|line| line.strip_prefix("   ")).collect()
}

#[tokio::test]
async fn what_is_recommended_for_a_pinned_image_works() {
    let mut rig = Rig::new().await;
    let unpinned = undelivered();
    let pinned = format!("{unpinned}@sha256:{}", "0".repeat(64));
    let error = rig.get(&pinned).await.expect_err("no registry has it");
    let says = "an image that is built here, or loaded from an archive, does not have the registry's digest";
    assert!(error.advice.contains(says), "{error}");
    let lines = recommended(&error.advice);
    let [.., build] = &lines[..] else {
        panic!("nothing is recommended: {error}")
    };
    let directory = build.split('"').nth(1).expect("a directory");
    rig.file(
        &format!("{directory}/Dockerfile"),
        "FROM scratch\nCOPY file /\nCMD [\"/built\"]\n",
        false,
    );
    rig.content(&format!("{directory}/file"), "1", true);
    rig.file("seatrial.toml", &lines.join("\n"), false);
    let config = crate::config::Config::load(&rig.directory, &|_| None);
    rig.config.images = config.expect("it is right").images;
    rig.image(&unpinned);
    let built = rig.get(&pinned).await.unwrap_or_else(|it| panic!("{it}"));
    assert_eq!(built.command, ["/built"]);
    assert!(built.labels.contains_key(LABEL), "{built:?}");
}

#[tokio::test]
async fn a_fallback_for_name_and_tag_needs_a_substitution_to_stand_for_a_pinned_image() {
    let mut rig = Rig::new().await;
    let unpinned = undelivered();
    let pinned = format!("{unpinned}@sha256:{}", "0".repeat(64));
    rig.file("image/Dockerfile", "FROM scratch\nCOPY file /\n", false);
    rig.content("image/file", "1", false);
    rig.fallback_build(&unpinned, "image", &[]);
    let error = rig.get(&pinned).await.expect_err("no registry has it");
    let substitution = format!("\"{pinned}\" = \"{unpinned}\"");
    let lines = recommended(&error.advice);
    assert!(
        matches!(&lines[..], [_, line] if line.trim() == substitution),
        "{error}"
    );
    let (pinned_image, unpinned_image) = (rig.image(&pinned), rig.image(&unpinned));
    let substitutions = &mut rig.config.images.substitutions;
    substitutions.insert(pinned_image, unpinned_image);
    let built = rig.get(&pinned).await.unwrap_or_else(|it| panic!("{it}"));
    assert!(built.labels.contains_key(LABEL), "{built:?}");
}

#[tokio::test]
async fn an_image_that_was_loaded_stands_for_a_pinned_one_as_recommended() {
    let mut rig = Rig::new().await;
    let unpinned = undelivered();
    let pinned = format!("{unpinned}@sha256:{}", "0".repeat(64));
    let error = rig.get(&pinned).await.expect_err("no registry has it");
    let lines = recommended(&error.advice);
    let [section, substitution, ..] = lines[..] else {
        panic!("nothing is recommended: {error}")
    };
    // What `docker save` writes, without the digest that a registry gave.
    let docker = |arguments: &[&str]| {
        let mut command = std::process::Command::new("docker");
        let output = command.args(arguments).output().expect("it is installed");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    };
    let archive = rig.directory.join("image.tar");
    let archive = archive.to_str().expect("it is text");
    rig.file("image/file", "1", false);
    let root = rig.directory.join("root.tar");
    let image = rig.directory.join("image");
    let mut tar = std::process::Command::new("tar");
    tar.arg("-cf").arg(&root).arg("-C").arg(image).arg("file");
    assert!(tar.status().expect("it is installed").success());
    docker(&["import", root.to_str().expect("it is text"), &unpinned]);
    docker(&["save", "--output", archive, &unpinned]);
    docker(&["rmi", &unpinned]);
    docker(&["load", "--input", archive]);

    rig.file("seatrial.toml", &[section, substitution].join("\n"), false);
    let config = crate::config::Config::load(&rig.directory, &|_| None);
    rig.config.images = config.expect("it is right").images;
    rig.image(&unpinned);
    let shown = rig.shown();
    let loaded = rig.get(&pinned).await.unwrap_or_else(|it| panic!("{it}"));
    let local = rig.engine.image(&unpinned).await;
    assert_eq!(local.expect("the engine answers"), Some(loaded));
    assert_eq!(rig.shown(), shown, "nothing was asked for");
}

#[tokio::test]
async fn a_pinned_substitute_is_not_made_here() {
    let mut rig = Rig::new().await;
    let image = undelivered();
    rig.file("image/Dockerfile", "FROM scratch\nCOPY file /\n", false);
    rig.content("image/file", "1", false);
    rig.fallback_build(&image, "image", &[]);
    let pinned = rig.image(&format!("{image}@sha256:{}", "0".repeat(64)));
    let name = rig.image(&image);
    rig.config.images.substitutions.insert(name, pinned);
    let error = rig.get(&image).await.expect_err("no registry has it");
    assert!(!rig.shown().contains("building"), "{}", rig.shown());
    let instead = format!("[substitutions]\n    \"{image}\" = \"{image}\"");
    assert!(error.advice.contains(&instead), "{error}");
}

#[tokio::test]
async fn a_build_that_changed_is_built_again() {
    let mut rig = Rig::new().await;
    let image = undelivered();
    rig.file("image/Dockerfile", "FROM scratch\nCOPY file /\n", false);
    rig.content("image/file", "1", false);
    rig.fallback_build(&image, "image", &[]);
    let first = rig
        .get(&image)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    rig.content("image/file", "2", false);
    let second = rig
        .get(&image)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_ne!(second.id, first.id);
    // Made here, it is made here again: no registry is asked.
    assert_eq!(rig.shown().matches("pulling").count(), 2, "{}", rig.shown());
    rig.content("image/file", "2", true);
    let third = rig
        .get(&image)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_ne!(third.id, second.id, "being executable is content");
}

#[tokio::test]
async fn an_image_that_we_did_not_make_is_left_alone() {
    let mut rig = Rig::new().await;
    let (image, other) = (undelivered(), undelivered());
    rig.file("image/Dockerfile", "FROM scratch\nCOPY file /\n", false);
    rig.content("image/file", "1", false);
    rig.file("rootfs", "#!/bin/sh\nexec tar -C image -c file\n", true);
    // The user's own image of that name: what a script makes, without the label.
    let root = std::process::Command::new(rig.directory.join("rootfs"))
        .current_dir(&rig.directory)
        .output()
        .expect("it can be started");
    let root = Box::pin(futures_util::stream::iter([Ok(root.stdout)]));
    let user_made = rig.image(&image).to_string();
    rig.engine
        .import(root, &user_made, &std::collections::BTreeMap::new())
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    rig.fallback_build(&image, "image", &[]);
    rig.fallback_build(&other, "image", &[]);
    let found = rig
        .get(&image)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(found.labels.is_empty(), "{found:?}");
    assert_eq!(rig.shown(), "");
}

#[tokio::test]
async fn a_base_is_got_first_by_its_own_fallback() {
    let mut rig = Rig::new().await;
    let (image, base) = (undelivered(), undelivered());
    rig.file(
        "rootfs",
        "#!/bin/sh\necho making >&2\nexec tar -c rootfs\n",
        true,
    );
    rig.file(
        "image/Dockerfile",
        &format!("FROM {base} AS first\nFROM first\nLABEL a=b\n"),
        false,
    );
    rig.fallback_script(&base, "rootfs");
    rig.fallback_build(&image, "image", &[]);
    let first = rig
        .get(&image)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(
        rig.shown()
            .contains(&format!("seatrial: {base} | making\n")),
        "{}",
        rig.shown()
    );
    assert!(rig.is_local(&base).await);
    // What it is built on counts as content.
    rig.file("rootfs", "#!/bin/sh\nexec tar -c rootfs image\n", true);
    let second = rig
        .get(&image)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_ne!(second.id, first.id);
}

#[tokio::test]
async fn a_substitution_holds_for_what_is_built_on() {
    let mut rig = Rig::new().await;
    let (image, base, substitute) = (undelivered(), undelivered(), undelivered());
    rig.file("rootfs", "#!/bin/sh\nexec tar -c rootfs\n", true);
    rig.file(
        "image/Dockerfile",
        &format!("FROM {base}\nLABEL a=b\n"),
        false,
    );
    rig.fallback_script(&substitute, "rootfs");
    rig.fallback_build(&image, "image", &[]);
    let (original, other) = (rig.image(&base), rig.image(&substitute));
    rig.config.images.substitutions.insert(original, other);
    rig.get(&image)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(rig.is_local(&substitute).await);
    assert!(!rig.is_local(&base).await);
}

#[tokio::test]
async fn a_dependency_cycle_of_fallbacks_is_reported() {
    let mut rig = Rig::new().await;
    let (first, second) = (undelivered(), undelivered());
    rig.file("first/Dockerfile", &format!("FROM {second}\n"), false);
    rig.file("second/Dockerfile", &format!("FROM {first}\n"), false);
    rig.fallback_build(&first, "first", &[]);
    rig.fallback_build(&second, "second", &[]);
    let images = rig.images();
    let (first, second) = (rig.image(&first), rig.image(&second));
    // Both at once: neither may wait for the other for ever.
    let both = tokio::join!(
        images.get(&rig.engine, &first, Pull::Missing, None),
        images.get(&rig.engine, &second, Pull::Missing, None),
    );
    let error = both.0.expect_err("there is no way to make it").to_string();
    let cycle = format!("dependency cycle of fallbacks: `{first}` -> `{second}` -> `{first}`");
    assert!(error.contains(&cycle), "{error}");
    both.1.expect_err("there is no way to make it");
}

#[tokio::test]
async fn a_build_that_fails_is_told_with_its_last_lines_and_no_secret() {
    let mut rig = Rig::new().await;
    let image = undelivered();
    // An argument that needs no `ARG`, whose step would leave an image behind.
    rig.file(
        "image/Dockerfile",
        "FROM debian:bookworm-slim\nRUN echo \"by $http_proxy\" && exit 3\n",
        false,
    );
    let proxy = "http://sea:hush-hush@proxy.example";
    rig.fallback_build(&image, "image", &[("http_proxy", proxy)]);
    let error = rig.get(&image).await.expect_err("the build fails");
    let (who, said) = error.tried.last().expect("something was tried");
    let said = said.to_string();
    assert_eq!(who, "fallback, build of `image`");
    assert!(
        said.contains("by http://sea:[hidden]@proxy.example"),
        "{error}"
    );
    assert!(said.contains("returned a non-zero code: 3"), "{error}");
    assert!(
        error.advice.contains("repair the image's fallback"),
        "{error}"
    );
    assert!(
        !error.advice.contains("[images."),
        "there is a fallback: {error}"
    );
    assert!(!error.to_string().contains("hush"), "{error}");
    assert!(!rig.shown().contains("hush"), "{}", rig.shown());
}

#[tokio::test]
async fn a_script_is_the_fallback_and_made_again_when_it_changed() {
    let mut rig = Rig::new().await;
    let image = undelivered();
    rig.file("rootfs", "#!/bin/sh\nexec tar -c rootfs\n", true);
    rig.fallback_script(&image, "rootfs");
    let first = rig
        .get(&image)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(first.labels[LABEL].len(), 32);
    let shown = rig.shown();
    assert!(
        shown.contains(&format!("\nseatrial: made {image} in ")),
        "{shown}"
    );
    let again = rig
        .get(&image)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(again, first);
    assert_eq!(rig.shown(), shown);
    rig.file("rootfs", "#!/bin/sh\nexec tar -c ./rootfs\n", true);
    let changed = rig
        .get(&image)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_ne!(changed.id, first.id);
}

#[tokio::test]
async fn a_script_that_fails_at_its_end_makes_no_image() {
    let mut rig = Rig::new().await;
    let image = undelivered();
    rig.file(
        "rootfs",
        "#!/bin/sh\ntar -c rootfs\necho 'the last straw' >&2\nexit 7\n",
        true,
    );
    rig.fallback_script(&image, "rootfs");
    let error = rig.get(&image).await.expect_err("the script fails");
    let said = error
        .tried
        .last()
        .expect("something was tried")
        .1
        .to_string();
    assert_eq!(said, "ended with exit status: 7\nthe last straw");
    assert!(!rig.is_local(&image).await);
}

#[tokio::test]
async fn a_script_that_writes_nothing_makes_no_image() {
    let mut rig = Rig::new().await;
    let image = undelivered();
    rig.file("rootfs", "#!/bin/sh\nexit 0\n", true);
    rig.fallback_script(&image, "rootfs");
    let error = rig
        .get(&image)
        .await
        .expect_err("the script writes nothing");
    let said = error
        .tried
        .last()
        .expect("something was tried")
        .1
        .to_string();
    assert_eq!(said, "wrote nothing to its standard output");
    assert!(!rig.is_local(&image).await);
}

#[tokio::test]
async fn a_script_that_nobody_waits_for_is_ended() {
    let mut rig = Rig::new().await;
    let image = undelivered();
    // The child holds the lock of this file as long as it lives.
    rig.file(
        "rootfs",
        "#!/bin/sh\nexec 9>held\nflock 9\necho locked >&2\nsleep 1000 &\nwait\n",
        true,
    );
    rig.fallback_script(&image, "rootfs");
    let images = rig.images();
    let reference = rig.image(&image);
    let mut getting = images.get(&rig.engine, &reference, Pull::Missing, None);
    tokio::select! {
        _ = &mut getting => panic!("the script does not end"),
        () = rig.shows("| locked") => {}
    }
    drop(getting);
    // Had as soon as the script and what it started are gone, well before its child ends by itself.
    let held = rig.directory.join("held");
    let status = tokio::task::spawn_blocking(move || {
        std::process::Command::new("flock")
            .args(["--timeout", "300"])
            .arg(held)
            .arg("true")
            .status()
    });
    let status = status
        .await
        .expect("no panic")
        .expect("`flock` can be started");
    assert!(status.success(), "the script goes on");
}

#[tokio::test]
async fn what_a_build_that_is_cut_short_has_made_is_known_and_removed() {
    let mut rig = Rig::new().await;
    let (slow, whole) = (undelivered(), undelivered());
    let steps = format!("FROM {IMAGE}\nCOPY file /\nLABEL a=b\n");
    rig.content("image/file", "1", false);
    rig.file("image/Dockerfile", &steps, false);
    rig.file(
        "image/Slow",
        &format!("{steps}LABEL c=d\nRUN sleep 600\n"),
        false,
    );
    rig.fallback_build(&slow, "image", &[]);
    rig.fallback_dockerfile(&slow, "Slow");
    rig.fallback_build(&whole, "image", &[]);
    {
        let images = rig.images();
        let slow = rig.image(&slow);
        tokio::select! {
            _ = images.get(&rig.engine, &slow, Pull::Missing, None) => panic!("it sleeps"),
            () = rig.shows("sleep 600\nseatrial: ") => {}
        }
        // Here it is cut short.
    }
    let made = rig.builds.made.lock().unwrap().clone();
    assert_eq!(made.len(), 3, "{made:?}");
    assert!(rig.builds.ended.lock().unwrap().is_empty());
    let build = made[0].0.clone();
    let ids: Vec<String> = made.into_iter().map(|(_, id)| id).collect();

    // What another image is built on stays.
    rig.get(&whole)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(rig.builds.ended.lock().unwrap().len(), 1);
    let known = rig.builds.made.lock().unwrap().len();
    assert_eq!(known, 4, "two steps were done, its label was not");

    let locks = Locks::at(rig.directory.join("locks"));
    let lock = locks.try_acquire(&build).await.expect("a lock");
    let remove = || unfinished::remove_under(&locks, &rig.engine, &build, &ids);
    assert_eq!(remove().await, Ok(false), "somebody builds it");
    assert!(rig.is_local(&ids[2]).await);
    drop(lock);
    while remove()
        .await
        .is_err_and(|error| error.kind == EngineErrorKind::Busy)
    {
        // The engine still has the container of the step.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!rig.is_local(&ids[2]).await);
    assert!(rig.is_local(&ids[1]).await && rig.is_local(&ids[0]).await);
    assert_eq!(remove().await, Ok(true));
}
