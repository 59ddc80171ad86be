//! Between an engine and a registry: sees the requests, holds or breaks the answers.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// A proxy from a port on loopback to a Unix socket. It ends with the process; the value is how to talk to it.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    requests: Vec<String>,
    /// After how many bytes of answers to break a connection.
    break_after: Option<usize>,
    /// How many connections are still to be broken.
    breaks: usize,
    /// Whether answers are held back.
    held: bool,
}

impl Proxy {
    pub(super) fn start(socket: PathBuf) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("it has an address");
        let shared = Arc::new(Shared::default());
        let for_connections = Arc::clone(&shared);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let shared = Arc::clone(&for_connections);
                let socket = socket.clone();
                std::thread::spawn(move || {
                    // A connection that breaks is what this is for.
                    let _ = connect(&connection, &socket, &shared);
                });
            }
        });
        Self { address, shared }
    }

    /// The first lines of all requests so far.
    pub(super) fn requests(&self) -> Vec<String> {
        self.shared.lock().requests.clone()
    }

    /// Breaks so many connections, each after so many bytes of answers.
    pub(super) fn break_connections(&self, count: usize, after: usize) {
        let mut state = self.shared.lock();
        state.break_after = Some(after);
        state.breaks = count;
    }

    /// How many connections are still to be broken.
    pub(super) fn breaks_left(&self) -> usize {
        self.shared.lock().breaks
    }

    /// Holds all answers back, or lets them go.
    pub(super) fn hold(&self, held: bool) {
        self.shared.lock().held = held;
        self.shared.changed.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.hold(false);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn wait_until_let_go(&self) {
        let mut state = self.lock();
        while state.held {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(|poisoned| poisoned.into_inner());
        }
    }
}

fn connect(client: &TcpStream, socket: &Path, shared: &Arc<Shared>) -> io::Result<()> {
    let registry = UnixStream::connect(socket)?;
    let (mut from, mut to) = (client.try_clone()?, registry.try_clone()?);
    let for_requests = Arc::clone(shared);
    std::thread::spawn(move || {
        let _ = requests(&mut from, &mut to, &for_requests);
        let _ = to.shutdown(Shutdown::Write);
    });
    let result = answers(&mut &registry, &mut &*client, shared);
    let _ = client.shutdown(Shutdown::Both);
    let _ = registry.shutdown(Shutdown::Both);
    result
}

/// Passes requests on, and notes the first line of each.
fn requests(from: &mut impl Read, to: &mut impl Write, shared: &Shared) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let mut line = Vec::new();
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        // A pull's requests have no bodies, so every line is a header's or a request's.
        for byte in &buffer[..read] {
            if *byte != b'\n' {
                line.push(*byte);
                continue;
            }
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if text.ends_with(" HTTP/1.1") {
                shared.lock().requests.push(text);
            }
            line.clear();
        }
        to.write_all(&buffer[..read])?;
    }
}

/// Passes answers on, until the connection is one to break.
fn answers(from: &mut impl Read, to: &mut impl Write, shared: &Shared) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let mut passed = 0;
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        shared.wait_until_let_go();
        to.write_all(&buffer[..read])?;
        passed += read;
        let mut state = shared.lock();
        if state.breaks > 0 && state.break_after.is_some_and(|after| passed > after) {
            state.breaks -= 1;
            return Ok(());
        }
    }
}
