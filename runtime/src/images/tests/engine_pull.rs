//! Pulling, with everything that can go wrong on the way.

use std::time::Duration;

use seatrial_model::Pull;

use super::registry::{PASSWORD, Registry, USER};
use super::{Rig, unique};

/// A name of a registry that is never asked.
const NOWHERE: &str = "nowhere.example:5000";

/// A port that is taken, so that nobody else comes to listen there, and refuses connections, for nobody listens.
fn closed_port() -> (tokio::net::TcpSocket, String) {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let address = socket.local_addr().expect("an address").to_string();
    (socket, address)
}

fn config_with(host: &str, user: &str, password: &str) -> String {
    format!(
        r#"{{ "auths": {{ "{host}": {{ "username": "{user}", "password": "{password}" }} }} }}"#
    )
}

#[tokio::test]
async fn right_credentials_deliver_the_image() {
    let (registry, rig) = (Registry::guarded(), Rig::new().await);
    let host = registry.host();
    registry.add("app", "1", "amd64", 300_000);
    rig.docker_config(&config_with(&host, USER, PASSWORD));
    let image = format!("{host}/app:1");
    let info = rig
        .get(&image)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(info.id.starts_with("sha256:"), "{info:?}");
    assert_eq!(info.command, ["/file"]);
    let shown = rig.shown();
    assert!(
        shown.starts_with(&format!("seatrial: pulling {image} ...\n")),
        "{shown}"
    );
    assert!(
        shown.contains(&format!("\nseatrial: pulled {image} in ")),
        "{shown}"
    );
    assert!(shown.ends_with("kB)\n"), "{shown}");
}

#[tokio::test]
async fn an_image_that_is_local_is_not_asked_for_again() {
    let (registry, rig) = (Registry::open(), Rig::new().await);
    registry.add("app", "1", "amd64", 1000);
    let image = format!("{}/app:1", registry.host());
    let pulled = rig
        .get(&image)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let requests = registry.proxy.requests();
    let shown = rig.shown();
    let local = rig
        .get(&image)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(local, pulled);
    assert_eq!(registry.proxy.requests(), requests);
    assert_eq!(
        rig.shown(),
        shown,
        "nothing is said about an image that is there"
    );
}

#[tokio::test]
async fn a_wrong_password_is_told_with_the_login_to_run() {
    let (registry, rig) = (Registry::guarded(), Rig::new().await);
    let host = registry.host();
    registry.add("app", "1", "amd64", 1000);
    rig.docker_config(&config_with(&host, USER, "wrong-password"));
    let error = rig
        .get(&format!("{host}/app:1"))
        .await
        .expect_err("the password is wrong");
    assert_eq!(error.tried.len(), 2, "{error}");
    assert!(
        error.advice.contains(&format!("run `docker login {host}`")),
        "{error}"
    );
    assert!(!error.to_string().contains("wrong-password"), "{error}");
}

#[tokio::test]
async fn no_credentials_where_some_are_needed() {
    let (registry, rig) = (Registry::guarded(), Rig::new().await);
    let host = registry.host();
    registry.add("app", "1", "amd64", 1000);
    let error = rig
        .get(&format!("{host}/app:1"))
        .await
        .expect_err("there are no credentials");
    assert!(
        error.advice.contains(&format!("run `docker login {host}`")),
        "{error}"
    );
}

#[tokio::test]
async fn a_helper_that_cannot_be_run_is_named() {
    let (registry, rig) = (Registry::guarded(), Rig::new().await);
    let host = registry.host();
    rig.docker_config(r#"{ "credsStore": "seatrial-is-not-there" }"#);
    let error = rig
        .get(&format!("{host}/app:1"))
        .await
        .expect_err("there are no credentials");
    let text = error.to_string();
    assert!(
        text.contains("cannot run the credential helper `docker-credential-seatrial-is-not-there`"),
        "{text}"
    );
    assert!(
        text.contains(&format!("run `docker logout {host}`")),
        "{text}"
    );
}

#[tokio::test]
async fn a_helper_that_cannot_be_run_is_not_in_the_way_of_a_public_image() {
    let (registry, rig) = (Registry::open(), Rig::new().await);
    registry.add("app", "1", "amd64", 1000);
    rig.docker_config(r#"{ "credsStore": "seatrial-is-not-there" }"#);
    rig.get(&format!("{}/app:1", registry.host()))
        .await
        .unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn a_missing_tag_is_told_with_what_to_check() {
    let (registry, rig) = (Registry::open(), Rig::new().await);
    let host = registry.host();
    registry.add("app", "1", "amd64", 1000);
    let error = rig
        .get(&format!("{host}/app:2"))
        .await
        .expect_err("there is no such tag");
    let engine = rig.engine.info();
    let expected = format!(
        "cannot obtain the image `{host}/app:2`:\n  \
         {} at {}: there is no such image\n  \
         registry, `{host}/app:2`: manifest for {host}/app:2 not found: manifest unknown: manifest unknown\n\
         check that {host} has the name `app` and the tag `2`\n\
         or write in seatrial.toml how to make the image if no registry delivers it:\n    \
         [images.\"{host}/app:2\"]\n    \
         build = \"tests/images/app\"   # a directory with a Dockerfile",
        engine.name, engine.address
    );
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_registry_that_cannot_be_reached_is_told() {
    let rig = Rig::new().await;
    let (_taken, nowhere) = closed_port();
    let error = rig
        .get(&format!("{nowhere}/app:1"))
        .await
        .expect_err("nothing listens there");
    let text = error.to_string();
    assert!(text.contains("connection refused"), "{text}");
    assert!(
        text.contains(&format!(
            "check that this machine's engine reaches {nowhere}"
        )),
        "{text}"
    );
    assert!(
        text.contains(&format!("[images.\"{nowhere}/app:1\"]")),
        "{text}"
    );
}

#[tokio::test]
async fn a_connection_that_breaks_once_is_no_matter() {
    let (registry, rig) = (Registry::open(), Rig::new().await);
    registry.add("app", "1", "amd64", 2_000_000);
    registry.proxy.break_connections(1, 500_000);
    rig.get(&format!("{}/app:1", registry.host()))
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(registry.proxy.breaks_left(), 0, "a connection was broken");
}

#[tokio::test]
async fn a_connection_that_breaks_every_time_is_told() {
    let (registry, rig) = (Registry::open(), Rig::new().await);
    let image = format!("{}/app:1", registry.host());
    registry.add("app", "1", "amd64", 2_000_000);
    registry.proxy.break_connections(usize::MAX, 50_000);
    let error = rig.get(&image).await.expect_err("the connection breaks");
    let text = error.to_string();
    assert!(
        text.contains("check that this machine's engine reaches"),
        "{text}"
    );
    assert!(!rig.is_local(&image).await);
    let shown = rig.shown();
    assert!(
        shown.contains("the connection broke; retrying in"),
        "{shown}"
    );
    assert!(
        shown.contains(&format!("pulling {image} failed after")),
        "{shown}"
    );
}

#[tokio::test]
async fn a_registry_that_says_nothing_is_given_up() {
    let (registry, mut rig) = (Registry::open(), Rig::new().await);
    registry.add("app", "1", "amd64", 1000);
    registry.proxy.hold(true);
    rig.config.timeouts.pull = Duration::from_millis(300);
    let error = rig
        .get(&format!("{}/app:1", registry.host()))
        .await
        .expect_err("no answer comes");
    assert!(
        error.to_string().contains("no progress for 300ms"),
        "{error}"
    );
}

#[tokio::test]
async fn a_mirror_delivers_and_the_image_gets_its_own_name() {
    let (registry, mut rig) = (Registry::open(), Rig::new().await);
    let image = format!("{NOWHERE}/{}:1", unique());
    let name = image.trim_start_matches(NOWHERE).trim_end_matches(":1");
    registry.add(&format!("hub{name}"), "1", "amd64", 1000);
    let mirror = format!("{}/hub", registry.host());
    rig.config
        .images
        .mirrors
        .insert(NOWHERE.to_owned(), vec![mirror.clone()]);
    rig.image(&format!("{mirror}{name}:1"));
    let info = rig
        .get(&image)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let local = rig.engine.image(&image).await.expect("the engine answers");
    assert_eq!(local.map(|local| local.id), Some(info.id));
}

#[tokio::test]
async fn a_mirror_that_does_not_deliver_is_passed_over() {
    let (registry, mut rig) = (Registry::open(), Rig::new().await);
    let host = registry.host();
    registry.add("app", "1", "amd64", 1000);
    rig.config
        .images
        .mirrors
        .insert(host.clone(), vec![NOWHERE.to_owned()]);
    rig.get(&format!("{host}/app:1"))
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let error = rig
        .get(&format!("{host}/app:2"))
        .await
        .expect_err("there is no such tag");
    let asked: Vec<&str> = error.tried.iter().map(|(who, _)| who.as_str()).collect();
    let places = [
        format!("registry, `{NOWHERE}/app:2`"),
        format!("registry, `{host}/app:2`"),
    ];
    assert_eq!(asked[1..], places);
}

#[tokio::test]
async fn a_substitute_is_used_in_the_images_place() {
    let (registry, mut rig) = (Registry::open(), Rig::new().await);
    registry.add("mine", "1", "amd64", 1000);
    let substitute = rig.image(&format!("{}/mine:1", registry.host()));
    let original = rig.image(&format!("{NOWHERE}/theirs:1"));
    rig.config
        .images
        .substitutions
        .insert(original.clone(), substitute.clone());
    let info = rig
        .get(&original.to_string())
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let local = rig.engine.image(&substitute.to_string()).await;
    assert_eq!(local.expect("the engine answers"), Some(info));
    assert!(!rig.is_local(&original.to_string()).await);
}

#[tokio::test]
async fn a_pinned_image_comes_from_a_mirror_and_is_found_again() {
    let (registry, mut rig) = (Registry::open(), Rig::new().await);
    let name = unique();
    let digest = registry.add(&name, "1", "amd64", 1000);
    let image = format!("{NOWHERE}/{name}:1@{digest}");
    rig.config
        .images
        .mirrors
        .insert(NOWHERE.to_owned(), vec![registry.host()]);
    rig.image(&format!("{}/{name}@{digest}", registry.host()));
    let first = rig.get(&image).await.unwrap_or_else(|it| panic!("{it}"));
    let requests = registry.proxy.requests();
    let again = rig.get_with(&image, Pull::Never, None).await;
    assert_eq!(again.unwrap_or_else(|it| panic!("{it}")), first);
    assert_eq!(registry.proxy.requests(), requests);
}

#[tokio::test]
async fn a_substitute_for_name_and_tag_is_used_for_a_pinned_image() {
    let (registry, mut rig) = (Registry::open(), Rig::new().await);
    registry.add("mine", "1", "amd64", 1000);
    let substitute = rig.image(&format!("{}/mine:1", registry.host()));
    let original = rig.image(&format!("{NOWHERE}/theirs:1"));
    let pinned = format!("{original}@sha256:{}", "0".repeat(64));
    rig.config
        .images
        .substitutions
        .insert(original, substitute.clone());
    let info = rig.get(&pinned).await.unwrap_or_else(|it| panic!("{it}"));
    let local = rig.engine.image(&substitute.to_string()).await;
    assert_eq!(local.expect("the engine answers"), Some(info));
}

#[tokio::test]
async fn another_architecture_is_used_only_where_it_is_asked_for() {
    let (registry, rig) = (Registry::open(), Rig::new().await);
    let other = match rig.engine.info().arch.as_str() {
        "arm64" => "amd64",
        _ => "arm64",
    };
    registry.add("app", "1", other, 1000);
    let image = format!("{}/app:1", registry.host());
    let platform = format!("linux/{other}");
    // The engine has it from here on.
    let error = rig.get(&image).await.expect_err("it cannot run");
    assert!(
        error
            .to_string()
            .contains(&format!("write `platform = \"{platform}\"`")),
        "{error}"
    );
    let error = rig.get(&image).await.expect_err("it cannot run");
    assert!(
        error.tried[0]
            .1
            .to_string()
            .starts_with("the image is for linux/"),
        "{error}"
    );
    let info = rig
        .get_with(&image, Pull::Missing, Some(&platform))
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(info.arch, other);
}

#[tokio::test]
async fn never_means_never() {
    let (registry, rig) = (Registry::open(), Rig::new().await);
    registry.add("app", "1", "amd64", 1000);
    let image = format!("{}/app:1", registry.host());
    let error = rig
        .get_with(&image, Pull::Never, None)
        .await
        .expect_err("it is not there");
    assert!(
        error.advice.contains(&format!("run `docker pull {image}`")),
        "{error}"
    );
    assert_eq!(registry.proxy.requests(), Vec::<String>::new());
    rig.get(&image)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    rig.get_with(&image, Pull::Never, None)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn always_asks_the_registry_once_per_process() {
    let (registry, rig) = (Registry::open(), Rig::new().await);
    registry.add("app", "1", "amd64", 1000);
    let image = rig.image(&format!("{}/app:1", registry.host()));
    for process in 1..=2 {
        let images = rig.images();
        for _ in 0..3 {
            images
                .get(&rig.engine, &image, Pull::Always, None)
                .await
                .unwrap_or_else(|error| panic!("{error}"));
        }
        assert_eq!(registry.fetches("app", "1"), process);
    }
}
