//! A small shop: takes orders over HTTP, stores them in MySQL or MariaDB, and keeps the list of them in Redis.
//!
//! Configured by environment variables alone: `DATABASE_URL`, `REDIS_URL` and, where 8080 will not do, `PORT`.

mod api;
mod cache;
mod store;

use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::cache::Cache;
use crate::store::Store;

#[tokio::main]
async fn main() -> Result<()> {
    let port = match std::env::var("PORT") {
        Ok(port) => port.parse().context("`PORT` is not a valid port number")?,
        Err(_) => 8080,
    };
    let store = Store::connect(&variable("DATABASE_URL")?).await?;
    let cache = Cache::new(&variable("REDIS_URL")?)?;

    // Asked for before anything is served: the first process of a container is deaf to signals it does not handle.
    let mut terminate = signal(SignalKind::terminate())?;
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, api::router(store, cache))
        .with_graceful_shutdown(async move {
            terminate.recv().await;
        })
        .await?;
    Ok(())
}

fn variable(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set"))
}
