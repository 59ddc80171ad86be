//! A way to the engine that can be closed for a while: what is asked meanwhile waits.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Condvar, Mutex};

use seatrial_tests::engine;

use crate::run::Run;

/// A socket beside the engine's own.
pub(crate) struct Gate {
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    closed: Mutex<bool>,
    changed: Condvar,
    /// What has come to the gate while it was closed.
    held: Mutex<Vec<u8>>,
}

impl Gate {
    /// An open gate between the engine and a child to be.
    pub(crate) fn before(run: &mut Run) -> Self {
        let socket = run.path("engine");
        let host = format!("unix://{}", socket.display());
        run.command.env("DOCKER_HOST", host);
        let listener = UnixListener::bind(socket).expect("a socket");
        let state = Arc::new(State::default());
        let gate = Self {
            state: state.clone(),
        };
        // Its threads end with this process: they are a few, and blocked.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let engine = engine::connect();
                let (to_client, from_engine) = (client.try_clone(), engine.try_clone());
                let state = state.clone();
                std::thread::spawn(move || pass(client, engine, |part| state.wait(part)));
                let (to_client, from_engine) =
                    (to_client.expect("a handle"), from_engine.expect("a handle"));
                std::thread::spawn(move || pass(from_engine, to_client, |_| ()));
            }
        });
        gate
    }

    pub(crate) fn close(&self) {
        *self.state.closed.lock().expect("no panic") = true;
    }

    /// Whether this is in what has come to the gate while it was closed.
    pub(crate) fn holds(&self, text: &str) -> bool {
        let held = self.state.held.lock().expect("no panic");
        held.windows(text.len()).any(|part| part == text.as_bytes())
    }

    pub(crate) fn open(&self) {
        *self.state.closed.lock().expect("no panic") = false;
        self.state.changed.notify_all();
    }
}

impl State {
    fn wait(&self, part: &[u8]) {
        let closed = self.closed.lock().expect("no panic");
        if *closed {
            self.held.lock().expect("no panic").extend_from_slice(part);
        }
        let open = self.changed.wait_while(closed, |closed| *closed);
        drop(open.expect("no panic"));
    }
}

fn pass(mut from: UnixStream, mut to: UnixStream, wait: impl Fn(&[u8])) {
    let mut buffer = [0; 1 << 14];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        wait(&buffer[..read]);
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
