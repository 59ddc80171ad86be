//! Where orders are stored. Every answer comes within [`DEADLINE`], be it an error.

use std::future::Future;
use std::time::Duration;

use anyhow::{Context, Result};
use mysql_async::prelude::Queryable;
use mysql_async::{Pool, params};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

/// The deadline of the database for one request.
const DEADLINE: Duration = Duration::from_secs(5);

/// An order, as it comes from a customer.
#[derive(Debug, Deserialize)]
pub(crate) struct NewOrder {
    pub(crate) customer: String,
    pub(crate) item: String,
    pub(crate) quantity: u32,
}

/// An order that is stored.
#[derive(Debug, Serialize)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) customer: String,
    pub(crate) item: String,
    pub(crate) quantity: u32,
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Store {
    pool: Pool,
}

impl Store {
    /// Connects, and makes the table where it is missing.
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        let store = Self {
            pool: Pool::from_url(url).context("`DATABASE_URL` is not a valid URL of a database")?,
        };
        within_deadline(async {
            let mut conn = store.pool.get_conn().await?;
            conn.query_drop(
                "CREATE TABLE IF NOT EXISTS orders (
                     id       BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT,
                     customer VARCHAR(100) NOT NULL,
                     item     VARCHAR(100) NOT NULL,
                     quantity INT UNSIGNED NOT NULL
                 )",
            )
            .await
        })
        .await
        .context("the database cannot be prepared")?;
        Ok(store)
    }

    /// Whether the database answers.
    pub(crate) async fn check(&self) -> Result<()> {
        within_deadline(async {
            let mut conn = self.pool.get_conn().await?;
            conn.query_drop("DO 1").await
        })
        .await
    }

    /// Stores an order.
    pub(crate) async fn add(&self, order: NewOrder) -> Result<Order> {
        let NewOrder {
            customer,
            item,
            quantity,
        } = order;
        let id = within_deadline(async {
            let mut conn = self.pool.get_conn().await?;
            conn.exec_drop(
                "INSERT INTO orders (customer, item, quantity) VALUES (:customer, :item, :quantity)",
                params! { "customer" => &customer, "item" => &item, quantity },
            )
            .await?;
            Ok(conn.last_insert_id().unwrap_or_default())
        })
        .await?;
        Ok(Order {
            id,
            customer,
            item,
            quantity,
        })
    }

    /// One order.
    pub(crate) async fn get(&self, id: u64) -> Result<Option<Order>> {
        within_deadline(async {
            let mut conn = self.pool.get_conn().await?;
            let row = conn
                .exec_first(
                    "SELECT id, customer, item, quantity FROM orders WHERE id = ?",
                    (id,),
                )
                .await?;
            Ok(row.map(from_row))
        })
        .await
    }

    /// Every order, the oldest first.
    pub(crate) async fn list(&self) -> Result<Vec<Order>> {
        within_deadline(async {
            let mut conn = self.pool.get_conn().await?;
            conn.query_map(
                "SELECT id, customer, item, quantity FROM orders ORDER BY id",
                from_row,
            )
            .await
        })
        .await
    }
}

fn from_row((id, customer, item, quantity): (u64, String, String, u32)) -> Order {
    Order {
        id,
        customer,
        item,
        quantity,
    }
}

async fn within_deadline<T>(answer: impl Future<Output = mysql_async::Result<T>>) -> Result<T> {
    Ok(timeout(DEADLINE, answer)
        .await
        .context("the database does not answer")??)
}
