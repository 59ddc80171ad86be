//! What the contenders have in common: how they ask a server whether it answers, and how they report what they measured.
//!
//! A sample is one line of JSON on the standard output, which `cargo xtask bench` reads. Nothing here starts a container.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// How many services there are in `twenty`.
pub const TWENTY: usize = 20;

/// How often a process of `one` starts a service after its first.
pub const LATER: usize = 3;

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

/// How long a server may take to answer: far longer than it does.
const DEADLINE: Duration = Duration::from_secs(60);

/// The pace at which a server is asked that does not answer yet.
const PACE: Duration = Duration::from_millis(1);

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
