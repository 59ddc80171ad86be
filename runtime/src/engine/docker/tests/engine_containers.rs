//! Containers through their states.

use std::time::Duration;

use super::*;
use crate::engine::{MountSpec, PublishedPort};

#[tokio::test]
async fn lives_and_ends() {
    let rig = Rig::new().await;
    let id = rig.created(&["sleep", "1000"]).await;
    let info = rig.inspect(&id).await;
    assert_eq!((info.running, info.exit_code), (false, None));
    rig.engine
        .stop(&id, None)
        .await
        .expect("stopping what never started is no error");
    rig.engine.remove(&id).await.unwrap();

    let spec = rig.spec(&trapping("TERM", 7));
    let id = rig.started_and_said(&spec, "set").await;
    let info = rig.inspect(&id).await;
    // Whatever the engine's own choice is.
    assert!(["json-file", "k8s-file"].contains(&info.log_driver.as_str()));
    assert_eq!(
        (info.running, info.paused, info.exit_code),
        (true, false, None)
    );
    rig.engine
        .start(&id)
        .await
        .expect("starting what runs is no error");

    rig.engine.stop(&id, None).await.unwrap();
    let info = rig.inspect(&id).await;
    assert!(!info.running);
    assert_eq!(info.exit_code, Some(7));
    rig.engine
        .stop(&id, None)
        .await
        .expect("stopping what is stopped is no error");

    rig.engine.start(&id).await.expect("it starts again");
    assert_eq!(rig.inspect(&id).await.exit_code, None);
    rig.engine.kill(&id, None).await.unwrap();
    assert_eq!(rig.engine.wait(&id).await, Ok(137));
    let error = rig
        .engine
        .kill(&id, None)
        .await
        .expect_err("it does not run any more");
    assert_eq!(error.kind, EngineErrorKind::Conflict, "{error}");

    rig.engine.remove(&id).await.unwrap();
    rig.engine
        .remove(&id)
        .await
        .expect("removing what is gone is no error");
    let error = rig.engine.inspect(&id).await.expect_err("it is gone");
    assert_eq!(error.kind, EngineErrorKind::NotFound, "{error}");
    for gone in [
        rig.engine.start(&id).await,
        rig.engine.stop(&id, None).await,
    ] {
        let error = gone.expect_err("it is gone");
        assert_eq!(error.kind, EngineErrorKind::NotFound, "{error}");
    }
    let error = rig.engine.wait(&id).await.expect_err("it is gone");
    assert_eq!(error.kind, EngineErrorKind::NotFound, "{error}");
}

#[tokio::test]
async fn wait_gives_the_exit_code() {
    let rig = Rig::new().await;
    for code in [0, 3, 255] {
        let id = rig.started(&["sh", "-c", &format!("exit {code}")]).await;
        assert_eq!(rig.engine.wait(&id).await, Ok(code));
        assert_eq!(rig.engine.wait(&id).await, Ok(code), "also long after");
        assert_eq!(rig.inspect(&id).await.exit_code, Some(code));
    }
}

#[tokio::test]
async fn kill_sends_the_signal_given() {
    let rig = Rig::new().await;
    let spec = rig.spec(&trapping("HUP", 9));
    let id = rig.started_and_said(&spec, "set").await;
    rig.engine.kill(&id, Some("SIGHUP")).await.unwrap();
    assert_eq!(rig.engine.wait(&id).await, Ok(9));
}

#[tokio::test]
async fn stop_sends_the_signal_of_the_container() {
    let rig = Rig::new().await;
    let mut spec = rig.spec(&trapping("USR1", 5));
    spec.stop_signal = Some("SIGUSR1".to_owned());
    let id = rig.started_and_said(&spec, "set").await;
    rig.engine.stop(&id, None).await.unwrap();
    assert_eq!(rig.engine.wait(&id).await, Ok(5));
}

#[tokio::test]
async fn stop_kills_what_does_not_end_in_the_seconds_that_begin() {
    let rig = Rig::new().await;
    let deaf = [
        "bash",
        "-c",
        "trap '' TERM; echo set; while :; do sleep 1; done",
    ];
    let id = rig.started_and_said(&rig.spec(&deaf), "set").await;
    for (grace_period, at_least) in [(0, 0), (1100, 2000)] {
        rig.engine.start(&id).await.unwrap();
        let begun = std::time::Instant::now();
        let grace_period = Duration::from_millis(grace_period);
        rig.engine.stop(&id, Some(grace_period)).await.unwrap();
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(at_least), "{took:?}");
        assert!(took < Duration::from_secs(9), "{took:?}");
        assert_eq!(rig.inspect(&id).await.exit_code, Some(137));
    }
}

#[tokio::test]
async fn a_paused_container_is_frozen_until_it_is_not() {
    let rig = Rig::new().await;
    let id = rig.idle().await;
    let error = rig.engine.unpause(&id).await.expect_err("it is not paused");
    assert_eq!(error.kind, EngineErrorKind::Conflict, "{error}");

    rig.engine.pause(&id).await.unwrap();
    let info = rig.inspect(&id).await;
    assert_eq!((info.running, info.paused), (true, true));
    let error = rig.engine.pause(&id).await.expect_err("it is paused");
    assert_eq!(error.kind, EngineErrorKind::Conflict, "{error}");

    rig.engine.unpause(&id).await.unwrap();
    assert!(!rig.inspect(&id).await.paused);
}

#[tokio::test]
async fn a_paused_container_is_removed() {
    let rig = Rig::new().await;
    let id = rig.idle().await;
    rig.engine.pause(&id).await.unwrap();
    rig.engine.remove(&id).await.unwrap();
    assert!(rig.engine.inspect(&id).await.is_err());
}

#[tokio::test]
async fn everyone_may_remove_at_once() {
    let rig = Rig::new().await;
    let id = rig.idle().await;
    let (a, b, c, d) = tokio::join!(
        rig.engine.remove(&id),
        rig.engine.remove(&id),
        rig.engine.remove(&id),
        rig.engine.remove(&id),
    );
    assert_eq!([a, b, c, d], [Ok(()), Ok(()), Ok(()), Ok(())]);
    assert!(
        rig.engine.inspect(&id).await.is_err(),
        "gone when the first returned"
    );
}

#[tokio::test]
async fn a_container_that_is_killed_for_want_of_memory_has_the_code_of_a_kill() {
    let rig = Rig::new().await;
    let mut spec = rig.spec(&["bash", "-c", "x=x; while :; do x=$x$x; done"]);
    spec.memory = Some(32 << 20);
    let id = rig.engine.create(&spec).await.unwrap();
    rig.engine.start(&id).await.unwrap();
    assert_eq!(rig.engine.wait(&id).await, Ok(137));
    // The engine may not know the reason: it learns it from an event that may come later, or not at all.
    assert_eq!(rig.inspect(&id).await.exit_code, Some(137));
}

#[tokio::test]
async fn a_missing_command_is_reported() {
    let rig = Rig::new().await;
    for command in ["nope", "/nope", "/etc/passwd", "/etc"] {
        let id = rig.created(&[command]).await;
        let error = rig.engine.start(&id).await.expect_err("it cannot start");
        assert_eq!(error.kind, EngineErrorKind::CommandNotFound, "{error}");
        assert!(
            error
                .to_string()
                .starts_with("cannot start the container: "),
            "{error}"
        );
        let info = rig.inspect(&id).await;
        assert_eq!((info.running, info.exit_code), (false, None));
    }
}

#[tokio::test]
async fn a_missing_image_or_a_taken_name_is_reported() {
    let rig = Rig::new().await;
    let mut spec = rig.spec(&["true"]);
    spec.image = "seatrial-engine-test-none:1".to_owned();
    let error = rig
        .engine
        .create(&spec)
        .await
        .expect_err("there is no such image");
    assert_eq!(error.kind, EngineErrorKind::NotFound, "{error}");

    spec.image = IMAGE.to_owned();
    rig.engine.create(&spec).await.unwrap();
    let error = rig
        .engine
        .create(&spec)
        .await
        .expect_err("the name is taken");
    assert_eq!(error.kind, EngineErrorKind::Conflict, "{error}");
}

#[tokio::test]
async fn another_platform_is_reported() {
    let rig = Rig::new().await;
    let mut spec = rig.spec(&["true"]);
    spec.platform = Some("linux/s390x".to_owned());
    let error = rig
        .engine
        .create(&spec)
        .await
        .expect_err("the image is of another platform");
    assert_eq!(error.kind, EngineErrorKind::Platform, "{error}");
}

#[tokio::test]
async fn a_taken_port_is_reported() {
    let rig = Rig::new().await;
    let (network, subnet) = rig.network().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = taken.local_addr().unwrap().port();
    let loopback = Ipv4Addr::LOCALHOST.into();

    let mut spec = rig.spec(&["sleep", "1000"]);
    spec.attachment = Some(attached(&network, subnet, 2));
    spec.ports = vec![PublishedPort {
        container: 80,
        host_ip: loopback,
        host,
    }];
    let id = rig.engine.create(&spec).await.unwrap();
    let error = rig.engine.start(&id).await.expect_err("the host has it");
    assert_eq!(error.kind, EngineErrorKind::PortTaken, "{error}");
    rig.engine.remove(&id).await.unwrap();

    let mut holder = rig.spec(&["sleep", "1000"]);
    holder.attachment = Some(attached(&network, subnet, 3));
    holder.ports = vec![PublishedPort {
        container: 80,
        host_ip: loopback,
        host: 0,
    }];
    let holder = rig.engine.create(&holder).await.unwrap();
    rig.engine.start(&holder).await.unwrap();
    let ports = rig.inspect(&holder).await.ports;
    assert_eq!(ports.len(), 1);
    assert_eq!((ports[0].container, ports[0].host_ip), (80, loopback));
    assert_ne!(ports[0].host, 0);

    let mut spec = rig.spec(&["sleep", "1000"]);
    spec.attachment = Some(attached(&network, subnet, 4));
    spec.ports = ports;
    let id = rig.engine.create(&spec).await.unwrap();
    let error = rig
        .engine
        .start(&id)
        .await
        .expect_err("another container has it");
    assert_eq!(error.kind, EngineErrorKind::PortTaken, "{error}");
}

#[tokio::test]
async fn a_missing_mount_is_reported() {
    let rig = Rig::new().await;
    let path = rig.path();
    let mut spec = rig.spec(&["true"]);
    spec.mounts = vec![bind(&path, true)];
    let error = rig.engine.create(&spec).await.expect_err("it is not there");
    assert_eq!(error.kind, EngineErrorKind::MountMissing, "{error}");
    assert!(!path.exists(), "the engine must not make it");

    // Gone in between.
    std::fs::create_dir(&path).unwrap();
    let id = rig.engine.create(&spec).await.unwrap();
    std::fs::remove_dir(&path).unwrap();
    let error = rig.engine.start(&id).await.expect_err("it is gone");
    assert_eq!(error.kind, EngineErrorKind::MountMissing, "{error}");
}

#[tokio::test]
async fn mounts_are_what_they_are_declared_to_be() {
    let rig = Rig::new().await;
    let (read_only, writable, volume) = (rig.path(), rig.path(), rig.volume());
    std::fs::create_dir(&read_only).unwrap();
    std::fs::create_dir(&writable).unwrap();
    std::fs::write(read_only.join("greeting"), "ahoy").unwrap();
    rig.engine.create_volume(&volume, &labels()).await.unwrap();

    let script = "test ahoy = $(cat /in/greeting) && ! touch /in/x && touch /out/made && touch /kept/x \
                  && touch /gone/x && grep ' /quick tmpfs .*size=1024k' /proc/mounts";
    let mut spec = rig.spec(&["sh", "-exc", script]);
    spec.mounts = vec![
        bind_at(&read_only, "/in", true),
        bind_at(&writable, "/out", false),
        MountSpec::Volume {
            name: volume.clone(),
            at: "/kept".to_owned(),
        },
        MountSpec::Anonymous {
            at: "/gone".to_owned(),
        },
        MountSpec::Tmpfs {
            at: "/quick".to_owned(),
            size: Some(1 << 20),
        },
    ];
    let id = rig.engine.create(&spec).await.unwrap();
    rig.engine.start(&id).await.unwrap();
    assert_eq!(rig.engine.wait(&id).await, Ok(0));
    assert!(writable.join("made").exists());

    let before = volumes_of(&rig, &id).await;
    assert_eq!(before.len(), 2, "the named one and the anonymous one");
    let error = rig
        .engine
        .remove_volume(&volume)
        .await
        .expect_err("it is in use");
    assert_eq!(error.kind, EngineErrorKind::Conflict, "{error}");
    rig.engine.remove(&id).await.unwrap();
    for name in before {
        let there = rig.engine.api.inspect_volume(&name).await.is_ok();
        assert_eq!(there, name == volume, "only the named volume stays");
    }
    rig.engine.remove_volume(&volume).await.unwrap();
    rig.engine
        .remove_volume(&volume)
        .await
        .expect("removing what is gone is no error");
}

#[tokio::test]
async fn everything_in_the_specification_reaches_the_process() {
    let rig = Rig::new().await;
    let script = "test \"$(hostname)\" = quay && test \"$GREETING\" = 'a = b' && test \"$(id -u)\" = 1000 \
                  && test \"$PWD\" = /usr/lib && test \"$(ulimit -n)\" = 123 && test \"$0\" = zero \
                  && test \"$(getent hosts db)\" = \"$(printf '%s' '10.1.2.3        db')\" \
                  && df -k /dev/shm | grep -w 2048 && test ! -e /sys/class/net/eth0";
    let mut spec = rig.spec(&["zero"]);
    spec.entrypoint = Some(words(&["bash", "-exc", script]));
    spec.hostname = Some("quay".to_owned());
    spec.env = words(&["GREETING=a = b"]);
    spec.user = Some("1000:1000".to_owned());
    spec.workdir = Some("/usr/lib".to_owned());
    spec.hosts = vec![("db".to_owned(), "10.1.2.3".to_owned())];
    spec.shm_size = Some(2 << 20);
    let limit = seatrial_model::Ulimit {
        name: "nofile".to_owned(),
        soft: 123,
        hard: 456,
    };
    spec.ulimits = vec![limit];
    spec.cap_add = words(&["NET_ADMIN"]);
    let id = rig.engine.create(&spec).await.unwrap();
    rig.engine.start(&id).await.unwrap();
    let code = rig.engine.wait(&id).await;
    let logs = futures_util::TryStreamExt::try_collect(rig.engine.logs(&id, false, None)).await;
    assert_eq!(code, Ok(0), "{:?}", joined(logs.unwrap()));

    let found = rig.engine.api.inspect_container(&id, None).await.unwrap();
    let (config, host) = (found.config.unwrap(), found.host_config.unwrap());
    assert_eq!(
        config.labels.unwrap().get("dev.seatrial.test").unwrap(),
        "engine"
    );
    assert_eq!(host.cap_add, Some(words(&["NET_ADMIN"])));
    assert_eq!(host.auto_remove, Some(false));
    assert_eq!(host.restart_policy.unwrap().maximum_retry_count, Some(0));
}

#[tokio::test]
async fn a_call_that_is_dropped_leaves_the_engine_answering() {
    let rig = Rig::new().await;
    let id = rig.idle().await;
    let waited = tokio::time::timeout(Duration::from_millis(50), rig.engine.wait(&id)).await;
    assert!(waited.is_err(), "it goes on running");
    assert!(rig.inspect(&id).await.running);
}

/// A command that writes `set` and then runs until `signal` comes, on which it exits with `code`.
fn trapping(signal: &str, code: u8) -> [String; 3] {
    let script = format!("trap 'exit {code}' {signal}; echo set; sleep 1000 & wait");
    ["bash".to_owned(), "-c".to_owned(), script]
}

fn bind(path: &std::path::Path, read_only: bool) -> MountSpec {
    bind_at(path, "/mounted", read_only)
}

fn bind_at(path: &std::path::Path, at: &str, read_only: bool) -> MountSpec {
    MountSpec::Bind {
        from: path.to_str().unwrap().to_owned(),
        at: at.to_owned(),
        read_only,
    }
}

async fn volumes_of(rig: &Rig, id: &str) -> Vec<String> {
    let found = rig.engine.api.inspect_container(id, None).await.unwrap();
    found
        .mounts
        .unwrap()
        .into_iter()
        .filter_map(|mount| mount.name)
        .collect()
}
