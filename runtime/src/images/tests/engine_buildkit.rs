//! Images that only BuildKit can build.

use super::Rig;
use super::engine_built::{built, source};
use crate::images::fixture::IMAGE;
use crate::images::lock::Locks;
use crate::images::unfinished;

/// Writes a Dockerfile.
fn dockerfile(rig: &Rig, text: &str) {
    rig.file("image/Dockerfile", text, false);
}

#[tokio::test]
async fn what_only_buildkit_builds_is_built_once() {
    let rig = Rig::new().await;
    dockerfile(
        &rig,
        &format!(
            "FROM {IMAGE}\nARG WHO\nARG TARGETARCH\n\
             COPY file /\n\
             RUN --mount=type=tmpfs,target=/x --mount=type=cache,target=/y \
             echo built by $WHO for $TARGETARCH && cat file > /y/file && echo warned >&2\n\
             CMD [\"/file\"]\n"
        ),
    );
    rig.content("image/file", "1", true);
    let source = source(&rig, &[("WHO", "tests")]);
    let first = built(&rig, &source)
        .await
        .unwrap_or_else(|it| panic!("{it}"));
    assert_eq!(first.command, ["/file"]);
    let shown = rig.shown();
    for part in [
        "seatrial: building image/Dockerfile ...\n",
        "RUN --mount=type=tmpfs,target=/x",
        &format!(
            "seatrial: image/Dockerfile | built by tests for {}\n",
            first.arch
        ),
        "seatrial: image/Dockerfile | warned\n",
        "seatrial: built image/Dockerfile in ",
    ] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }

    let again = built(&rig, &source)
        .await
        .unwrap_or_else(|it| panic!("{it}"));
    assert_eq!(again, first);
    assert_eq!(rig.shown(), shown, "nothing was sent");
}

#[tokio::test]
async fn an_image_that_buildkit_replaces_is_removed() {
    let rig = Rig::new().await;
    dockerfile(
        &rig,
        &format!("FROM {IMAGE}\nCOPY file /\nRUN --mount=type=tmpfs,target=/x cat /file\n"),
    );
    rig.content("image/file", "1", false);
    let source = source(&rig, &[]);
    let first = built(&rig, &source)
        .await
        .unwrap_or_else(|it| panic!("{it}"));
    rig.content("image/file", "2", false);
    let second = built(&rig, &source)
        .await
        .unwrap_or_else(|it| panic!("{it}"));
    assert_ne!(first.id, second.id);
    // A build has no images of its steps, so there is only the one that was replaced.
    let made = rig.builds.made.lock().unwrap().clone();
    let [(build, replaced)] = &made[..] else {
        panic!("{made:?}");
    };
    assert_eq!(*replaced, first.id);
    let locks = Locks::at(rig.directory.join("locks"));
    let removed =
        unfinished::remove_under(&locks, &rig.engine, build, std::slice::from_ref(replaced)).await;
    assert_eq!(removed, Ok(true));
    assert!(!rig.is_local(&first.id).await);
    assert!(rig.is_local(&second.id).await && rig.is_local(IMAGE).await);
}

#[tokio::test]
async fn a_step_that_buildkit_fails_is_told_with_its_output() {
    let rig = Rig::new().await;
    dockerfile(
        &rig,
        &format!(
            "FROM {IMAGE}\nARG API_TOKEN\n\
             RUN --mount=type=tmpfs,target=/x echo fine\n\
             RUN --mount=type=tmpfs,target=/x echo built with $API_TOKEN; no-such-program\n"
        ),
    );
    let source = source(&rig, &[("API_TOKEN", "albatross-17")]);
    let error = built(&rig, &source)
        .await
        .expect_err("there is no such program");
    assert_eq!(error.failed, "cannot build `image/Dockerfile`");
    let text = error.to_string();
    for part in [
        "RUN --mount=type=tmpfs,target=/x echo built with",
        "exit code: 127",
        "  built with [hidden]\n",
        "no-such-program: not found",
        "`docker build --file image/Dockerfile --build-arg API_TOKEN=.. image` does the same by hand",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(!text.contains("fine"), "{text}");
    assert!(!text.contains("albatross") && !rig.shown().contains("albatross"));
}

#[tokio::test]
async fn a_dockerfile_that_buildkit_cannot_read_is_told_with_a_way_out() {
    let rig = Rig::new().await;
    dockerfile(
        &rig,
        &format!("FROM {IMAGE}\nRUN --mount=type=tmpfs,target=/x true\nRUM true\n"),
    );
    let error = built(&rig, &source(&rig, &[])).await;
    let error = error.expect_err("there is no such instruction").to_string();
    for part in [
        "build: dockerfile parse error",
        "unknown instruction: RUM",
        "write `# syntax=docker/dockerfile:1` as the first line",
    ] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
}

#[tokio::test]
async fn the_frontend_is_obtained_as_other_images_are() {
    let rig = Rig::new().await;
    let with_frontend = |frontend: &str| {
        let text = format!("# syntax={frontend}\nFROM scratch\nCOPY --link Dockerfile /\n");
        dockerfile(&rig, &text);
    };
    with_frontend("127.0.0.1:1/frontend:1");
    let error = built(&rig, &source(&rig, &[])).await;
    let error = error.expect_err("no registry has it").to_string();
    let part = "cannot obtain the image `127.0.0.1:1/frontend:1`";
    assert!(error.contains(part), "{part} is not in {error}");
    assert!(!rig.shown().contains("building"), "{}", rig.shown());

    // One that is there is not pulled. This one reads no Dockerfile.
    with_frontend(IMAGE);
    let error = built(&rig, &source(&rig, &[])).await;
    let error = error.expect_err("it is not a frontend").to_string();
    assert!(error.contains("exit code: 1"), "{error}");
    assert!(rig.shown().contains("building"), "{}", rig.shown());
}

#[tokio::test]
async fn what_a_client_would_have_to_deliver_is_refused() {
    let rig = Rig::new().await;
    dockerfile(
        &rig,
        &format!("FROM {IMAGE}\nRUN --mount=type=secret,id=key cat /run/secrets/key\n"),
    );
    let error = built(&rig, &source(&rig, &[])).await;
    let error = error.expect_err("it is not supported").to_string();
    for part in [
        "build: `RUN --mount=type=secret` in the Dockerfile is not supported yet with Docker",
        "write the Dockerfile without it",
    ] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    assert!(!rig.shown().contains("building"), "{}", rig.shown());
}
