//! The list of orders, kept in Redis. A cache that is gone slows the shop down and never stops it: what fails here is
//! written to the log and counts as "not there".

use anyhow::{Context, Result};
use redis::aio::MultiplexedConnection;
use redis::{Client, Cmd, FromRedisValue, RedisResult, cmd};
use tokio::sync::Mutex;

/// How often orders have changed. The list is kept under a key with this number in it, so that a list that was read
/// before a change and arrives here after it is never taken for the current one.
const VERSION: &str = "orders:version";
/// Bounds how stale a list can be when the cache could not be told of a change.
const SECONDS: u64 = 60;

/// The cache.
pub(crate) struct Cache {
    client: Client,
    /// Made when it is needed, and again after a failure.
    connection: Mutex<Option<MultiplexedConnection>>,
}

/// What the cache has.
pub(crate) enum Lookup {
    /// The current list.
    Hit(String),
    /// Nothing. A list that is read from now on may be put under this version.
    Miss(u64),
    /// The cache does not answer.
    Down,
}

impl Cache {
    /// A cache at `url`; whether it is there shows when it is used.
    pub(crate) fn new(url: &str) -> Result<Self> {
        Ok(Self {
            client: Client::open(url).context("`REDIS_URL` is not a valid URL of a cache")?,
            connection: Mutex::default(),
        })
    }

    /// Whether the cache answers.
    pub(crate) async fn check(&self) -> bool {
        self.ask::<()>(&cmd("PING")).await.is_some()
    }

    /// Looks the list up.
    pub(crate) async fn get(&self) -> Lookup {
        let Some(version) = self.ask::<Option<u64>>(cmd("GET").arg(VERSION)).await else {
            return Lookup::Down;
        };
        let version = version.unwrap_or_default();
        match self.ask(cmd("GET").arg(key(version))).await {
            Some(Some(list)) => Lookup::Hit(list),
            Some(None) => Lookup::Miss(version),
            None => Lookup::Down,
        }
    }

    /// Keeps a list that was read after `version` was looked up.
    pub(crate) async fn put(&self, version: u64, list: &str) {
        self.ask::<()>(cmd("SETEX").arg(key(version)).arg(SECONDS).arg(list))
            .await;
    }

    /// Makes every list out of date.
    pub(crate) async fn changed(&self) {
        self.ask::<()>(cmd("INCR").arg(VERSION)).await;
    }

    async fn ask<T: FromRedisValue>(&self, question: &Cmd) -> Option<T> {
        let answer = match self.connection().await {
            Ok(mut connection) => question.query_async(&mut connection).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(value) => Some(value),
            Err(error) => {
                eprintln!("the cache failed: {error}");
                *self.connection.lock().await = None;
                None
            }
        }
    }

    async fn connection(&self) -> RedisResult<MultiplexedConnection> {
        let mut slot = self.connection.lock().await;
        if let Some(connection) = &*slot {
            return Ok(connection.clone());
        }
        let connection = self.client.get_multiplexed_async_connection().await?;
        Ok(slot.insert(connection).clone())
    }
}

fn key(version: u64) -> String {
    format!("orders:{version}")
}
