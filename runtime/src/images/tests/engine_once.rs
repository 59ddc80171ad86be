//! One fetch per image, however many ask, in one process and in several.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use futures_util::future::join_all;
use seatrial_model::Pull;

use super::Rig;
use super::registry::Registry;
use crate::images::lock::Locks;

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
    while !rig.shown().contains("pulling") {
        tokio::select! {
            _ = &mut first => panic!("the registry does not answer"),
            () = tokio::task::yield_now() => {}
        }
    }
    drop(first);
    registry.proxy.hold(false);
    let second = images.get(&rig.engine, &image, Pull::Missing, None).await;
    second.unwrap_or_else(|error| panic!("{error}"));
}

/// The variables that make this test's own executable one of the processes that ask.
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
    // Nobody gets an answer before all have asked.
    registry.proxy.hold(true);
    let me = std::env::current_exe().expect("a test has an executable");
    let name = std::thread::current()
        .name()
        .expect("a test has a name")
        .to_owned();
    let mut processes: Vec<_> = (0..4)
        .map(|_| {
            let process = Command::new(&me)
                .args(["--exact", &name, "--nocapture"])
                .env(IMAGE, image.to_string())
                .env(LOCKS, rig.directory.join("locks"))
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn();
            process.expect("the test can be started again")
        })
        .collect();
    let mut outputs = Vec::new();
    for process in &mut processes {
        let mut output = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut line = String::new();
        while !line.contains("asking") {
            line.clear();
            let read = output.read_line(&mut line).expect("the output is text");
            assert_ne!(read, 0, "a process ended before it asked");
        }
        outputs.push(output);
    }
    registry.proxy.hold(false);
    for (process, mut output) in processes.into_iter().zip(outputs) {
        let mut rest = String::new();
        output
            .read_to_string(&mut rest)
            .expect("the output is text");
        let ended = process.wait_with_output().expect("it ends");
        let errors = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{rest}\n{errors}");
    }
    assert_eq!(registry.fetches("app", "1"), 1);
}

/// One of the processes.
async fn ask_for(image: &str) {
    use std::io::Write;
    let rig = Rig::new().await;
    let mut images = rig.images();
    images.locks = Locks::at(std::env::var_os(LOCKS).expect("where the locks are").into());
    let mut output = std::io::stdout();
    output.write_all(b"asking\n").expect("somebody reads");
    output.flush().expect("somebody reads");
    // Whoever started this process removes the image.
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
