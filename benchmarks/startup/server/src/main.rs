//! A server that becomes ready after a time of its own choice, and can say when that was.
//!
//! What becoming ready is, its argument says: `tcp`, it begins to listen; `log`, it writes a line; `http`, it answers 200
//! instead of 503. The body of each later answer is the moment, in nanoseconds of the clock that all containers share.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

/// The moment; 0 before it.
static READY: AtomicU64 = AtomicU64::new(0);

/// The shortest and the longest time until it is ready, in milliseconds.
const WAIT: std::ops::RangeInclusive<u64> = 150..=700;

fn main() {
    let kind = std::env::args().nth(1).unwrap_or_default();
    // Different in each process: nobody can be in step with it.
    let wait = WAIT.start() + now() / 1000 % (WAIT.end() - WAIT.start() + 1);
    let wait = Duration::from_millis(wait);
    let listener = match kind.as_str() {
        "tcp" => {
            thread::sleep(wait);
            let listener = listen();
            READY.store(now(), Ordering::Release);
            listener
        }
        "log" | "http" => {
            let listener = listen();
            thread::spawn(move || {
                thread::sleep(wait);
                READY.store(now(), Ordering::Release);
                if kind == "log" {
                    println!("ready");
                }
            });
            listener
        }
        _ => panic!("unknown kind `{kind}`: expected `tcp`, `log` or `http`"),
    };
    for connection in listener.incoming().flatten() {
        thread::spawn(move || answer(&connection));
    }
}

fn listen() -> TcpListener {
    TcpListener::bind(("0.0.0.0", 8080)).expect("port 8080 is free")
}

/// Answers one request. Whoever only connects gets no answer.
fn answer(mut connection: &TcpStream) -> Option<()> {
    let mut lines = BufReader::new(connection).lines();
    while !lines.next()?.ok()?.is_empty() {}
    let (status, body) = match READY.load(Ordering::Acquire) {
        0 => ("503 Service Unavailable", String::new()),
        moment => ("200 OK", moment.to_string()),
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    connection.write_all((head + &body).as_bytes()).ok()
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let nanoseconds = now.expect("the clock is set").as_nanos();
    u64::try_from(nanoseconds).expect("it counts from 1970")
}
