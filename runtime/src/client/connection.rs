//! The connection to the supervisor, on a thread of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::net::UnixStream;
use tokio::sync::mpsc;

use super::calls::Client;
use super::ending;
use crate::config::{Config, SupervisorMode};
use crate::protocol::{Introduction, Message, Request, RequestBody};
use crate::run::process::ProcessId;
use crate::run::{self, Connection, Run, StartError};
use crate::supervisor::Role;
use crate::wire::{self, EncodeError, GreetError};
use crate::{Error, ErrorKind, supervisor, terminal, wording};

/// How long this process tries again to connect while supervisors end just as it connects.
const DEADLINE: Duration = Duration::from_secs(60);

/// Serves the process's client until the process or the supervisor ends. `requests` must be empty.
pub(super) fn open(
    client: &'static Client,
    role: Role,
    requests: mpsc::UnboundedReceiver<Request>,
) {
    std::thread::Builder::new()
        .name("seatrial".to_owned())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime needs no more than a few file descriptors");
            runtime.block_on(serve(client, role, requests));
        })
        .expect("a process that cannot start a thread cannot run tests");
}

async fn serve(client: &'static Client, role: Role, requests: mpsc::UnboundedReceiver<Request>) {
    if role == Role::Run {
        for warning in Config::unknown_variables() {
            terminal::warn(&warning);
        }
    }
    let lost = match (role, client.mode()) {
        (Role::Run, SupervisorMode::InProcess) => in_process(client, requests).await,
        _ => match connect(client, role).await {
            Ok((connection, process)) => over(client, role, connection, process, requests).await,
            Err(Refusal::Final(error)) => error,
            Err(Refusal::NoProcess(error)) if role == Role::Keeper => cannot_keep(&error),
            Err(Refusal::NoProcess(error)) => {
                if !matches!(error, StartError::Unsupported) {
                    terminal::warn(&without_process(&error));
                }
                ending::register(client);
                in_process(client, requests).await
            }
        },
    };
    client.lose(lost);
}

/// Runs the supervisor in this process.
async fn in_process(client: &'static Client, requests: mpsc::UnboundedReceiver<Request>) -> Error {
    let (to_client, mut messages) = mpsc::unbounded_channel();
    let settings = client.settings.clone();
    tokio::spawn(supervisor::run(settings, requests, to_client));
    while let Some(message) = messages.recv().await {
        client.receive(message);
    }
    Error::new(
        ErrorKind::Engine,
        "the supervisor in this process has ended unexpectedly",
    )
}

/// A connection to a supervisor that has accepted this process.
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

async fn connect(client: &Client, role: Role) -> Result<(Welcomed, ProcessId), Refusal> {
    // A keeper needs it, too: at the end of the run it says what is kept.
    let run = Run::of_process().map_err(Refusal::NoProcess)?;
    let engine = match &client.settings {
        Ok(settings) => settings.engine_choice(),
        Err(error) => return Err(Refusal::Final(error.clone())),
    };
    let process = run.process;
    #[cfg(target_os = "linux")]
    crate::supervise::link();
    let begun = Instant::now();
    loop {
        let (run, engine) = (run.clone(), engine.clone());
        let connecting = tokio::task::spawn_blocking(move || match role {
            Role::Run => run::connect(&run),
            Role::Keeper => run::connect_to_keeper(&engine),
        });
        let connected = connecting.await.expect("it does not panic");
        let Connection { stream, log } = connected.map_err(Refusal::NoProcess)?;
        let mut stream = registered(stream)
            .map_err(|error| Refusal::Final(Error::new(ErrorKind::Engine, error.to_string())))?;
        match wire::greet(&mut stream).await {
            Ok(()) => return Ok((Welcomed { stream, log }, process)),
            // The supervisor was about to end.
            Err(GreetError::Closed) if begun.elapsed() < DEADLINE => {}
            Err(error) => {
                let kind = match error {
                    GreetError::OtherVersion { .. } => ErrorKind::Configuration,
                    _ => ErrorKind::Engine,
                };
                let what = format!("{} refuses this process: {error}", describe(role));
                return Err(Refusal::Final(Error::new(kind, what)));
            }
        }
    }
}

fn registered(stream: std::os::unix::net::UnixStream) -> io::Result<UnixStream> {
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

/// Serves the client over a connection to a supervisor in a process of its own.
async fn over(
    client: &'static Client,
    role: Role,
    Welcomed { stream, log }: Welcomed,
    process: ProcessId,
    requests: mpsc::UnboundedReceiver<Request>,
) -> Error {
    let (read, mut write) = stream.into_split();
    let introduction = Introduction {
        settings: client.settings.clone(),
        process: Some(process),
    };
    let (first, introductions) = mpsc::unbounded_channel();
    let _ = first.send(Request {
        call: 0,
        body: RequestBody::Introduce(Box::new(introduction)),
    });
    drop(first);
    let refused = move |request, error: &EncodeError| refused(client, request, error);
    tokio::spawn(async move {
        // The client is introduced before any other request. Reading reports why the connection ends.
        let _ = wire::write_messages(&mut write, introductions, refused).await;
        let _ = wire::write_messages(write, requests, refused).await;
    });
    let mut messages = wire::Messages::<_, Message>::new(read);
    loop {
        match messages.next().await {
            Ok(Some(message)) => client.receive(message),
            Ok(None) => return gone(role, &log, None),
            Err(error) => return gone(role, &log, Some(&error)),
        }
    }
}

/// Fails the call of a request that cannot be sent.
fn refused(client: &'static Client, request: Request, error: &EncodeError) -> Option<Request> {
    let what = format!("cannot send this to the supervisor: {error}");
    let outcome = Err(Error::new(ErrorKind::Operation, what));
    let call = request.call;
    client.receive(Message::Answer { call, outcome });
    None
}

/// The supervisor of this role, in words.
fn describe(role: Role) -> &'static str {
    match role {
        Role::Run => "the run's supervisor",
        Role::Keeper => "the process that keeps services between runs",
    }
}

fn gone(role: Role, log: &Path, why: Option<&wire::WireError>) -> Error {
    let what = format!(
        "lost the connection to {}, which owns the services",
        describe(role)
    );
    Error::new(ErrorKind::Engine, what).with(|report| {
        report.details.extend(why.map(ToString::to_string));
        report.help = Some(format!(
            "check whether something killed it (its log is {}), and run the tests again; what it left behind has the \
             label `dev.seatrial.run`: `docker ps --all --filter label=dev.seatrial.run`",
            log.display()
        ));
    })
}

fn cannot_keep(error: &StartError) -> Error {
    let what = format!(
        "cannot keep services between runs: {}",
        wording::chain(error)
    );
    Error::new(ErrorKind::Engine, what).with(|report| {
        report.help = Some(
            "set `SEATRIAL_KEEP=off`, or write `keep = \"off\"` in seatrial.toml, to have services of scope `keep` live as long as the run"
                .to_owned(),
        );
    })
}

fn without_process(error: &StartError) -> String {
    format!(
        "{}; this test process runs its services itself and shares none with others. To do so without this \
         warning, set `SEATRIAL_SUPERVISOR=in-process`",
        wording::chain(error)
    )
}
