//! Orders: placed as a whole or not at all.

use mysql_async::prelude::Queryable;
use mysql_async::{Transaction, TxOpts, params};

use crate::error::{NO_REFERENCED_ROW, code};
use crate::{CustomerId, Error, OrderBook, Result};

/// Identifies an order. Later orders are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(pub u64);

/// What someone ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Identifies the order.
    pub id: OrderId,
    /// Who ordered.
    pub customer: CustomerId,
    /// What was ordered, by product; never empty.
    pub lines: Vec<OrderLine>,
}

/// One product of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderLine {
    /// The product.
    pub sku: String,
    /// How many of it.
    pub quantity: u32,
    /// What one of it cost when it was ordered.
    pub price_cents: u64,
}

impl Order {
    /// What the whole order costs.
    pub fn total_cents(&self) -> u64 {
        self.lines
            .iter()
            .map(|line| line.price_cents * u64::from(line.quantity))
            .sum()
    }
}

impl OrderBook {
    /// Places an order and takes what it orders out of stock: all of it, or, on any error, nothing.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyOrder`], [`Error::UnknownCustomer`], [`Error::UnknownProduct`] or [`Error::OutOfStock`].
    pub async fn place_order(
        &self,
        customer: CustomerId,
        products: &[(&str, u32)],
    ) -> Result<OrderId> {
        if products.is_empty() || products.iter().any(|(_, quantity)| *quantity == 0) {
            return Err(Error::EmptyOrder);
        }
        let mut products = products.to_vec();
        // Orders that lock the same products in the same order wait for each other; in any other they deadlock.
        products.sort_unstable();

        // A transaction that is dropped, as by the `?` below, is rolled back.
        let mut tx = self.pool.start_transaction(TxOpts::default()).await?;
        tx.exec_drop("INSERT INTO orders (customer_id) VALUES (?)", (customer.0,))
            .await
            .map_err(|error| match code(&error) {
                Some(NO_REFERENCED_ROW) => Error::UnknownCustomer(customer),
                _ => error.into(),
            })?;
        let order = OrderId(tx.last_insert_id().unwrap_or_default());
        for (sku, quantity) in products {
            let price_cents = take_from_stock(&mut tx, sku, quantity).await?;
            tx.exec_drop(
                "INSERT INTO order_lines (order_id, sku, quantity, price_cents)
                 VALUES (:order, :sku, :quantity, :price_cents)
                 ON DUPLICATE KEY UPDATE quantity = quantity + :quantity",
                params! { "order" => order.0, sku, quantity, price_cents },
            )
            .await?;
        }
        tx.commit().await?;
        Ok(order)
    }

    /// A customer's orders, the latest first.
    ///
    /// # Errors
    ///
    /// Whatever the database says.
    pub async fn orders_of(&self, customer: CustomerId) -> Result<Vec<Order>> {
        let rows: Vec<(u64, String, u32, u64)> = self
            .conn()
            .await?
            .exec(
                "SELECT orders.id, sku, quantity, price_cents
                 FROM orders JOIN order_lines ON order_id = orders.id
                 WHERE customer_id = ? ORDER BY orders.id DESC, sku",
                (customer.0,),
            )
            .await?;
        let mut orders: Vec<Order> = Vec::new();
        for (id, sku, quantity, price_cents) in rows {
            let line = OrderLine {
                sku,
                quantity,
                price_cents,
            };
            match orders.last_mut() {
                Some(order) if order.id == OrderId(id) => order.lines.push(line),
                _ => orders.push(Order {
                    id: OrderId(id),
                    customer,
                    lines: vec![line],
                }),
            }
        }
        Ok(orders)
    }
}

/// Takes `wanted` of a product out of stock and returns the price of one.
async fn take_from_stock(tx: &mut Transaction<'_>, sku: &str, wanted: u32) -> Result<u64> {
    // Locked until the transaction ends: nobody else may promise the same pieces meanwhile.
    let (price_cents, left): (u64, u32) = tx
        .exec_first(
            "SELECT price_cents, stock FROM products WHERE sku = ? FOR UPDATE",
            (sku,),
        )
        .await?
        .ok_or_else(|| Error::UnknownProduct(sku.to_owned()))?;
    if left < wanted {
        return Err(Error::OutOfStock {
            sku: sku.to_owned(),
            wanted,
            left,
        });
    }
    tx.exec_drop(
        "UPDATE products SET stock = stock - ? WHERE sku = ?",
        (wanted, sku),
    )
    .await?;
    Ok(price_cents)
}
