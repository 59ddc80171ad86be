//! What is said of checks has no secret, and our own words stay whole.

use futures_util::stream;

use super::fake::Script;
use super::*;
use crate::engine::fake::{answer, refusal};

/// What is said of a check that does not hold, where this is the password and `fails` is how everything fails.
async fn said(password: &'static str, check: CheckKind) -> String {
    let script = Script {
        exec: Box::new(move |command, _| match command[0].as_str() {
            "refused" => answer(Err(refusal(
                EngineErrorKind::Failed,
                &format!("cannot use {password}"),
            ))),
            _ => answer(Ok(ExecResult {
                code: 1,
                stderr: format!("not with {password}\n").into_bytes(),
                ..ExecResult::default()
            })),
        }),
        logs: Box::new(move |_| {
            let error = refusal(EngineErrorKind::Failed, &format!("no log of {password}"));
            Box::pin(stream::iter([Err(error)]))
        }),
        probe: Box::new(move |_| {
            let stdout = format!("tried {password}").into_bytes();
            let result = ExecResult {
                code: 2,
                stdout,
                ..ExecResult::default()
            };
            Box::pin(async { Ok(result) })
        }),
        redactor: Redactor::new([("DB_PASSWORD", password)]),
        ..Script::default()
    };
    let waited = script.wait(&[check], &within(1)).await;
    waited.expect_err("it does not hold").waiting_for.join("; ")
}

#[tokio::test(start_paused = true)]
async fn what_a_check_quotes_has_no_secret() {
    for secret in ["albatross-17", "sea"] {
        for (check, expected) in [
            (
                exec(&["psql", "-p", secret]),
                "exec `psql -p [hidden]`: exit code 1: not with [hidden]",
            ),
            (
                exec(&["refused", secret]),
                "exec `refused [hidden]`: cannot do as asked: cannot use [hidden]",
            ),
            (
                probe(&["psql", secret]),
                "probe `psql [hidden]` in debian:bookworm-slim: exit code 2: tried [hidden]",
            ),
            (
                log(secret, 1),
                "a line with \"[hidden]\" in the log: cannot do as asked: no log of [hidden]",
            ),
            (
                CheckKind::Http {
                    port: 80,
                    path: format!("no path {secret}"),
                    status: Some(204),
                },
                "http GET no path [hidden] on port 80 with status 204",
            ),
        ] {
            let said = said(secret, check).await;
            assert!(said.contains(expected), "{said}");
            assert!(!said.contains(secret), "{said}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn words_of_ours_are_not_taken_for_a_secret() {
    for (password, check, expected) in [
        ("port", tcp(3306), "tcp on port 3306"),
        ("http", http(80), "http GET /health on port 80"),
        (
            "exec",
            exec(&["true"]),
            "exec `true`: exit code 1: not with [hidden]",
        ),
        ("line", log("ready", 2), "2 lines with \"ready\" in the log"),
        (
            "debian",
            probe(&["true"]),
            "probe `true` in debian:bookworm-slim: exit code 2",
        ),
        ("code", probe(&["true"]), "exit code 2: tried [hidden]"),
    ] {
        let said = said(password, check).await;
        assert!(said.contains(expected), "{password}: {said}");
    }
}
