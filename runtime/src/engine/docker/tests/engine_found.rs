//! //! The engine of this machine, found as users' engines are found.

use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::engine::deadlines::Deadlines;
use crate::engine::discovery::{EngineChoice, Surroundings, connect, connect_in};

#[tokio::test]
async fn this_machines_engine_is_found() {
    let engine = connect(&EngineChoice::Any, std::env::vars().collect())
        .await
        .expect("there is one");
    let info = engine.info();
    assert_eq!(info.os, "linux");
    assert!(["amd64", "arm64"].contains(&info.arch.as_str()), "{info:?}");
    assert!(
        info.version
            .starts_with(|first: char| first.is_ascii_digit()),
        "{info:?}"
    );
    assert_eq!(info.published_host, "127.0.0.1");

    let again = connect(&EngineChoice::Named(info.address.clone()), BTreeMap::new())
        .await
        .expect("by its address");
    assert_eq!(again.info(), info);
}

#[tokio::test]
async fn no_other_is_taken_where_one_was_asked_for() {
    let asking = |variables: BTreeMap<String, String>| Surroundings {
        variables,
        root: PathBuf::from("/"),
        deadlines: Deadlines::new(Duration::from_secs(20)),
    };
    // Where it is found otherwise, as the first test shows.
    let nowhere = "unix:///nowhere/docker.sock".to_owned();
    let variables = BTreeMap::from([("DOCKER_HOST".to_owned(), nowhere)]);
    let error = connect_in(&EngineChoice::Any, &asking(variables)).await;
    assert_eq!(error.expect_err("it is not there").tried.len(), 1);

    let variables = BTreeMap::from([
        ("DOCKER_CONTEXT".to_owned(), "nowhere".to_owned()),
        ("HOME".to_owned(), "/nowhere".to_owned()),
    ]);
    let error = connect_in(&EngineChoice::Any, &asking(variables)).await;
    assert_eq!(error.expect_err("there is no such context").tried.len(), 1);
}
