//! Checks that the service serves a TCP port, not a proxy in front of it.
//!
//! An engine publishes a port through its own proxy, which accepts connections from the start of the container, whether
//! the service listens or not. So the check connects to the container's own address if this process can reach it. A
//! connection through the proxy counts only if it outlives the proxy's own attempt to reach the service.
//!
//! A service whose port was served before is checked without a connection. Some services count a silent connection as a
//! failed login (MariaDB blocks a host after a hundred in a row, PostgreSQL and RabbitMQ log each), and a shared
//! service is checked for every test.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::outcome::Outcome;
use super::reach::{self, Target};
use super::sockets::{self, Reach};
use super::subject::Subject;

/// The check of one port.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    /// Whether the port was served before.
    was_served: bool,
    hold: Hold,
}

impl Port {
    pub(super) fn new(number: u16) -> Self {
        Self {
            number,
            was_served: false,
            hold: Hold::default(),
        }
    }

    /// The check of a port that was served before.
    pub(super) fn again(self) -> Self {
        Self {
            was_served: true,
            ..self
        }
    }

    pub(super) fn number(&self) -> u16 {
        self.number
    }

    pub(super) fn describe(&self) -> String {
        format!("tcp on port {}", self.number)
    }

    pub(super) async fn attempt(&mut self, subject: &Subject<'_>) -> Outcome {
        let target = match Target::of(subject, self.number) {
            Ok(target) => target,
            Err(reason) => return Outcome::Never(reason),
        };
        if self.was_served
            && let Some(outcome) = self.look(subject, &target).await
        {
            return outcome;
        }
        let stream = match target.connect().await {
            Ok(stream) => stream,
            Err(reason) if reason == reach::REFUSED => return refused(),
            Err(reason) => return Outcome::NotYet(reason.into()),
        };
        match target {
            Target::Direct(_) => Outcome::HoldsAndRuns,
            Target::Published(..) => self.hold.watch(&stream).await,
        }
    }
}

/// The outcome of a refused connection.
pub(super) fn refused() -> Outcome {
    Outcome::Unserved(reach::REFUSED.to_owned().into())
}

/// The outcome of a connection to a published port that ended before the service said anything.
pub(super) fn closed_by_proxy(closed: &str) -> Outcome {
    let said = format!(
        "{closed}; the engine accepts connections even if the service does not listen on 0.0.0.0 yet"
    );
    Outcome::Unserved(said.into())
}

impl Port {
    /// Whether the port is still served, without a connection: from the kernel's table if this process can read it. For
    /// a port behind an engine's proxy, a connection would show no more than the engine's answer: that the container
    /// runs. `None` if only a connection can tell.
    async fn look(&self, subject: &Subject<'_>, target: &Target) -> Option<Outcome> {
        let info = subject.engine.inspect(subject.container).await.ok()?;
        if !info.running || !subject.engine.has_address(&info, subject.address).await {
            return None;
        }
        if let Target::Published(..) = target {
            return Some(Outcome::HoldsAndRuns);
        }
        let listening = sockets::beside(info.process?, subject.address)?;
        Some(match listening.get(&self.number) {
            None | Some(Reach::Loopback) => {
                Outcome::Unserved("the service no longer listens".to_owned().into())
            }
            Some(_) => Outcome::HoldsAndRuns,
        })
    }
}

/// How long a silent connection through a proxy must stay open to count.
///
/// Docker's proxy connects to the service as soon as it has accepted, and closes the connection when it is refused:
/// after less than a millisecond on an idle machine, and after 50 ms at worst in a thousand with four processes to a
/// core. A slower proxy, such as one in a virtual machine, shows its speed each time it closes a connection. It gets
/// ten times that. A container that drops packets instead of refusing them looks like a silent service here: the proxy
/// then waits itself, four seconds for an unused address, two minutes for a firewall.
#[derive(Debug, Default)]
struct Hold {
    slowest_close: Duration,
}

impl Hold {
    const SHORTEST: Duration = Duration::from_millis(250);
    const LONGEST: Duration = Duration::from_secs(3);
    const TIMES: u32 = 10;

    fn deadline(&self) -> Duration {
        (self.slowest_close * Self::TIMES).clamp(Self::SHORTEST, Self::LONGEST)
    }

    async fn watch(&mut self, stream: &TcpStream) -> Outcome {
        let opened = Instant::now();
        let closed = match timeout(self.deadline(), stream.peek(&mut [0; 1])).await {
            // The connection is still open, or the service speaks.
            Err(_) | Ok(Ok(1..)) => return Outcome::Holds,
            Ok(Ok(0)) => "the connection was closed at once".to_owned(),
            Ok(Err(error)) => reach::describe(&error),
        };
        self.slowest_close = self.slowest_close.max(opened.elapsed());
        closed_by_proxy(&closed)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    /// The outcome of a connection that the other end treats like this. The value of `treat` is kept until then.
    async fn watched<K>(treat: impl AsyncFnOnce(TcpStream) -> K) -> Outcome {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let kept = treat(listener.accept().await.unwrap().0).await;
        let outcome = Hold::default().watch(&stream).await;
        drop(kept);
        outcome
    }

    #[tokio::test]
    async fn a_connection_is_believed_when_it_speaks_or_stays_open() {
        assert_eq!(watched(async |stream| stream).await, Outcome::Holds);
        let speaks = async |mut stream: TcpStream| stream.write_all(b"hello").await.unwrap();
        assert_eq!(watched(speaks).await, Outcome::Holds);
    }

    #[tokio::test]
    async fn a_connection_that_is_closed_or_reset_is_not_believed() {
        let closed = watched(async |stream| drop(stream)).await;
        assert!(matches!(closed, Outcome::Unserved(remark) if remark.said.contains("closed")));
        let reset = watched(async |stream| {
            // A close without lingering is a reset.
            stream.set_zero_linger().unwrap();
        })
        .await;
        assert!(matches!(reset, Outcome::Unserved(remark) if remark.said.contains("reset")));
    }

    #[test]
    fn a_slower_proxy_is_given_more_time() {
        let deadline = |slowest_close| Hold { slowest_close }.deadline();
        assert_eq!(deadline(Duration::ZERO), Hold::SHORTEST);
        assert_eq!(
            deadline(Duration::from_millis(60)),
            Duration::from_millis(600)
        );
        assert_eq!(deadline(Duration::from_secs(60)), Hold::LONGEST);
    }
}
