//! One fetch per image, however many ask, in one process and in several.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use futures_util::future::join_all;
use seatrial_model::{ImageRef, Pull};

use super::Rig;
use super::registry::Registry;
use crate::images::lock::Locks;
use crate::images::progress::Reporter;

#[tokio::test]
async fn eight_that_ask_at_once_fetch_once() {
    let (registry, rig) = (Registry::open(), Rig::new().await);
    registry.add("app", "1", "amd64", 300_000);
    let image = rig.image(&format!("{}/app:1", registry.host()));
    let images = rig.images();
    let all = join_all((0..8).map(|_| images.get(&rig.engine, &image, Pull::Missing, None))).await;
    let first = all[0].clone().unwrap_or_else(|error| panic!("{error}"));
    assert!(all.iter().all(|info| *info == Ok(first.clone())));
    assert_eq!(registry.fetches("app", "1"), 1);
}

#[tokio::test]
async fn eight_that_ask_for_what_is_not_there_get_one_answer() {
    let (registry, rig) = (Registry::open(), Rig::new().await);
    let image = rig.image(&format!("{}/app:1", registry.host()));
    let images = rig.images();
    let all = join_all((0..8).map(|_| images.get(&rig.engine, &image, Pull::Missing, None))).await;
    let first = all[0].clone().expect_err("it is not there");
    assert!(all.iter().all(|error| *error == Err(first.clone())));
    assert_eq!(registry.fetches("app", "1"), 1);
    // Nor does asking later fetch again.
    let later = images.get(&rig.engine, &image, Pull::Missing, None).await;
    assert_eq!(later, Err(first));
    assert_eq!(registry.fetches("app", "1"), 1);
}

#[tokio::test]
async fn a_fetch_that_is_given_up_is_taken_over() {
    let (registry, rig) = (Registry::open(), Rig::new().await);
    registry.add("app", "1", "amd64", 1000);
    registry.proxy.hold(true);
    let image = rig.image(&format!("{}/app:1", registry.host()));
    let images = rig.images();
    let mut first = images.get(&rig.engine, &image, Pull::Missing, None);
    // It is on its way once a line says so.
    tokio::select! {
        _ = &mut first => panic!("the registry does not answer"),
        () = rig.shows("pulling") => {}
    }
    drop(first);
    registry.proxy.hold(false);
    let second = images.get(&rig.engine, &image, Pull::Missing, None).await;
    second.unwrap_or_else(|error| panic!("{error}"));
}

/// The variables that make this executable one of the processes that ask.
const IMAGE: &str = "SEATRIAL_TEST_ASK_FOR";
const LOCKS: &str = "SEATRIAL_TEST_LOCKS";

#[tokio::test]
async fn four_processes_that_ask_at_once_fetch_once() {
    if let Ok(image) = std::env::var(IMAGE) {
        return ask_for(&image).await;
    }
    let (registry, rig) = (Registry::open(), Rig::new().await);
    registry.add("app", "1", "amd64", 300_000);
    let image = rig.image(&format!("{}/app:1", registry.host()));
    for (got, said) in four_processes(&registry, &rig, &image) {
        assert!(got, "{said}");
    }
    assert_eq!(registry.fetches("app", "1"), 1);
}

#[tokio::test]
async fn four_processes_that_ask_for_what_is_not_there_get_one_answer() {
    let (registry, rig) = (Registry::open(), Rig::new().await);
    let image = rig.image(&format!("{}/app:1", registry.host()));
    for (got, said) in four_processes(&registry, &rig, &image) {
        assert!(!got && said.contains("manifest unknown"), "{said}");
    }
    assert_eq!(registry.fetches("app", "1"), 1);
}

/// Whether each of four processes got the image, and what it said.
fn four_processes(registry: &Registry, rig: &Rig, image: &ImageRef) -> Vec<(bool, String)> {
    let (_, module) = module_path!()
        .split_once("::")
        .expect("a crate and a module");
    let test = format!("{module}::four_processes_that_ask_at_once_fetch_once");
    // Nobody gets an answer before one pulls and the others wait for it.
    registry.proxy.hold(true);
    let mut processes: Vec<_> = (0..4)
        .map(|_| {
            let process = Command::new(std::env::current_exe().expect("an executable"))
                .args(["--exact", &test, "--nocapture"])
                .env(IMAGE, image.to_string())
                .env(LOCKS, rig.directory.join("locks"))
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn();
            process.expect("the test can be started again")
        })
        .collect();
    let begun: Vec<_> = processes
        .iter_mut()
        .map(|process| {
            let mut output = BufReader::new(process.stderr.take().expect("a pipe"));
            let mut said = String::new();
            while !said.contains("seatrial: ") {
                let read = output.read_line(&mut said).expect("the output is text");
                assert_ne!(read, 0, "a process ended before it asked:\n{said}");
            }
            (output, said)
        })
        .collect();
    let waiting = begun
        .iter()
        .filter(|(_, said)| said.contains("waiting for another process"));
    assert_eq!(waiting.count(), 3);
    registry.proxy.hold(false);
    let ended = processes.into_iter().zip(begun);
    ended
        .map(|(mut process, (mut output, mut said))| {
            output
                .read_to_string(&mut said)
                .expect("the output is text");
            let status = process.wait().expect("it ends");
            (status.success(), said)
        })
        .collect()
}

/// One of the processes.
async fn ask_for(image: &str) {
    let rig = Rig::new().await;
    let mut images = rig.images();
    images.locks = Locks::at(std::env::var_os(LOCKS).expect("where the locks are").into());
    images.reporter = Reporter::standard();
    // They are one workspace's; and whoever started this process removes the image.
    let config = std::sync::Arc::make_mut(&mut images.config);
    config.workspace = "/".into();
    let image = image.parse().expect("a reference");
    let info = images.get(&rig.engine, &image, Pull::Missing, None).await;
    info.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn other_images_do_not_wait() {
    let (held, free, rig) = (Registry::open(), Registry::open(), Rig::new().await);
    held.add("app", "1", "amd64", 1000);
    free.add("app", "1", "amd64", 1000);
    held.proxy.hold(true);
    let slow = rig.image(&format!("{}/app:1", held.host()));
    let fast = rig.image(&format!("{}/app:1", free.host()));
    let images = rig.images();
    let mut slow = images.get(&rig.engine, &slow, Pull::Missing, None);
    tokio::select! {
        _ = &mut slow => panic!("the registry does not answer"),
        info = images.get(&rig.engine, &fast, Pull::Missing, None) => {
            info.unwrap_or_else(|error| panic!("{error}"));
        }
    }
    held.proxy.hold(false);
    slow.await.unwrap_or_else(|error| panic!("{error}"));
}
