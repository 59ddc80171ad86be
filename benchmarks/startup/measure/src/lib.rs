//! What the contenders have in common: how they ask a server whether it answers, how they wait until the engine has come to
//! rest, and how they report what they measured.
//!
//! A sample is one line of JSON on the standard output, which `cargo xtask bench` reads. Nothing here starts a container that
//! is measured.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

mod engine;

pub use engine::{Container, Ports, call, settle};

/// How many services there are in `twenty`.
pub const TWENTY: usize = 20;

/// How often a process measures a start after its first, of one service and of several.
pub const LATER: usize = 3;
pub const LATER_OF_SEVERAL: usize = 1;

/// The cases of a start: nothing was started before; networks are prepared, if the contender does that; services, too.
pub const COLD: &str = "cold";
pub const WARM: &str = "warm";
pub const AHEAD: &str = "started ahead";

/// The first start of a process, where everybody makes a network for it.
pub const COLD_ON_A_NETWORK: &str = "cold, on a new network";

/// The network of that case, which is different for each process.
pub fn network() -> String {
    let process = std::env::var(PROCESS).expect("`cargo xtask bench` names the process");
    format!("startup-{process}")
}

/// How many processes attach to what one process of `attach` holds.
pub const ATTACHING: usize = 10;

/// How many services a process of `lag` starts for each kind of readiness.
pub const LAGS: usize = 4;

/// The image of the server that becomes ready at a moment of its own choice, and the port that it serves.
pub const SERVER: (&str, &str) = ("localhost/seatrial-bench-server", "1");
pub const SERVER_PORT: u16 = 8080;

/// The label of what is started here without Seatrial, by which leftovers are found.
pub const LABEL: (&str, &str) = ("dev.seatrial.test", "bench");

/// The variable that is different for each process that `cargo xtask bench` starts, and inherited by its children.
pub const PROCESS: &str = "STARTUP_PROCESS";

/// How long a server may take to answer, and an engine to come to rest: far longer than they do.
const DEADLINE: Duration = Duration::from_secs(60);

/// The pace at which a server is asked that does not answer yet.
const PACE: Duration = Duration::from_millis(1);

/// Measures the first start of this process, and later ones with networks prepared.
pub fn starts<T>(later: usize, start: impl Fn() -> T) {
    drop(measured(COLD, &start));
    starts_after(WARM, later, &start);
}

/// Measures starts of what this process has started before, with everything prepared.
pub fn starts_ahead<T>(later: usize, start: impl Fn() -> T) {
    drop(start());
    starts_after(AHEAD, later, &start);
}

/// Measures starts after another that is not measured. What was started before is gone each time.
fn starts_after<T>(case: &str, later: usize, start: &impl Fn() -> T) {
    settle();
    drop(start());
    for _ in 0..later {
        drop(measured(case, start));
    }
}

/// Measures one start, once all is quiet.
pub fn measured<T>(case: &str, start: impl FnOnce() -> T) -> T {
    settle();
    let begun = Instant::now();
    let started = start();
    sample(case, begun.elapsed());
    started
}

/// Reports how long something took.
pub fn sample(case: &str, took: Duration) {
    print(case, "nanoseconds", took.as_nanos());
}

/// Reports the last statement of a test: how long the process lives on is measured from here.
pub fn ending(case: &str) {
    print(case, "ended", now());
}

/// Reports how long after the server was ready its start returned.
pub fn lag(case: &str, returned: u128, address: SocketAddr) {
    let ready = moment(address).expect("the server says when it was ready");
    print(case, "nanoseconds", returned.saturating_sub(ready));
}

/// The time of day in nanoseconds: the same clock in all processes, and in the containers of an engine on this machine.
pub fn now() -> u128 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.expect("the clock is set").as_nanos()
}

/// Returns once a Redis answers PING.
pub fn redis_answers(address: SocketAddr) {
    let begun = Instant::now();
    while let Err(error) = conversation(address, &[("PING\r\n", "+PONG")]) {
        assert!(begun.elapsed() < DEADLINE, "{address}: {error}");
        thread::sleep(PACE);
    }
}

/// One SET and one GET: what a test does with a Redis of its own.
pub fn set_and_get(address: SocketAddr) {
    let commands = [
        ("EXISTS albatross\r\n", ":0"),
        ("SET albatross 1\r\n", "+OK"),
        ("GET albatross\r\n", "$1\r\n1"),
    ];
    conversation(address, &commands).expect("Redis sets and gets");
}

/// Runs another test of this executable in so many processes, one after another, and lets their samples through.
pub fn in_new_processes(test: &str, count: usize, environment: &[(&str, &str)]) {
    for _ in 0..count {
        let executable = std::env::current_exe().expect("the path of this executable");
        let mut command = Command::new(executable);
        command.args([test, "--exact", "--ignored", "--nocapture"]);
        let status = command.envs(environment.iter().copied()).status();
        let status = status.expect("this executable starts again");
        assert!(status.success(), "{test}: {status}");
    }
}

fn print(case: &str, field: &str, value: u128) {
    // The harness has not ended its line.
    println!("\n{{\"case\":\"{case}\",\"{field}\":{value}}}");
}

/// Says each command to a server and checks how its answer begins.
fn conversation(address: SocketAddr, commands: &[(&str, &str)]) -> io::Result<()> {
    let mut connection = connect(address)?;
    for (command, expected) in commands {
        connection.write_all(command.as_bytes())?;
        let mut answer = vec![0; expected.len()];
        connection.read_exact(&mut answer)?;
        if answer != expected.as_bytes() {
            let answer = String::from_utf8_lossy(&answer);
            return Err(io::Error::other(format!("{command:?}: {answer:?}")));
        }
        // The end of the line.
        connection.read_exact(&mut [0; 2])?;
    }
    Ok(())
}

/// When the server at this address was ready, by its own clock.
fn moment(address: SocketAddr) -> io::Result<u128> {
    let mut connection = connect(address)?;
    connection.write_all(b"GET /moment HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    let moment = answer
        .split("\r\n\r\n")
        .nth(1)
        .and_then(|it| it.parse().ok());
    moment.ok_or_else(|| io::Error::other(format!("unexpected answer: {answer:?}")))
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let connection = TcpStream::connect_timeout(&address, DEADLINE)?;
    connection.set_nodelay(true)?;
    connection.set_read_timeout(Some(DEADLINE))?;
    Ok(connection)
}
