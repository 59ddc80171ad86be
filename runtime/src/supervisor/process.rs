//! The supervisor as a process of its own. Its clients come over a socket, and the run ends with the processes that
//! they name.
//!
//! The process has no terminal. It writes to its clients and to its log.

use std::collections::HashSet;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::identity::{Role, now_micros};
use super::journal::{self, Journal};
use super::messages::Input;
use super::sweep::{Abandoned, History};
use super::table::Supervisor;
use crate::protocol::{ClientId, Message, Request, RequestBody};
use crate::run::process::ProcessId;
use crate::run::{Log, Owner, Startup, Station};
use crate::terminal::{self, Shown};
use crate::wire::{self, EncodeError};
use crate::{Error, ErrorKind, images};

/// Serves the run until it is over and everything is removed.
///
/// # Errors
///
/// Returns an error if it cannot begin. The process that started this one gets the error as well.
pub(crate) fn run(startup: Startup) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let reason = format!("cannot start the supervisor's runtime: {error}");
            startup.fail(&reason);
            return Err(reason);
        }
    };
    let process = startup.process;
    runtime.block_on(async {
        let station = Station::open(startup).map_err(|error| error.to_string())?;
        serve(station, process).await;
        Ok(())
    })
}

async fn serve(mut station: Station, process: Option<ProcessId>) {
    let (inputs, from_clients) = mpsc::unbounded_channel();
    let shows = inputs.clone();
    // Whether the log has something that nobody was there to read.
    let untold = Arc::new(AtomicBool::new(false));
    let tells = untold.clone();
    terminal::redirect(move |shown| {
        if let Shown::Text(text) = &shown {
            log(text);
            tells.store(true, Ordering::Relaxed);
        }
        let _ = shows.send(Input::Show(shown));
    });
    end_at_signal(inputs.clone());
    let role = match process {
        Some(_) => Role::Run,
        None => Role::Keeper,
    };
    let processes = Processes::new(role, inputs.clone());
    if let Some(process) = process {
        processes.join(process);
    }
    images::sweep_locks();
    let history = history(&mut station);
    let journal = history.journal.clone();
    let mut supervisor = Supervisor::new(role, history, from_clients);
    let mut clients: ClientId = 0;
    let mut conversations = JoinSet::new();
    let mut accept = |stream| {
        // Forgets ended tasks.
        while conversations.try_join_next().is_some() {}
        clients += 1;
        let (messages, to_client) = mpsc::unbounded_channel();
        let client = clients;
        // At once, as the run does not end while a client is about to be welcomed.
        let _ = inputs.send(Input::Connected { client, messages });
        let (inputs, processes) = (inputs.clone(), processes.clone());
        conversations.spawn(async move {
            if let Err(reason) = converse(stream, client, &inputs, to_client, &processes).await {
                log(&format!("client {client}: {reason}\n"));
            }
            let _ = inputs.send(Input::Disconnected { client });
        });
    };
    let closed = loop {
        tokio::select! {
            stream = station.accept() => accept(stream),
            () = supervisor.serve() => match station.close().await {
                Ok(closed) => break closed,
                Err(not_yet) => {
                    // Otherwise the connection is closed, and the client begins again.
                    if !supervisor.ends_at_once {
                        accept(not_yet.stream);
                    }
                    station = not_yet.station;
                }
            },
        }
    };
    // Clients that are still connected notice at once, as their connection ends.
    conversations.shutdown().await;
    untold.store(false, Ordering::Relaxed);
    supervisor.close().await;
    let log = match untold.load(Ordering::Relaxed) {
        true => Log::Keep,
        false => Log::Remove,
    };
    closed.leave(log, journal.is_settled()).await;
}

/// What earlier supervisors left, in this supervisor's directory and in others.
fn history(station: &mut Station) -> History {
    let journal = Journal::open(&station.journal(), Owner::this_process(now_micros));
    let journal = journal.unwrap_or_else(|error| {
        log(&format!("cannot write the journal: {error}\n"));
        Journal::default()
    });
    let mut abandoned = Vec::new();
    let (earlier, idle) = journal.earlier();
    if !earlier.is_empty() {
        let journal = journal.clone();
        abandoned.push(Abandoned {
            belongings: earlier,
            idle,
            forget: Box::new(move || journal.forget_earlier()),
        });
    }
    for directory in station.take_abandoned() {
        let belongings = journal::parse(&directory.journal);
        if belongings.is_empty() {
            directory.remove();
            continue;
        }
        abandoned.push(Abandoned {
            belongings,
            idle: directory.idle,
            forget: Box::new(move || directory.remove()),
        });
    }
    History {
        journal,
        abandoned,
        is_detached: true,
    }
}

/// Ends the run at `SIGTERM`. The sender, such as a CI runner that ends everything a job has started, does not want
/// containers left.
fn end_at_signal(inputs: mpsc::UnboundedSender<Input>) {
    let waiting = Signals::new([SIGTERM]).and_then(|mut signals| {
        std::thread::Builder::new()
            .name("seatrial-signals".to_owned())
            .spawn(move || {
                if signals.forever().next().is_some() {
                    log("SIGTERM: removing what was started\n");
                    let _ = inputs.send(Input::End);
                }
            })
    });
    if let Err(error) = waiting {
        log(&format!("cannot handle signals: {error}\n"));
    }
}

/// Passes on the messages of a client until its last one.
///
/// # Errors
///
/// Returns the reason for which the connection is closed before the client closes it. The reason contains no part of a
/// message.
async fn converse(
    mut stream: UnixStream,
    client: ClientId,
    inputs: &mpsc::UnboundedSender<Input>,
    to_client: mpsc::UnboundedReceiver<Message>,
    processes: &Processes,
) -> Result<(), String> {
    match wire::welcome(&mut stream).await {
        Ok(()) => {}
        // A sweep connects like this to find out whether this supervisor is alive.
        Err(wire::GreetError::Closed) => return Ok(()),
        Err(error) => return Err(error.to_string()),
    }
    let (read, write) = stream.into_split();
    tokio::spawn(wire::write_messages(write, to_client, refused));
    let mut requests = wire::Messages::<_, Request>::new(read);
    loop {
        match requests.next().await {
            Ok(Some(request)) => {
                if let RequestBody::Introduce(introduction) = &request.body
                    && let Some(process) = introduction.process
                {
                    processes.join(process);
                }
                let _ = inputs.send(Input::Request { client, request });
            }
            // The connection of a killed process ends anywhere in a message.
            Ok(None) | Err(wire::WireError::Io(_)) => return Ok(()),
            Err(wire::WireError::TooLarge(_)) => {
                return Err("it has sent a message that is too large".to_owned());
            }
            Err(_) => return Err("it has sent an invalid message".to_owned()),
        }
    }
}

/// The answer that replaces one that cannot be sent.
fn refused(message: Message, error: &EncodeError) -> Option<Message> {
    match message {
        Message::Answer { call, .. } => Some(Message::Answer {
            call,
            outcome: Err(Error::new(
                ErrorKind::Operation,
                format!("cannot send the answer to the test: {error}"),
            )),
        }),
        _ => None,
    }
}

/// The processes whose end ends the run: those of the run or, in a keeper, those of all runs that use what it keeps.
#[derive(Clone)]
struct Processes {
    role: Role,
    alive: Arc<Mutex<HashSet<ProcessId>>>,
    inputs: mpsc::UnboundedSender<Input>,
}

impl Processes {
    fn new(role: Role, inputs: mpsc::UnboundedSender<Input>) -> Self {
        Self {
            role,
            alive: Arc::default(),
            inputs,
        }
    }

    /// Lets the run go on until this process has ended, too. A keeper goes on without any process, but reports what it
    /// keeps when they end.
    fn join(&self, process: ProcessId) {
        let mut alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        if !alive.insert(process) {
            return;
        }
        if self.role == Role::Run {
            let _ = self.inputs.send(Input::RunGoesOn(true));
        }
        // The process is known while it runs.
        let terminal = process.terminal();
        let processes = self.clone();
        tokio::spawn(async move {
            process.ended().await;
            let alive = &processes.alive;
            let mut alive = alive.lock().unwrap_or_else(PoisonError::into_inner);
            alive.remove(&process);
            let input = match processes.role {
                Role::Run => alive.is_empty().then_some(Input::RunGoesOn(false)),
                Role::Keeper => Some(Input::RunEnded { process, terminal }),
            };
            if let Some(input) = input {
                let _ = processes.inputs.send(input);
            }
        });
    }
}

/// Writes to the log, which is this process's standard error.
fn log(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    /// The outcome of a client that sends only this text.
    async fn says(text: &[u8]) -> Result<(), String> {
        let (stream, mut peer) = UnixStream::pair().expect("a pair of sockets");
        peer.write_all(text).await.expect("room for it");
        drop(peer);
        let (inputs, _from_clients) = mpsc::unbounded_channel();
        let (_messages, to_client) = mpsc::unbounded_channel();
        let processes = Processes::new(Role::Run, inputs.clone());
        converse(stream, 1, &inputs, to_client, &processes).await
    }

    #[tokio::test]
    async fn who_closes_before_the_greeting_is_not_worth_a_line_in_the_log() {
        assert_eq!(says(b"").await, Ok(()));
        assert_eq!(says(&[0, 0]).await, Ok(()));
        let refused = says(b"GET / HTTP/1.1\r\n\r\n").await;
        let reason = refused.expect_err("it is no client");
        assert!(reason.contains("not a seatrial process"), "{reason}");
    }
}
