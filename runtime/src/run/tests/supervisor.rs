//! A supervisor that only says who it is, and ends as a real one does: when nobody is connected any more and the
//! process of its run has ended.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::task::JoinSet;

use crate::run::directory::{Log, RunDirectory};
use crate::run::process::ProcessId;
use crate::run::startup::Startup;
use crate::run::station::Station;

pub(in crate::run) fn run(startup: Startup) -> Result<(), String> {
    match std::env::var(super::SUPERVISOR).as_deref() {
        Ok("fail") => {
            startup.fail("there is no luck:\nnone at all");
            return Ok(());
        }
        Ok("panic") => panic!("out of luck"),
        Ok("hang") => hang(&startup, || of(&startup).is_alive()),
        Ok("wait") => hang(&startup, || {
            of(&startup).is_alive() && super::note(&startup.directory).exists()
        }),
        _ => {}
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(supervise(startup))
}

/// With whose end its run ends.
fn of(startup: &Startup) -> ProcessId {
    startup.process.expect("it belongs to a run")
}

/// Leaves word of who it is, and goes no further for now.
fn hang(startup: &Startup, goes_on: impl Fn() -> bool) {
    let own = ProcessId::of(std::process::id()).expect("it runs");
    let note = super::note(&startup.directory);
    let new = note.with_extension("new");
    std::fs::write(&new, own.to_string()).expect("a file");
    std::fs::rename(&new, &note).expect("a file");
    while goes_on() {
        std::thread::sleep(Duration::from_millis(5));
    }
}

async fn supervise(startup: Startup) -> Result<(), String> {
    let (directory, process) = (startup.directory.clone(), of(&startup));
    let mut clients = JoinSet::new();
    let mut claim = Claim::on(&directory);
    let mut station = Station::open(startup).map_err(|error| error.to_string())?;
    loop {
        serve(&station, &mut clients, process).await;
        drop(claim);
        match station.close().await {
            Ok(closed) => {
                closed.leave(Log::Remove, true).await;
                return Ok(());
            }
            Err(not_yet) => {
                station = not_yet.station;
                clients.spawn(converse(not_yet.stream));
            }
        }
        claim = Claim::on(&directory);
    }
}

/// Until there is no reason to stay.
async fn serve(station: &Station, clients: &mut JoinSet<()>, process: ProcessId) {
    let mut ended = std::pin::pin!(process.ended());
    let mut is_over = false;
    while !(is_over && clients.is_empty()) {
        tokio::select! {
            stream = station.accept() => {
                clients.spawn(converse(stream));
            }
            () = &mut ended, if !is_over => is_over = true,
            Some(_) = clients.join_next() => {}
        }
    }
}

async fn converse(stream: UnixStream) {
    let own = ProcessId::of(std::process::id()).expect("it runs");
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    while let Ok(Some(_)) = lines.next_line().await {
        if write
            .write_all(format!("{own}\n").as_bytes())
            .await
            .is_err()
        {
            return;
        }
    }
}

/// What only one process on the machine can have. Another in the same directory leaves word that there were two.
struct Claim {
    _socket: Option<UnixDatagram>,
}

impl Claim {
    fn on(directory: &RunDirectory) -> Self {
        let address = SocketAddr::from_abstract_name(directory.path().as_os_str().as_bytes())
            .expect("a short name");
        let socket = UnixDatagram::bind_addr(&address).ok();
        if socket.is_none() {
            std::fs::write(super::note(directory), "").expect("a file");
        }
        Self { _socket: socket }
    }
}
