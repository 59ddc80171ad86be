//! Logs, commands and archives.

use std::io::{Read, Write};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::*;
use crate::engine::{ExecSpec, OutputUse, Parts, all_of};
use crate::output::REPORT_MAX;

#[tokio::test]
async fn logs_come_from_the_beginning_by_stream() {
    let rig = Rig::new().await;
    let id = rig
        .started(&["sh", "-c", "echo one; echo two >&2; printf three"])
        .await;
    rig.engine.wait(&id).await.unwrap();
    let logs = rig
        .engine
        .logs(&id, false, None)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(joined(logs), ("one\nthree".to_owned(), "two\n".to_owned()));
    let logs = rig
        .engine
        .logs(&id, true, None)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(
        joined(logs),
        ("one\nthree".to_owned(), "two\n".to_owned()),
        "followed to the end"
    );
}

#[tokio::test]
async fn logs_are_followed_to_the_end() {
    let rig = Rig::new().await;
    let script = "echo begin; trap 'echo end; exit' TERM; echo trapped; sleep 1000 & wait";
    let id = rig.started(&["bash", "-c", script]).await;
    let mut logs = rig.engine.logs(&id, true, None);
    let mut seen = String::new();
    while !seen.contains("trapped\n") {
        let piece = logs.next().await.expect("it goes on").unwrap();
        seen.push_str(std::str::from_utf8(&piece.bytes).unwrap());
    }
    rig.engine.stop(&id, None).await.unwrap();
    let rest = logs.try_collect().await.unwrap();
    assert_eq!(joined(rest), ("end\n".to_owned(), String::new()));
}

#[tokio::test]
async fn the_tail_of_the_logs_is_whole_lines() {
    let rig = Rig::new().await;
    let id = rig.started(&["seq", "100"]).await;
    rig.engine.wait(&id).await.unwrap();
    let logs = rig
        .engine
        .logs(&id, false, Some(3))
        .try_collect()
        .await
        .unwrap();
    assert_eq!(joined(logs), ("98\n99\n100\n".to_owned(), String::new()));
}

#[tokio::test]
async fn what_never_started_has_no_logs() {
    let rig = Rig::new().await;
    let id = rig.created(&["true"]).await;
    let logs = rig
        .engine
        .logs(&id, false, None)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(joined(logs), (String::new(), String::new()));
    let error = rig
        .engine
        .logs("seatrial-none", false, None)
        .next()
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(error.kind, EngineErrorKind::NotFound, "{error}");
}

#[tokio::test]
async fn logs_larger_than_any_buffer_are_whole() {
    let rig = Rig::new().await;
    // Ended long before it is read to the end: the reader must not be cut off.
    let id = rig.started(&["seq", "100000"]).await;
    let logs = rig
        .engine
        .logs(&id, true, None)
        .try_collect()
        .await
        .unwrap();
    let expected: String = (1..=100_000).map(|line| format!("{line}\n")).collect();
    let seen = joined(logs).0;
    let at = seen
        .bytes()
        .zip(expected.bytes())
        .take_while(|(a, b)| a == b)
        .count();
    assert!(
        seen == expected,
        "{} of {} bytes, alike up to {at}: {:?}",
        seen.len(),
        expected.len(),
        &seen[at.saturating_sub(20)..seen.len().min(at + 40)]
    );
}

#[tokio::test]
async fn a_followed_log_ends_with_its_container() {
    let rig = Rig::new().await;
    let spec = rig.spec(&["sh", "-c", "echo on; sleep 1000"]);
    let id = rig.started_and_said(&spec, "on").await;
    let mut logs = rig.engine.logs(&id, true, None);
    assert_eq!(logs.next().await.unwrap().unwrap().bytes, b"on\n");
    let rest = logs.try_collect();
    let (rest, removed) = tokio::join!(rest, rig.engine.remove(&id));
    removed.unwrap();
    assert_eq!(joined(rest.unwrap()), (String::new(), String::new()));
}

#[tokio::test]
async fn commands_give_code_and_both_streams() {
    let rig = Rig::new().await;
    let id = rig.idle().await;
    let exec = |script: &str| ExecSpec {
        command: words(&["sh", "-c", script]),
        env: words(&["WHO=me"]),
        user: Some("1000".to_owned()),
        workdir: Some("/usr".to_owned()),
        ..ExecSpec::default()
    };
    let result = rig
        .engine
        .exec(&id, &exec("echo $WHO; id -u; pwd; echo no >&2"))
        .await
        .unwrap();
    assert_eq!(result.code, 0);
    assert_eq!(
        String::from_utf8(result.stdout).unwrap(),
        "me\n1000\n/usr\n"
    );
    assert_eq!(String::from_utf8(result.stderr).unwrap(), "no\n");

    let result = rig.engine.exec(&id, &exec("exit 42")).await.unwrap();
    assert_eq!(
        (result.code, result.stdout, result.stderr),
        (42, Vec::new(), Vec::new())
    );

    // A command's own output is not taken for the engine's message.
    let result = rig.engine.exec(&id, &exec("nope")).await.unwrap();
    assert_eq!(result.code, 127);
    let nobody = ExecSpec {
        user: Some("nobody-here".to_owned()),
        ..exec("true")
    };
    let error = rig
        .engine
        .exec(&id, &nobody)
        .await
        .expect_err("no such user");
    assert!(
        error.message.contains("unable to find user nobody-here"),
        "{error}"
    );
    let alike = exec("echo OCI runtime exec failed: a; echo b; exit 127");
    assert_eq!(rig.engine.exec(&id, &alike).await.unwrap().code, 127);
}

#[tokio::test]
async fn a_command_may_close_its_output_before_it_ends() {
    let rig = Rig::new().await;
    let id = rig.idle().await;
    let script = "exec >&- 2>&-; sleep 0.3; exit 6";
    let exec = ExecSpec {
        command: words(&["sh", "-c", script]),
        ..ExecSpec::default()
    };
    assert_eq!(rig.engine.exec(&id, &exec).await.unwrap().code, 6);
}

#[tokio::test]
async fn a_large_output_is_whole_and_of_one_for_a_report_the_end_is_kept() {
    let rig = Rig::new().await;
    let id = rig.idle().await;
    let all: String = (1..=700_000).map(|line| format!("{line}\n")).collect();
    for (output, dropped) in [(OutputUse::Answer, false), (OutputUse::Report, true)] {
        let exec = ExecSpec {
            command: words(&["sh", "-c", "seq 700000; echo told >&2"]),
            output,
            ..ExecSpec::default()
        };
        let result = rig.engine.exec(&id, &exec).await.unwrap();
        assert_eq!(result.stderr, b"told\n");
        assert_eq!(result.stderr_dropped, 0);
        assert_eq!(result.stdout_dropped > 0, dropped);
        let (before, kept) = all.split_at(usize::try_from(result.stdout_dropped).unwrap());
        assert!(result.stdout == kept.as_bytes(), "for {output:?}");
        assert!(before.is_empty() || before.ends_with('\n'));
        assert!(kept.len() <= REPORT_MAX || !dropped);
    }
}

#[tokio::test]
async fn an_input_ends_and_one_that_breaks_ends_the_call() {
    let rig = Rig::new().await;
    let id = rig.idle().await;
    let exec = |script: &str| ExecSpec {
        command: words(&["sh", "-c", script]),
        ..ExecSpec::default()
    };
    let pieces = |pieces: &[&str]| -> Parts<Vec<u8>> {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| Ok(piece.as_bytes().to_vec()))
            .collect();
        Box::pin(stream::iter(pieces))
    };
    let count = exec("cat; wc -c; exit 5");
    let input = pieces(&["on", "", "e"]);
    let result = rig
        .engine
        .exec_with_input(&id, &count, input)
        .await
        .unwrap();
    assert_eq!((result.code, &result.stdout[..]), (5, &b"one0\n"[..]));

    let why = EngineError {
        kind: EngineErrorKind::Failed,
        attempt: "read the input".to_owned(),
        message: "nobody has it".to_owned(),
    };
    let broken = pieces(&["one"]).chain(stream::iter([Err(why.clone())]));
    let broken = rig
        .engine
        .exec_with_input(&id, &count, Box::pin(broken))
        .await;
    assert_eq!(broken, Err(why));
}

#[tokio::test]
async fn a_command_that_cannot_start_is_reported() {
    let rig = Rig::new().await;
    let id = rig.idle().await;
    for command in ["nope", "/nope", "/etc/passwd", "/etc"] {
        let exec = ExecSpec {
            command: words(&[command]),
            ..ExecSpec::default()
        };
        let error = rig
            .engine
            .exec(&id, &exec)
            .await
            .expect_err("it cannot start");
        assert_eq!(error.kind, EngineErrorKind::CommandNotFound, "{error}");
        assert!(error.attempt.contains(command), "{error}");
    }
    let exec = ExecSpec {
        command: words(&["true"]),
        workdir: Some("/nope".to_owned()),
        ..ExecSpec::default()
    };
    let error = rig
        .engine
        .exec(&id, &exec)
        .await
        .expect_err("the directory is not there");
    assert_eq!(error.kind, EngineErrorKind::NotFound, "{error}");
}

#[tokio::test]
async fn commands_need_a_container_that_runs() {
    let rig = Rig::new().await;
    let exec = ExecSpec {
        command: words(&["true"]),
        ..ExecSpec::default()
    };
    let id = rig.created(&["true"]).await;
    let error = rig
        .engine
        .exec(&id, &exec)
        .await
        .expect_err("it does not run");
    assert_eq!(error.kind, EngineErrorKind::Conflict, "{error}");
    let error = rig
        .engine
        .exec("seatrial-none", &exec)
        .await
        .expect_err("there is none");
    assert_eq!(error.kind, EngineErrorKind::NotFound, "{error}");
}

#[tokio::test]
async fn a_command_ends_with_its_container() {
    let rig = Rig::new().await;
    for remove in [false, true] {
        let id = rig.idle().await;
        // In the container's own log, which can be followed.
        let script = "echo begun > /proc/1/fd/1; sleep 1000";
        let exec = ExecSpec {
            command: words(&["sh", "-c", script]),
            ..ExecSpec::default()
        };
        let end = async {
            rig.said(&id, "begun").await;
            if remove {
                rig.engine.remove(&id).await
            } else {
                rig.engine.kill(&id, None).await
            }
        };
        let (result, ended) = tokio::join!(rig.engine.exec(&id, &exec), end);
        ended.unwrap();
        match result {
            Ok(result) => assert_eq!(result.code, 137),
            Err(error) => assert_eq!(error.kind, EngineErrorKind::NotFound, "{error}"),
        }
    }
}

#[tokio::test]
async fn files_go_in_and_come_out() {
    let rig = Rig::new().await;
    let id = rig.created(&["cat", "/srv/greeting"]).await;
    rig.engine
        .upload(&id, "/srv", all_of(packed("greeting", b"ahoy\n")))
        .await
        .unwrap();
    rig.engine.start(&id).await.unwrap();
    assert_eq!(rig.engine.wait(&id).await, Ok(0));
    let logs = rig
        .engine
        .logs(&id, false, None)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(joined(logs).0, "ahoy\n");

    let tar = rig.engine.download(&id, "/srv/greeting");
    let tar: Vec<u8> = tar.try_concat().await.unwrap();
    let mut archive = tar::Archive::new(tar.as_slice());
    let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
    assert_eq!(entry.path().unwrap().to_str(), Some("greeting"));
    let mut content = String::new();
    entry.read_to_string(&mut content).unwrap();
    assert_eq!(content, "ahoy\n");

    let error = rig
        .engine
        .download(&id, "/srv/nope")
        .try_concat()
        .await
        .expect_err("it is not there");
    assert_eq!(error.kind, EngineErrorKind::NotFound, "{error}");
    // Also if the engine refuses before it has all of it.
    for size in [1, 10_000_000] {
        let tar = all_of(packed("a", &vec![b'b'; size]));
        let error = rig.engine.upload(&id, "/nope", tar).await;
        let error = error.expect_err("no such directory");
        assert_eq!(error.kind, EngineErrorKind::NotFound, "{error}");
    }
}

#[tokio::test]
async fn an_interrupted_archive_is_reported_and_never_counts_as_complete() {
    let rig = Rig::new().await;
    let id = rig.created(&["true"]).await;
    let broken = EngineError {
        kind: EngineErrorKind::Failed,
        attempt: "read them".to_owned(),
        message: "the disk is gone".to_owned(),
    };
    // Also if all of the archive had come by then.
    for size in [10, 10_000_000] {
        let pieces = vec![Ok(packed("file", &vec![b'x'; size])), Err(broken.clone())];
        let uploaded = rig
            .engine
            .upload(&id, "/srv", Box::pin(stream::iter(pieces)))
            .await;
        assert_eq!(uploaded, Err(broken.clone()), "{size}");
    }
    let file = rig.engine.download(&id, "/srv/file").try_concat().await;
    // A part of the larger file may be there.
    if let Ok(tar) = file {
        assert!(tar.len() < 10_000_000, "{} bytes came", tar.len());
    }
}

/// A tar of one file.
pub(super) fn packed(path: &str, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_data(&mut header, path, content).unwrap();
    let mut tar = builder.into_inner().unwrap();
    tar.flush().unwrap();
    tar
}
