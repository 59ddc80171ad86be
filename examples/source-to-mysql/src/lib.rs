//! An order book in MySQL or MariaDB: customers, products in stock, and orders that never sell more than there is.
//!
//! This crate is the thing under test; how it is tested is in `tests/`. It knows nothing of Seatrial.

mod error;
mod orders;

use std::fmt;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Pool, params};

use crate::error::{DUPLICATE, NO_SUCH_TABLE, code};
pub use crate::error::{Error, Result};
pub use crate::orders::{Order, OrderId, OrderLine};

/// Makes the tables that this library works with.
const SCHEMA: &str = include_str!("../schema.sql");

/// The version of `schema.sql` that this library works with.
const SCHEMA_VERSION: u32 = 1;

/// Identifies a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CustomerId(pub u64);

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Someone who orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// Identifies the customer.
    pub id: CustomerId,
    /// Where the customer is reached; no two share one.
    pub email: String,
    /// What the customer is called.
    pub name: String,
}

/// The order book. Cheap to clone: clones share one pool of connections.
#[derive(Clone, Debug)]
pub struct OrderBook {
    pool: Pool,
}

impl OrderBook {
    /// Makes the tables in the empty database at `url` (`mysql://user:password@host:port/database`).
    ///
    /// # Errors
    ///
    /// Whatever the database says, where there are tables already, too.
    pub async fn migrate(url: &str) -> Result<()> {
        let mut conn = Conn::from_url(url).await?;
        conn.query_drop(SCHEMA).await?;
        conn.disconnect().await?;
        Ok(())
    }

    /// Connects to the database at `url` (`mysql://user:password@host:port/database`) and looks at its schema.
    ///
    /// # Errors
    ///
    /// [`Error::Schema`] where the tables are missing or of another version, else whatever the database says.
    pub async fn connect(url: &str) -> Result<Self> {
        let book = Self {
            pool: Pool::from_url(url)?,
        };
        let mut conn = book.conn().await?;
        let found = conn
            .query_first("SELECT version FROM schema_version")
            .await
            .or_else(|error| match code(&error) {
                Some(NO_SUCH_TABLE) => Ok(None),
                _ => Err(error),
            })?;
        if found == Some(SCHEMA_VERSION) {
            return Ok(book);
        }
        Err(Error::Schema {
            expected: SCHEMA_VERSION,
            found,
        })
    }

    /// Adds a customer.
    ///
    /// # Errors
    ///
    /// [`Error::EmailTaken`] where another customer has that address.
    pub async fn add_customer(&self, email: &str, name: &str) -> Result<CustomerId> {
        let mut conn = self.conn().await?;
        conn.exec_drop(
            "INSERT INTO customers (email, name) VALUES (:email, :name)",
            params! { email, name },
        )
        .await
        .map_err(|error| match code(&error) {
            Some(DUPLICATE) => Error::EmailTaken(email.to_owned()),
            _ => error.into(),
        })?;
        Ok(CustomerId(conn.last_insert_id().unwrap_or_default()))
    }

    /// The customer with this address.
    ///
    /// # Errors
    ///
    /// Whatever the database says.
    pub async fn customer(&self, email: &str) -> Result<Option<Customer>> {
        let row: Option<(u64, String, String)> = self
            .conn()
            .await?
            .exec_first(
                "SELECT id, email, name FROM customers WHERE email = ?",
                (email,),
            )
            .await?;
        Ok(row.map(|(id, email, name)| Customer {
            id: CustomerId(id),
            email,
            name,
        }))
    }

    /// Puts `quantity` more of a product in stock, and sets its price.
    ///
    /// # Errors
    ///
    /// Whatever the database says.
    pub async fn restock(&self, sku: &str, price_cents: u64, quantity: u32) -> Result<()> {
        self.conn()
            .await?
            .exec_drop(
                "INSERT INTO products (sku, price_cents, stock) VALUES (:sku, :price_cents, :quantity)
                 ON DUPLICATE KEY UPDATE price_cents = :price_cents, stock = stock + :quantity",
                params! { sku, price_cents, quantity },
            )
            .await?;
        Ok(())
    }

    /// How many of a product are left; `None` where there is no such product.
    ///
    /// # Errors
    ///
    /// Whatever the database says.
    pub async fn stock(&self, sku: &str) -> Result<Option<u32>> {
        let stock = self
            .conn()
            .await?
            .exec_first("SELECT stock FROM products WHERE sku = ?", (sku,))
            .await?;
        Ok(stock)
    }

    /// Closes the connections of this order book and its clones.
    ///
    /// # Errors
    ///
    /// Whatever the database says.
    pub async fn close(self) -> Result<()> {
        Ok(self.pool.disconnect().await?)
    }

    async fn conn(&self) -> Result<Conn> {
        Ok(self.pool.get_conn().await?)
    }
}
