//! Streams into and out of containers: logs, output and input of commands, archives.

use std::convert::Infallible;
use std::time::Duration;

use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::ExecConfig;
use bollard::query_parameters::{
    AttachContainerOptions, DownloadFromContainerOptions, UploadToContainerOptions,
};
use futures_util::{StreamExt, TryStreamExt};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::client::Docker;
use super::errors::{During, classify, failed, occupied, without_prefixes};
use super::following::followed;
use super::held_back::HeldBack;
use super::log::{log_pieces, output};
use crate::engine::error::{EngineError, EngineErrorKind};
use crate::engine::exec::{Collected, ExecResult, ExecSpec, Output};
use crate::engine::parts::Parts;

impl Docker {
    pub(in crate::engine) fn logs(
        &self,
        id: &str,
        follow: bool,
        tail: Option<usize>,
    ) -> Parts<Output> {
        let pieces = log_pieces(&self.api, id, follow, tail);
        // A log with a tail cannot be read again from the same place, so it is followed as the engine does.
        if !follow || tail.is_some() {
            return pieces;
        }
        followed(self.api.clone(), id.to_owned(), pieces)
    }

    pub(in crate::engine) async fn exec(
        &self,
        id: &str,
        exec: &ExecSpec,
    ) -> Result<ExecResult, EngineError> {
        self.run(id, exec, None).await
    }

    pub(in crate::engine) async fn exec_with_input(
        &self,
        id: &str,
        exec: &ExecSpec,
        input: Parts<Vec<u8>>,
    ) -> Result<ExecResult, EngineError> {
        self.run(id, exec, Some(input)).await
    }

    async fn run(
        &self,
        id: &str,
        exec: &ExecSpec,
        input: Option<Parts<Vec<u8>>>,
    ) -> Result<ExecResult, EngineError> {
        let attempt = format!(
            "run `{}` in the container",
            exec.command.first().map_or("", String::as_str)
        );
        let config = ExecConfig {
            cmd: Some(exec.command.clone()),
            env: Some(exec.env.clone()),
            user: exec.user.clone(),
            working_dir: exec.workdir.clone(),
            attach_stdin: Some(input.is_some()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..Default::default()
        };
        let created = self
            .api
            .create_exec(id, config)
            .await
            .map_err(failed(During::Exec, &attempt))?
            .id;
        let started = self
            .api
            .start_exec(&created, None::<StartExecOptions>)
            .await
            .map_err(failed(During::Exec, &attempt))?;

        let mut collected = Collected::new(exec.output);
        if let StartExecResults::Attached {
            output: mut pieces,
            input: stdin,
        } = started
        {
            let reading = async {
                while let Some(piece) = pieces.next().await {
                    let piece = output(piece.map_err(failed(During::Exec, &attempt))?);
                    collected.push(&piece);
                }
                Ok(())
            };
            // At the same time, as a command may write before it has read all its input and end before that.
            tokio::select! {
                read = reading => read?,
                broken = feed(stdin, input) => return Err(broken),
            }
        }
        let code = self.exec_code(&created, &attempt).await?;
        let result = collected.ended(code);
        match not_started(exec, &result) {
            Some((kind, message)) => Err(EngineError {
                kind,
                attempt,
                message,
            }),
            None => Ok(result),
        }
    }

    pub(in crate::engine) async fn converse(
        &self,
        id: &str,
        input: Vec<u8>,
    ) -> Result<(), EngineError> {
        let attempt = "talk to the container's process";
        let options = AttachContainerOptions {
            stdin: true,
            stdout: true,
            stream: true,
            ..Default::default()
        };
        let attached = self.api.attach_container(id, Some(options)).await;
        let mut attached = attached.map_err(failed(During::Other, attempt))?;
        let answered = async {
            attached.input.write_all(&input).await.ok()?;
            attached.input.flush().await.ok()?;
            attached.output.next().await?.ok()
        };
        answered.await.map(drop).ok_or_else(|| EngineError {
            kind: EngineErrorKind::Failed,
            attempt: attempt.to_owned(),
            message: "it does not answer".to_owned(),
        })
    }

    /// The exit code of a command whose outputs have ended.
    async fn exec_code(&self, exec: &str, attempt: &str) -> Result<i64, EngineError> {
        // A process may close its output before it ends, and engines have no call that waits for a command's end.
        const FIRST: Duration = Duration::from_millis(1);
        const LAST: Duration = Duration::from_millis(100);
        // The exit code of a command that has ended may be late for a moment, but not longer.
        const LATE: Duration = Duration::from_secs(5);
        let mut pause = FIRST;
        let mut late = Duration::ZERO;
        loop {
            let state = self
                .api
                .inspect_exec(exec)
                .await
                .map_err(failed(During::Exec, attempt))?;
            match (state.running.unwrap_or_default(), state.exit_code) {
                (false, Some(code)) => return Ok(code),
                (false, None) if late > LATE => {
                    return Err(EngineError {
                        kind: EngineErrorKind::Failed,
                        attempt: attempt.to_owned(),
                        message: "the command has ended, but the engine reports no exit code"
                            .to_owned(),
                    });
                }
                (false, None) => late += pause,
                (true, _) => {}
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LAST);
        }
    }

    pub(in crate::engine) async fn upload(
        &self,
        id: &str,
        at: &str,
        tar: Parts<Vec<u8>>,
    ) -> Result<(), EngineError> {
        let options = UploadToContainerOptions {
            path: at.to_owned(),
            // Otherwise a file takes the place of a directory with all that is in it.
            no_overwrite_dir_non_dir: Some("true".to_owned()),
            ..Default::default()
        };
        let (body, broken) = HeldBack::new(tar);
        let body = bollard::body_try_stream(body.map_ok(Into::into));
        let unpacked = self.api.upload_to_container(id, Some(options), body).await;
        let attempt = format!("copy files into the container at `{at}`");
        let unpacked = unpacked.map_err(failed(During::Other, attempt));
        broken.or_cause(unpacked.map_err(occupied))
    }

    pub(in crate::engine) fn download(&self, id: &str, from: &str) -> Parts<Vec<u8>> {
        let options = DownloadFromContainerOptions {
            path: from.to_owned(),
        };
        let attempt = format!("copy `{from}` out of the container");
        let pieces = self.api.download_from_container(id, Some(options));
        Box::pin(pieces.map(move |piece| {
            piece
                .map(Into::into)
                .map_err(failed(During::Other, &attempt))
        }))
    }
}

/// Writes a command's input, closes it, and then waits, as the connection is still needed. Returns only an error of the
/// input. Input that the command does not read is not an error: the exit code decides.
async fn feed(mut stdin: impl AsyncWrite + Unpin, input: Option<Parts<Vec<u8>>>) -> EngineError {
    if let Some(mut input) = input {
        loop {
            match input.next().await {
                Some(Ok(piece)) => {
                    if stdin.write_all(&piece).await.is_err() {
                        break;
                    }
                }
                Some(Err(error)) => return error,
                None => {
                    // This closes half of the connection, and the engine closes the command's input.
                    let _ = stdin.shutdown().await;
                    break;
                }
            }
        }
    }
    match std::future::pending::<Infallible>().await {}
}

/// Some engines accept a command that they cannot start, and say so in its output. A command's own output may look
/// alike. So the output must be nothing but that message, and the exit code must be 126 or 127.
fn not_started(exec: &ExecSpec, result: &ExecResult) -> Option<(EngineErrorKind, String)> {
    if !matches!(result.code, 126 | 127) || !result.stderr.is_empty() {
        return None;
    }
    let message = std::str::from_utf8(&result.stdout).ok()?.trim();
    let of_runtime = message.starts_with("OCI runtime exec failed");
    let of_user = exec.user.is_some()
        && ["unable to find user ", "unable to find group "]
            .iter()
            .any(|begin| message.starts_with(begin));
    if !(of_runtime || of_user) || message.lines().count() != 1 {
        return None;
    }
    Some((
        classify(During::Exec, None, message),
        without_prefixes(message).to_owned(),
    ))
}
