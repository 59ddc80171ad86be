//! Builds by BuildKit that do not come to their end.

use std::sync::Mutex;

use futures_util::stream;

use super::engine_streams::packed;
use super::*;
use crate::engine::{BuildSpec, Parts, Progress, all_of};

/// A build of a Dockerfile. `said` gets each line of output.
async fn build(
    rig: &Rig,
    tag: &str,
    context: Parts<Vec<u8>>,
    said: &(dyn Fn(String) + Send + Sync),
) -> Result<(), EngineError> {
    let spec = BuildSpec {
        dockerfile: "Dockerfile",
        target: None,
        needs_buildkit: true,
        platform: None,
        args: &BTreeMap::new(),
        tag,
        labels: &labels(),
    };
    let progress = |report| {
        if let Progress::Line(line) = report {
            said(line);
        }
    };
    rig.engine.build(spec, context, &progress).await
}

/// A context with a Dockerfile of one step, which has the mount of `name` for itself while it runs.
fn locking(name: &str, command: &str) -> Parts<Vec<u8>> {
    let mount = format!("type=cache,id={name},target=/x,sharing=locked");
    let text = format!("FROM {IMAGE}\nRUN --mount={mount} {command}\n");
    all_of(packed("Dockerfile", text.as_bytes()))
}

#[tokio::test]
async fn a_build_ends_with_its_connection() {
    let rig = Rig::new().await;
    let tag = rig.image();
    let name = unique();
    let (begun, begins) = tokio::sync::oneshot::channel();
    let begun = Mutex::new(Some(begun));
    let said = |line: String| {
        if line == "begun"
            && let Some(begun) = begun.lock().unwrap().take()
        {
            begun.send(()).expect("it is awaited");
        }
    };
    tokio::select! {
        built = build(&rig, &tag, locking(&name, "echo begun && sleep 1000"), &said) => {
            panic!("it has ended: {built:?}")
        }
        begins = begins => begins.expect("it has begun"),
    }
    // The step gets the mount once the other step has ended.
    build(&rig, &tag, locking(&name, "echo done"), &|_| ())
        .await
        .unwrap();
    assert!(rig.engine.image(&tag).await.unwrap().is_some());
}

#[tokio::test]
async fn a_context_that_breaks_makes_no_image() {
    let rig = Rig::new().await;
    let broken = EngineError {
        kind: EngineErrorKind::Failed,
        attempt: "read the context".to_owned(),
        message: "it is gone".to_owned(),
    };
    let text = format!("FROM {IMAGE}\nRUN --mount=type=tmpfs,target=/x true\n");
    // Also if the archive itself was complete by then.
    for padding in [0, 1_000_000] {
        let tag = rig.image();
        let context = packed(
            "Dockerfile",
            &[text.as_bytes(), &vec![b'\n'; padding]].concat(),
        );
        let pieces = vec![Ok(context), Err(broken.clone())];
        let built = build(&rig, &tag, Box::pin(stream::iter(pieces)), &|_| ()).await;
        assert_eq!(built, Err(broken.clone()));
        assert_eq!(rig.engine.image(&tag).await, Ok(None));
    }
}

#[tokio::test]
async fn what_the_builder_refuses_is_reported_in_its_words() {
    let rig = Rig::new().await;
    for (text, kind, said) in [
        (
            format!("FROM {IMAGE}\nRUN --mount=type=ssh true\n"),
            EngineErrorKind::Build,
            "no active sessions",
        ),
        (
            format!("FROM {IMAGE}\nRUN --mount=type=sail true\n"),
            EngineErrorKind::Dockerfile,
            "sail",
        ),
    ] {
        let tag = rig.image();
        let context = all_of(packed("Dockerfile", text.as_bytes()));
        let error = build(&rig, &tag, context, &|_| ()).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert_eq!(error.attempt, format!("build `{tag}`"));
        assert!(error.message.contains(said), "{error}");
        assert!(!error.message.contains("failed to solve"), "{error}");
    }
}
