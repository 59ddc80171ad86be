//! Images: found, built, imported, named, and not pulled.

use futures_util::{TryStreamExt, stream};

use super::engine_streams::packed;
use super::*;
use crate::engine::{BuildSpec, Credentials, Progress, PullSpec, all_of};

#[tokio::test]
async fn an_image_is_found_by_name_and_id_or_not_at_all() {
    let rig = Rig::new().await;
    let image = rig.engine.image(IMAGE).await.unwrap().unwrap();
    assert_eq!(image.os, rig.engine.info().os);
    assert_eq!(image.arch, rig.engine.info().arch);
    assert_eq!(
        rig.engine.image(&image.id).await.unwrap().as_ref(),
        Some(&image)
    );
    assert_eq!(
        rig.engine.image("seatrial-engine-test-none:1").await,
        Ok(None)
    );
}

#[tokio::test]
async fn a_build_makes_an_image_and_gives_its_output() {
    let rig = Rig::new().await;
    let tag = rig.image();
    let dockerfile = format!(
        "FROM {IMAGE}\nLABEL {BUILT}={tag}\nARG WHO\nLABEL who=$WHO\nHEALTHCHECK CMD [\"true\"]\nENTRYPOINT [\"sh\", \"-c\"]\nCMD [\"exit 4\"]\nRUN echo built by $WHO\n"
    );
    let lines = build(&rig, &tag, "docker/File", &dockerfile).await.unwrap();
    assert!(
        lines.iter().any(|line| line == "built by tests"),
        "{lines:?}"
    );

    let image = rig.engine.image(&tag).await.unwrap().unwrap();
    assert_eq!(image.command, words(&["sh", "-c", "exit 4"]));
    assert_eq!(image.healthcheck, words(&["CMD", "true"]));
    assert_eq!(image.labels.get("who").map(String::as_str), Some("tests"));
    assert_eq!(
        image.labels.get("dev.seatrial.test").map(String::as_str),
        Some("engine")
    );

    let mut spec = rig.spec(&[""]);
    spec.image = tag.clone();
    spec.command = None;
    let id = rig.engine.create(&spec).await.unwrap();
    rig.engine.start(&id).await.unwrap();
    assert_eq!(rig.engine.wait(&id).await, Ok(4), "the image's own command");

    let other = rig.image();
    rig.engine.tag(&tag, &other).await.unwrap();
    assert_eq!(
        rig.engine.image(&other).await.unwrap().unwrap().id,
        image.id
    );
    let error = rig
        .engine
        .tag("seatrial-engine-test-none:1", &other)
        .await
        .unwrap_err();
    assert_eq!(error.kind, EngineErrorKind::NotFound, "{error}");
}

#[tokio::test]
async fn a_failing_step_is_reported_with_its_output() {
    let rig = Rig::new().await;
    let tag = rig.image();
    let dockerfile = format!(
        "FROM {IMAGE}\nLABEL {BUILT}={tag}\nRUN echo fine\nRUN (seq 30 && echo 'no wind') >&2 && exit 3\n"
    );
    let error = build(&rig, &tag, "Dockerfile", &dockerfile)
        .await
        .unwrap_err();
    assert_eq!(error.kind, EngineErrorKind::Build);
    let lines: Vec<_> = error.message.lines().collect();
    assert!(lines[0].starts_with("Step 4/"), "{error}");
    assert!(lines[0].contains("returned a non-zero code: 3"), "{error}");
    assert!(
        lines.contains(&"  no wind") && lines.contains(&"  30"),
        "{error}"
    );
    assert!(
        !lines.contains(&"  fine") && !lines.contains(&"  1"),
        "{error}"
    );
    assert_eq!(rig.engine.image(&tag).await, Ok(None));
}

#[tokio::test]
async fn an_invalid_dockerfile_is_reported() {
    let rig = Rig::new().await;
    let tag = rig.image();
    let error = build(&rig, &tag, "Dockerfile", "FORM debian\n")
        .await
        .unwrap_err();
    assert_eq!(error.kind, EngineErrorKind::Dockerfile, "{error}");
    assert!(error.message.contains("FORM"), "{error}");

    let spec = BuildSpec {
        dockerfile: "Elsewhere",
        target: None,
        needs_buildkit: false,
        platform: None,
        args: &BTreeMap::new(),
        tag: &tag,
        labels: &labels(),
    };
    let context = all_of(packed("Dockerfile", b""));
    let error = rig.engine.build(spec, context, &|_| ()).await.unwrap_err();
    assert_eq!(error.kind, EngineErrorKind::Build, "{error}");
    assert!(error.message.contains("Elsewhere"), "{error}");
}

#[tokio::test]
async fn a_root_file_system_becomes_an_image() {
    let rig = Rig::new().await;
    let tag = rig.image();
    // Larger than what is held back, and in pieces.
    let content = vec![b'x'; 1_000_000];
    let pieces: Vec<_> = packed("hold/cargo", &content)
        .chunks(999)
        .map(|piece| Ok(piece.to_vec()))
        .collect();
    let labels = BTreeMap::from([("seal".to_owned(), r#"a "b" \ $HOME"#.to_owned())]);
    rig.engine
        .import(Box::pin(stream::iter(pieces)), &tag, &labels)
        .await
        .unwrap();

    let image = rig.engine.image(&tag).await.unwrap().unwrap();
    assert_eq!(image.labels, labels);
    let mut spec = rig.spec(&["unused"]);
    spec.image = tag;
    let id = rig.engine.create(&spec).await.unwrap();
    let tar = rig.engine.download(&id, "/hold/cargo");
    let tar: Vec<u8> = tar.try_concat().await.unwrap();
    let mut archive = tar::Archive::new(tar.as_slice());
    let entry = archive.entries().unwrap().next().unwrap().unwrap();
    assert_eq!(entry.size(), content.len() as u64);
}

#[tokio::test]
async fn a_root_file_system_that_breaks_makes_no_image() {
    let rig = Rig::new().await;
    let broken = EngineError {
        kind: EngineErrorKind::Build,
        attempt: "run the script".to_owned(),
        message: "it exited with 1".to_owned(),
    };
    // Also if the archive itself was complete by then.
    for content in [10, 1_000_000] {
        let tag = rig.image();
        let pieces = vec![Ok(packed("a", &vec![0; content])), Err(broken.clone())];
        let error = rig
            .engine
            .import(Box::pin(stream::iter(pieces)), &tag, &labels())
            .await;
        assert_eq!(error, Err(broken.clone()));
        assert_eq!(rig.engine.image(&tag).await, Ok(None));
    }

    let tag = rig.image();
    let pieces = vec![Ok(b"this is no archive".repeat(10_000))];
    let error = rig
        .engine
        .import(Box::pin(stream::iter(pieces)), &tag, &labels())
        .await;
    assert!(error.is_err());
    assert_eq!(rig.engine.image(&tag).await, Ok(None));
}

#[tokio::test]
async fn a_missing_registry_is_reported() {
    let rig = Rig::new().await;
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let image = format!("127.0.0.1:{port}/fleet/ship:1").parse().unwrap();
    let pull = PullSpec {
        image: &image,
        platform: None,
        credentials: None,
    };
    let error = rig.engine.pull(pull, &|_| ()).await.unwrap_err();
    assert_eq!(error.kind, EngineErrorKind::Network, "{error}");
    assert_eq!(error.attempt, format!("pull `{image}`"));
}

#[tokio::test]
async fn credentials_reach_the_registry_whole() {
    let rig = Rig::new().await;
    // In base64, every third `?` or `>` becomes one of the characters that differ between its alphabets.
    let password = "a?b>c~d???>>>~~~é";
    let registry = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let image = format!("{}/fleet/ship:1", registry.local_addr().unwrap())
        .parse()
        .unwrap();
    let credentials = Credentials::Password {
        user: "me".to_owned(),
        password: password.to_owned(),
    };
    let pull = PullSpec {
        image: &image,
        platform: None,
        credentials: Some(&credentials),
    };
    let log = tokio::sync::Mutex::new(Vec::new());
    let served = serve_refusals(registry, &log);
    let error = tokio::select! {
        pulled = rig.engine.pull(pull, &|_| ()) => pulled.unwrap_err(),
        () = served => unreachable!("the registry serves for ever"),
    };
    assert_eq!(error.kind, EngineErrorKind::Unauthorized, "{error}");
    assert!(!error.to_string().contains(password), "{error}");
    let basic = basic_authorization("me", password);
    let seen = log.lock().await;
    assert!(
        seen.iter().any(|request| request.contains(&basic)),
        "{seen:?}"
    );
}

/// A registry that asks for a user name and a password, and accepts none.
async fn serve_refusals(registry: tokio::net::TcpListener, log: &tokio::sync::Mutex<Vec<String>>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    loop {
        let (mut stream, _) = registry.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => request.push(byte),
                Err(_) => break,
            }
        }
        log.lock()
            .await
            .push(String::from_utf8_lossy(&request).into_owned());
        let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
        let answer = format!(
            "HTTP/1.1 401 Unauthorized\r\nDocker-Distribution-Api-Version: registry/2.0\r\nWww-Authenticate: Basic realm=\"test\"\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

/// `Basic` and the credentials in base64, as HTTP has them.
fn basic_authorization(user: &str, password: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = format!("{user}:{password}");
    let mut encoded = String::from("Basic ");
    for three in text.as_bytes().chunks(3) {
        let mut bits = 0u32;
        for at in 0..3 {
            bits = bits << 8 | u32::from(three.get(at).copied().unwrap_or_default());
        }
        for at in 0..4 {
            let index = (bits >> (18 - 6 * at)) & 63;
            encoded.push(if at > three.len() {
                '='
            } else {
                char::from(ALPHABET[index as usize])
            });
        }
    }
    encoded
}

async fn build(
    rig: &Rig,
    tag: &str,
    dockerfile: &str,
    text: &str,
) -> Result<Vec<String>, EngineError> {
    let lines = Mutex::new(Vec::new());
    let spec = BuildSpec {
        dockerfile,
        target: None,
        needs_buildkit: false,
        platform: None,
        args: &BTreeMap::from([("WHO".to_owned(), "tests".to_owned())]),
        tag,
        labels: &labels(),
    };
    let progress = |report| {
        if let Progress::Line(line) = report {
            lines.lock().unwrap().push(line);
        }
    };
    let context = all_of(packed(dockerfile, text.as_bytes()));
    rig.engine.build(spec, context, &progress).await?;
    Ok(lines.into_inner().unwrap())
}
