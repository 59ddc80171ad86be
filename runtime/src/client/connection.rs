//! The way to the supervisor, on a thread of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::net::UnixStream;
use tokio::sync::mpsc;

use super::{Client, ending};
use crate::config::SupervisorMode;
use crate::protocol::{Introduction, Message, Request, RequestBody};
use crate::run::process::ProcessId;
use crate::run::{self, Connection, Run, StartError};
use crate::settings::Settings;
use crate::wire::{self, EncodeError, GreetError};
use crate::{Error, ErrorKind, supervisor, terminal};

/// How long supervisors may go on to end just when this process comes to them.
const DEADLINE: Duration = Duration::from_secs(60);

/// Serves the process's client until the process or the supervisor ends. `requests` has none yet.
pub(super) fn open(
    mode: SupervisorMode,
    settings: Result<Settings, Error>,
    requests: mpsc::UnboundedReceiver<Request>,
) {
    std::thread::Builder::new()
        .name("seatrial".to_owned())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime needs no more than a few file descriptors");
            runtime.block_on(serve(mode, settings, requests));
        })
        .expect("a process that cannot start a thread cannot run tests");
}

async fn serve(
    mode: SupervisorMode,
    settings: Result<Settings, Error>,
    requests: mpsc::UnboundedReceiver<Request>,
) {
    let lost = match mode {
        SupervisorMode::InProcess => in_process(settings, requests).await,
        SupervisorMode::Process => match connect().await {
            Ok((connection, process)) => over(connection, settings, process, requests).await,
            Err(Refusal::Final(error)) => error,
            Err(Refusal::NoProcess(error)) => {
                if !matches!(error, StartError::Unsupported) {
                    terminal::warn(&without_process(&error));
                }
                ending::register(Client::get());
                in_process(settings, requests).await
            }
        },
    };
    Client::get().lose(lost);
}

/// The supervisor in this process.
async fn in_process(
    settings: Result<Settings, Error>,
    requests: mpsc::UnboundedReceiver<Request>,
) -> Error {
    let (to_client, messages) = mpsc::unbounded_channel();
    tokio::spawn(supervisor::run(settings, requests, to_client));
    dispatch(messages).await;
    Error::new(
        ErrorKind::Engine,
        "what runs the services has ended unexpectedly",
    )
}

/// Hands every message to the process's client, until the supervisor is gone.
async fn dispatch(mut messages: mpsc::UnboundedReceiver<Message>) {
    while let Some(message) = messages.recv().await {
        Client::get().receive(message);
    }
}

/// A connection to the run's supervisor, which has welcomed this process.
struct Welcomed {
    stream: UnixStream,
    log: PathBuf,
}

/// Why there is no such connection.
enum Refusal {
    /// No supervisor can be started.
    NoProcess(StartError),
    /// There is one, and it is not for this process.
    Final(Error),
}

async fn connect() -> Result<(Welcomed, ProcessId), Refusal> {
    let run = Run::of_process().map_err(Refusal::NoProcess)?;
    let process = run.process;
    let begun = Instant::now();
    loop {
        let run = run.clone();
        let connecting = tokio::task::spawn_blocking(move || run::connect(&run));
        let connected = connecting.await.expect("it does not panic");
        let Connection { stream, log } = connected.map_err(Refusal::NoProcess)?;
        let mut stream = registered(stream)
            .map_err(|error| Refusal::Final(Error::new(ErrorKind::Engine, error.to_string())))?;
        match wire::greet(&mut stream).await {
            Ok(()) => return Ok((Welcomed { stream, log }, process)),
            // It was about to end.
            Err(GreetError::Closed) if begun.elapsed() < DEADLINE => {}
            Err(error) => {
                let kind = match error {
                    GreetError::OtherVersion { .. } => ErrorKind::Configuration,
                    _ => ErrorKind::Engine,
                };
                let what = format!("the run's supervisor refuses this process: {error}");
                return Err(Refusal::Final(Error::new(kind, what)));
            }
        }
    }
}

fn registered(stream: std::os::unix::net::UnixStream) -> io::Result<UnixStream> {
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

/// The supervisor in a process of its own.
async fn over(
    Welcomed { stream, log }: Welcomed,
    settings: Result<Settings, Error>,
    process: ProcessId,
    requests: mpsc::UnboundedReceiver<Request>,
) -> Error {
    let (read, mut write) = stream.into_split();
    let introduction = Introduction {
        settings,
        process: Some(process),
    };
    let (first, introductions) = mpsc::unbounded_channel();
    let _ = first.send(Request {
        call: 0,
        body: RequestBody::Introduce(Box::new(introduction)),
    });
    drop(first);
    tokio::spawn(async move {
        // All of it is there before anything else is. What ends the connection is told by the reading of it.
        let _ = wire::write_messages(&mut write, introductions, refused).await;
        let _ = wire::write_messages(write, requests, refused).await;
    });
    let mut messages = wire::Messages::<_, Message>::new(read);
    loop {
        match messages.next().await {
            Ok(Some(message)) => Client::get().receive(message),
            Ok(None) => return gone(&log, None),
            Err(error) => return gone(&log, Some(&error)),
        }
    }
}

/// Fails the call of a request that cannot be sent.
fn refused(request: Request, error: &EncodeError) -> Option<Request> {
    let what = format!("this cannot be sent to the run's supervisor: {error}");
    let outcome = Err(Error::new(ErrorKind::Operation, what));
    let call = request.call;
    Client::get().receive(Message::Answer { call, outcome });
    None
}

fn gone(log: &Path, why: Option<&wire::WireError>) -> Error {
    let what = "the run's supervisor, which had the services, is gone";
    Error::new(ErrorKind::Engine, what).with(|report| {
        report.details.extend(why.map(ToString::to_string));
        report.help = Some(format!(
            "see whether something killed it (its last words are in {}), and run the tests again; what it left carries the \
             label `dev.seatrial.run`: `docker ps --all --filter label=dev.seatrial.run`",
            log.display()
        ));
    })
}

fn without_process(error: &StartError) -> String {
    format!(
        "{}; this test process runs its services itself and shares none with others. To have it so without this \
         warning, set `SEATRIAL_SUPERVISOR=in-process`",
        terminal::chain(error)
    )
}
