//! Endings at an engine that hangs (it accepts and never answers, from the beginning or from some moment on), or goes away.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use seatrial_tests::engine;

use crate::processes;
use crate::run::{Run, until};

/// An engine in front of the real one, until it hangs or goes away. Its socket is in a run's own directory and goes with that.
struct Engine {
    socket: PathBuf,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    hangs: AtomicBool,
    is_away: AtomicBool,
    /// The connections of its clients.
    clients: Mutex<Vec<UnixStream>>,
}

impl Engine {
    fn of(run: &Run) -> Self {
        let socket = run.path("engine.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let state = Arc::<State>::default();
        let accepting = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.expect("a connection");
                let mut clients = accepting.clients.lock().expect("no panic");
                if accepting.is_away.load(Ordering::SeqCst) {
                    continue;
                }
                clients.push(stream.try_clone().expect("a second handle"));
                if !accepting.hangs.load(Ordering::SeqCst) {
                    connect(stream, &accepting);
                }
            }
        });
        Self { socket, state }
    }

    fn address(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// From now on nothing is passed on.
    fn hang(&self) {
        self.state.hangs.store(true, Ordering::SeqCst);
    }

    /// Every connection breaks, and from now on whoever connects is turned away.
    fn go_away(&self) {
        let mut clients = self.state.clients.lock().expect("no panic");
        self.state.is_away.store(true, Ordering::SeqCst);
        for client in clients.drain(..) {
            // It may have ended.
            let _ = client.shutdown(Shutdown::Both);
        }
    }

    /// From now on it answers whoever connects.
    fn recover(&self) {
        self.state.hangs.store(false, Ordering::SeqCst);
        self.state.is_away.store(false, Ordering::SeqCst);
    }
}

/// Passes on what both sides say.
fn connect(client: UnixStream, state: &Arc<State>) {
    let engine = engine::connect();
    let other = |stream: &UnixStream| stream.try_clone().expect("a second handle");
    for (from, to) in [(other(&client), other(&engine)), (engine, client)] {
        let state = state.clone();
        std::thread::spawn(move || pass_on(from, to, &state.hangs));
    }
}

fn pass_on(mut from: UnixStream, mut to: UnixStream, hangs: &AtomicBool) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = from.read(&mut buffer).unwrap_or(0);
        while hangs.load(Ordering::SeqCst) {
            std::thread::park();
        }
        if read == 0 || to.write_all(&buffer[..read]).is_err() {
            // The other direction may go on.
            let _ = to.shutdown(Shutdown::Write);
            return;
        }
    }
}

/// A run that uses this engine and waits so long for an answer.
fn at(mut run: Run, engine: &Engine, timeout: &str) -> Run {
    run.command
        .env("DOCKER_HOST", engine.address())
        .env("SEATRIAL_TIMEOUTS_ENGINE", timeout);
    run
}

#[test]
fn an_engine_that_never_answers_fails_the_test_and_keeps_nothing_waiting() {
    for in_process in [false, true] {
        let mut run = Run::direct("passes");
        if in_process {
            run = run.in_process();
        }
        let engine = Engine::of(&run);
        engine.hang();
        let said = format!(
            "{} (DOCKER_HOST): no answer within 500ms; restart the engine if it hangs, or raise `timeouts.engine`",
            engine.address()
        );
        at(run, &engine, "1s")
            .end()
            .exited(101)
            .said_once("the container engine does not answer; tried")
            .said_once(&said);
    }
}

/// The test ends although nobody can say what its services did, and the supervisor although it cannot remove anything. The
/// next run does.
fn ends_where_the_engine_hangs_later(run: Run) {
    let engine = Engine::of(&run);
    // Time enough for a real engine on a busy machine.
    let mut run = at(run, &engine, "10s").spawn();
    run.until_recorded();
    engine.hang();
    run.go();
    run.until_gone();
    until("nothing of the run goes on", || {
        processes::of(&run.id).is_empty().then_some(())
    });
    engine.recover();
    run.end_abandoned()
        .exited(101)
        .said("the log of service `app` cannot be read")
        .said("has not answered within 10s");
}

#[test]
fn an_engine_that_hangs_later_keeps_neither_test_nor_supervisor_waiting() {
    ends_where_the_engine_hangs_later(Run::direct("fails_when_told"));
}

#[test]
fn an_engine_that_hangs_later_does_not_keep_a_supervisor_in_the_process_waiting() {
    ends_where_the_engine_hangs_later(Run::direct("fails_when_told").in_process());
}

#[test]
fn an_engine_that_goes_away_is_named_and_has_nothing_when_it_is_back() {
    let run = Run::direct("is_never_ready");
    let engine = Engine::of(&run);
    let mut run = at(run, &engine, "10s");
    let events = run.path("events");
    run.command.env("SEATRIAL_EVENTS", &events);
    let mut run = run.spawn();
    run.until("it waits for a service that is never ready", |_| {
        let events = std::fs::read_to_string(&events).unwrap_or_default();
        let mut of_wind = events.lines().filter(|event| event.contains("\"wind\""));
        of_wind
            .any(|event| event.contains("\"started\""))
            .then_some(())
    });
    engine.go_away();
    run.until_gone();
    engine.recover();
    run.end()
        .exited(101)
        .said("service `wind` of `Becalmed`: the engine went away: cannot ")
        .said("help: the engine went away or hangs");
}
