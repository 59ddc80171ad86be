//! The library under test: a lock that is held while most of several independent nodes say so.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::redis::{Reply, command};

const RELEASE: &str = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end";
const EXTEND: &str = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) else return 0 end";

/// Gives out locks.
#[derive(Clone, Debug)]
pub(crate) struct Locks {
    nodes: Vec<SocketAddr>,
}

/// A lock that somebody holds, until it expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lock {
    pub(crate) name: String,
    /// Its holder's alone.
    pub(crate) value: String,
}

impl Locks {
    pub(crate) fn new(nodes: impl IntoIterator<Item = SocketAddr>) -> Self {
        Self {
            nodes: nodes.into_iter().collect(),
        }
    }

    /// The lock of this name, where most nodes grant it before it has expired.
    pub(crate) fn acquire(&self, name: &str, lives: Duration) -> Option<Lock> {
        let begun = Instant::now();
        let lock = Lock {
            name: name.to_owned(),
            value: unique(),
        };
        let millis = lives.as_millis().to_string();
        let set = ["SET", name, &lock.value, "NX", "PX", &millis];
        let granted = self.agree(&set, &Reply::Text("OK".to_owned()));
        if granted && begun.elapsed() < lives {
            return Some(lock);
        }
        self.release(&lock);
        None
    }

    /// Gives a lock back, wherever it is held.
    pub(crate) fn release(&self, lock: &Lock) {
        self.agree(
            &["EVAL", RELEASE, "1", &lock.name, &lock.value],
            &Reply::Number(1),
        );
    }

    /// Has a lock live for so long from now; false where most nodes do not know it any more.
    pub(crate) fn extend(&self, lock: &Lock, lives: Duration) -> bool {
        let millis = lives.as_millis().to_string();
        let extend = ["EVAL", EXTEND, "1", &lock.name, &lock.value, &millis];
        self.agree(&extend, &Reply::Number(1))
    }

    /// Whether most nodes answer so. Every node is asked.
    fn agree(&self, words: &[&str], answer: &Reply) -> bool {
        let answers = self.nodes.iter().map(|node| command(*node, words));
        let agreed = answers.filter(|reply| reply.as_ref().is_ok_and(|reply| reply == answer));
        agreed.count() > self.nodes.len() / 2
    }
}

fn unique() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    format!("{}-{number}-{}", std::process::id(), now.as_nanos())
}
