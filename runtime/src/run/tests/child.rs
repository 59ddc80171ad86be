//! Further test processes: this executable, started again to be one, which it sees before `main` as well.

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::{Client, Fixture, SUPERVISOR};
use crate::run::directory::RunDirectory;
use crate::run::election::Election;
use crate::run::intercept::close_listed;
use crate::run::process::ProcessId;

const ROLE: &str = "SEATRIAL_TEST_ROLE";
const DIRECTORY: &str = "SEATRIAL_TEST_DIRECTORY";
const PROCESS: &str = "SEATRIAL_TEST_PROCESS";

/// How many connections a child has.
pub(super) const CONNECTIONS: usize = 4;

/// After that by which supervisors are started, for they inherit the variable.
#[used]
#[unsafe(link_section = ".init_array.00102")]
static PLAY: extern "C" fn() = play;

extern "C" fn play() {
    let Some(role) = std::env::var_os(ROLE) else {
        return;
    };
    let played = std::panic::catch_unwind(|| match role.to_str() {
        Some("connect") => connect(),
        Some("close") => close(),
        _ => panic!("unknown role {role:?}"),
    });
    std::process::exit(i32::from(played.is_err()));
}

/// A process that starts in this role.
pub(super) fn command(role: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.env(ROLE, role);
    command
}

/// Connects at once from several threads, says by whom it was answered, and stays until its input is closed.
fn connect() {
    let variable = |name| std::env::var(name).expect("it is set");
    let election = Election::new(
        RunDirectory::at(variable(DIRECTORY).into()),
        variable(PROCESS).parse::<ProcessId>().expect("a process"),
    );
    let clients: Vec<Client> = std::thread::scope(|scope| {
        let attach = || Client::attach(&election).expect("a supervisor");
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(attach)).collect();
        let clients = threads.into_iter().map(|thread| thread.join());
        clients.map(|client| client.expect("no panic")).collect()
    });
    for client in &clients {
        println!("{}", client.supervisor);
    }
    let _ = std::io::stdin().read(&mut [0]);
}

/// Says how many descriptors beside the standard ones are open after they were closed.
fn close() {
    let null = std::fs::File::open("/dev/null").expect("it is there");
    // SAFETY: the descriptor is that of a file that nobody uses again.
    let _ = unsafe { libc::dup2(std::os::fd::AsRawFd::as_raw_fd(&null), 77) };
    std::mem::forget(null);
    let open = || std::fs::read_dir("/proc/self/fd").expect("a list").count();
    let before = open();
    close_listed(3).expect("a list");
    // Three, and that of the list.
    let after = open();
    let _ = writeln!(std::io::stdout(), "{} {after}", before > after);
}

/// A test process that is connected.
pub(super) struct Connected {
    pub(super) child: Child,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Connected {
    pub(super) fn start(fixture: &Fixture) -> Self {
        Self::start_with(fixture, "minimal")
    }

    /// Where it starts a supervisor, that behaves so.
    pub(super) fn start_with(fixture: &Fixture, behaviour: &str) -> Self {
        let mut child = command("connect")
            .env(DIRECTORY, fixture.directory().path())
            .env(PROCESS, fixture.process.to_string())
            .env(SUPERVISOR, behaviour)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let output = child.stdout.take().expect("a pipe");
        Self {
            child,
            answers: BufReader::new(output).lines(),
        }
    }

    /// By whom each of its connections was answered.
    pub(super) fn answers(&mut self) -> Vec<ProcessId> {
        let answers = self.answers.by_ref().take(CONNECTIONS);
        answers
            .map(|line| line.expect("text").parse().expect("a process"))
            .collect()
    }

    /// Lets it end.
    pub(super) fn end(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().expect("its end").success());
    }
}
