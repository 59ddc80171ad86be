//! Whether a TCP port is served: by the service, not by something in front of it.
//!
//! An engine publishes a port through a proxy of its own, which accepts connections from the moment the container
//! starts, whether the service listens or not. So the container's own address is asked wherever this process can
//! reach it, and a connection through the proxy is believed only when it outlives the proxy's own attempt to
//! reach the service.
//!
//! A service whose port was served before is looked at without a connection. One that says nothing and is closed counts
//! as a failed login with some (MariaDB blocks a host after a hundred in a row, PostgreSQL and RabbitMQ log each), and a
//! shared service is looked at for every test.

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
    /// Whether it was served before.
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

    /// As one that was served before.
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
            Err(reason) => return Outcome::NotYet(reason),
        };
        match target {
            Target::Direct(_) => Outcome::Holds,
            Target::Published(..) => self.hold.watch(&stream).await,
        }
    }
}

/// What a connection that is refused means.
pub(super) fn refused() -> Outcome {
    Outcome::Unserved(format!(
        "{}; the service must listen on 0.0.0.0, not on 127.0.0.1 alone",
        reach::REFUSED
    ))
}

/// What it means that a connection to a published port ended, in these words, before the service said anything.
pub(super) fn closed_by_proxy(closed: &str) -> Outcome {
    Outcome::Unserved(format!(
        "{closed}; the engine accepts for a service that does not listen on 0.0.0.0 yet"
    ))
}

impl Port {
    /// Whether the port is still served, as far as that is seen without a connection: from the kernel's table where that
    /// is within reach. Through an engine's proxy a connection would show no more than what the engine says, which is
    /// whether the container is there. `None` where only a connection can tell.
    async fn look(&self, subject: &Subject<'_>, target: &Target) -> Option<Outcome> {
        let info = subject.engine.inspect(subject.container).await.ok()?;
        if !info.running || !info.addresses.contains(&subject.address) {
            return None;
        }
        if let Target::Published(..) = target {
            return Some(Outcome::Holds);
        }
        let listening = sockets::beside(info.process?, subject.address)?;
        Some(match listening.get(&self.number) {
            None | Some(Reach::Loopback) => {
                Outcome::Unserved("the service does not listen any more".to_owned())
            }
            Some(_) => Outcome::Holds,
        })
    }
}

/// How long a connection through a proxy must stay open, silent, to be believed.
///
/// Docker's proxy connects to the service as soon as it has accepted, and closes when it is refused: after less
/// than a millisecond on an idle machine, 50 ms at worst in a thousand with four processes to a core. A slower proxy, in
/// a virtual machine say, shows how slow it is each time it closes on us, and is given ten times that. What this cannot
/// tell from a silent service is a container that drops packets rather than refuse them: the proxy then waits itself,
/// four seconds for an address that nobody has, two minutes for a firewall.
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
            // It is still open, or it speaks.
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

    /// What is made of a connection that its other end treats so; what that returns is kept until then.
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
        assert!(matches!(closed, Outcome::Unserved(said) if said.contains("closed")));
        let reset = watched(async |stream| {
            // A close without lingering is a reset.
            stream.set_zero_linger().unwrap();
        })
        .await;
        assert!(matches!(reset, Outcome::Unserved(said) if said.contains("reset")));
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
