//! The tests of `examples/source-to-mysql`, one for one, with testcontainers.

use std::time::Duration;

use anyhow::{Context, Result};
use source_to_mysql::{Error, OrderBook, OrderLine};
use testcontainers::core::wait::LogWaitStrategy;
use testcontainers::core::{ContainerPort, ExecCommand, WaitFor};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt};
use tokio::sync::OnceCell;

const SCHEMA: &[u8] = include_bytes!("../../../../examples/source-to-mysql/schema.sql");

type Database = ContainerAsync<GenericImage>;

fn image() -> ContainerRequest<GenericImage> {
    // Once by the server that runs the start-up scripts, once by the one that is served.
    let ready = LogWaitStrategy::stderr("ready for connections").with_times(2);
    GenericImage::new("mariadb", "10.11")
        .with_exposed_port(ContainerPort::Tcp(3306))
        .with_wait_for(WaitFor::log(ready))
        .with_env_var("MARIADB_ROOT_PASSWORD", "sea")
        .with_env_var("MARIADB_DATABASE", "orders")
}

/// One database for all tests of this file. It is never dropped: the container outlives the tests.
async fn shared() -> Result<&'static Database> {
    static SHARED: OnceCell<Database> = OnceCell::const_new();
    SHARED.get_or_try_init(own).await
}

/// A database of a test's own.
async fn own() -> Result<Database> {
    let image = image().with_copy_to("/docker-entrypoint-initdb.d/schema.sql", SCHEMA.to_vec());
    Ok(image.start().await?)
}

async fn url(db: &Database) -> Result<String> {
    let (host, port) = (db.get_host().await?, db.get_host_port_ipv4(3306).await?);
    Ok(format!("mysql://root:sea@{host}:{port}/orders"))
}

/// The order book in a database that is ready.
async fn order_book(db: &Database) -> Result<OrderBook> {
    Ok(OrderBook::connect(&url(db).await?).await?)
}

#[tokio::test]
async fn a_customer_is_found_again() -> Result<()> {
    let db = shared().await?;
    let book = order_book(db).await?;
    let id = book.add_customer("zoe@example.com", "Zoë Ōkami 🐺").await?;

    let found = book.customer("zoe@example.com").await?;
    let found = found.context("the customer is not there")?;
    assert_eq!((found.id, found.name.as_str()), (id, "Zoë Ōkami 🐺"));
    assert_eq!(book.customer("nobody@example.com").await?, None);
    Ok(())
}

#[tokio::test]
async fn an_address_belongs_to_one_customer() -> Result<()> {
    let db = shared().await?;
    let book = order_book(db).await?;
    let first = book.add_customer("ada@example.com", "Ada").await?;

    let second = book.add_customer("ada@example.com", "Another Ada").await;
    assert!(
        matches!(&second, Err(Error::EmailTaken(email)) if email == "ada@example.com"),
        "{second:?}"
    );
    let found = book.customer("ada@example.com").await?;
    assert_eq!(found.map(|customer| customer.id), Some(first));
    Ok(())
}

#[tokio::test]
async fn an_order_keeps_the_price_it_was_placed_at() -> Result<()> {
    let db = shared().await?;
    let book = order_book(db).await?;
    let customer = book.add_customer("bo@example.com", "Bo").await?;
    book.restock("lantern", 1_999, 5).await?;
    book.restock("wick", 50, 10).await?;

    let first = book
        .place_order(customer, &[("wick", 4), ("lantern", 1)])
        .await?;
    book.restock("lantern", 2_499, 0).await?;
    let second = book.place_order(customer, &[("lantern", 2)]).await?;

    let orders = book.orders_of(customer).await?;
    let ids: Vec<_> = orders.iter().map(|order| order.id).collect();
    assert_eq!(ids, [second, first], "the latest comes first");
    assert_eq!(orders[0].total_cents(), 2 * 2_499);
    assert_eq!(orders[1].total_cents(), 1_999 + 4 * 50);
    assert_eq!(
        orders[1].lines[1],
        OrderLine {
            sku: "wick".into(),
            quantity: 4,
            price_cents: 50
        }
    );
    assert_eq!(book.stock("lantern").await?, Some(2));
    Ok(())
}

#[tokio::test]
async fn an_order_is_placed_as_a_whole_or_not_at_all() -> Result<()> {
    let db = shared().await?;
    let book = order_book(db).await?;
    let customer = book.add_customer("cy@example.com", "Cy").await?;
    book.restock("anchor", 9_900, 3).await?;
    book.restock("buoy", 4_500, 1).await?;

    // There are anchors enough, and they are taken first; then the buoys fall short.
    let refused = book
        .place_order(customer, &[("anchor", 2), ("buoy", 2)])
        .await;
    assert!(
        matches!(&refused, Err(Error::OutOfStock { sku, wanted: 2, left: 1 }) if sku == "buoy"),
        "{refused:?}"
    );
    let refused = book
        .place_order(customer, &[("anchor", 1), ("zeppelin", 1)])
        .await;
    assert!(
        matches!(&refused, Err(Error::UnknownProduct(_))),
        "{refused:?}"
    );
    let refused = book.place_order(customer, &[]).await;
    assert!(matches!(&refused, Err(Error::EmptyOrder)), "{refused:?}");

    assert_eq!(book.stock("anchor").await?, Some(3));
    assert_eq!(book.orders_of(customer).await?, []);
    Ok(())
}

#[tokio::test]
async fn the_last_piece_is_sold_once() -> Result<()> {
    let db = shared().await?;
    let book = order_book(db).await?;
    let customer = book.add_customer("di@example.com", "Di").await?;
    book.restock("figurehead", 250_000, 1).await?;

    let last = [("figurehead", 1)];
    let (one, other) = tokio::join!(
        book.place_order(customer, &last),
        book.place_order(customer, &last)
    );

    assert_ne!(one.is_ok(), other.is_ok(), "{one:?}, {other:?}");
    let refused = one.and(other);
    assert!(
        matches!(&refused, Err(Error::OutOfStock { left: 0, .. })),
        "{refused:?}"
    );
    assert_eq!(book.stock("figurehead").await?, Some(0));
    assert_eq!(book.orders_of(customer).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn nobody_orders_who_is_not_known() -> Result<()> {
    let db = shared().await?;
    let book = order_book(db).await?;
    book.restock("compass", 3_000, 1).await?;

    let stranger = source_to_mysql::CustomerId(u64::MAX);
    let refused = book.place_order(stranger, &[("compass", 1)]).await;
    assert!(
        matches!(&refused, Err(Error::UnknownCustomer(id)) if *id == stranger),
        "{refused:?}"
    );
    Ok(())
}

#[tokio::test]
async fn every_table_takes_part_in_transactions() -> Result<()> {
    let query = "SELECT COUNT(*), COUNT(IF(engine = 'InnoDB', 1, NULL))
                 FROM information_schema.tables WHERE table_schema = 'orders'";
    let command = [
        "mariadb",
        "-psea",
        "--batch",
        "--skip-column-names",
        "-e",
        query,
    ];
    let mut asked = shared().await?.exec(ExecCommand::new(command)).await?;
    let stdout = String::from_utf8(asked.stdout_to_vec().await?)?;
    assert_eq!(asked.exit_code().await?, Some(0));
    assert_eq!(stdout.trim(), "5\t5");
    Ok(())
}

#[tokio::test]
async fn orders_outlive_a_restart_of_the_database() -> Result<()> {
    let db = own().await?;
    let book = order_book(&db).await?;
    let customer = book.add_customer("ed@example.com", "Ed").await?;
    book.restock("sextant", 12_000, 1).await?;
    let order = book.place_order(customer, &[("sextant", 1)]).await?;

    db.stop().await?;
    db.start().await?;

    // Started is not ready, and nothing waits for it here.
    let book = loop {
        match order_book(&db).await {
            Ok(book) => break book,
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    let orders = book.orders_of(customer).await?;
    assert_eq!(
        orders.iter().map(|order| order.id).collect::<Vec<_>>(),
        [order]
    );
    Ok(())
}

#[tokio::test]
async fn a_database_that_is_gone_is_an_error() -> Result<()> {
    let db = own().await?;
    let book = order_book(&db).await?;
    assert_eq!(book.stock("compass").await?, None);

    db.stop_with_timeout(Some(0)).await?;

    let failed = book.stock("compass").await;
    assert!(matches!(&failed, Err(Error::Database(_))), "{failed:?}");
    Ok(())
}

#[tokio::test]
async fn an_empty_database_is_refused() -> Result<()> {
    let db = image().start().await?;
    let refused = OrderBook::connect(&url(&db).await?).await;
    assert!(
        matches!(&refused, Err(Error::Schema { found: None, .. })),
        "{refused:?}"
    );
    Ok(())
}
