//! The order book, tested from source: this code runs on the host, the database in a container.

use anyhow::{Context, Result};
use seatrial::{Composition, Service};
use source_to_mysql::{Error, OrderBook, OrderLine};

/// One database for all tests of a run: started once, also under nextest, and gone with the run.
///
/// Tests that share it run at the same time, so each uses customers and products of its own. A test that breaks its database
/// asks for one of its own.
#[derive(Composition)]
#[composition(scope = run)]
struct Shared {
    #[service(
        image = "mariadb:10.11",
        port = 3306,
        env(MARIADB_ROOT_PASSWORD = "sea", MARIADB_DATABASE = "orders"),
        setup(with = migrate),
    )]
    db: Service,
}

/// Makes the tables: in one test process of the run, before any test has the database.
async fn migrate(db: &Service) -> Result<()> {
    Ok(OrderBook::migrate(&url(db)).await?)
}

fn url(db: &Service) -> String {
    format!("mysql://root:sea@{}/orders", db.addr())
}

/// The order book in a database that has its tables.
async fn order_book(db: &Service) -> Result<OrderBook> {
    Ok(OrderBook::connect(&url(db)).await?)
}

#[seatrial::test]
async fn a_customer_is_found_again(shared: Shared) -> Result<()> {
    let book = order_book(&shared.db).await?;
    let id = book.add_customer("zoe@example.com", "Zoë Ōkami 🐺").await?;

    let found = book.customer("zoe@example.com").await?;
    let found = found.context("the customer is not there")?;
    assert_eq!((found.id, found.name.as_str()), (id, "Zoë Ōkami 🐺"));
    assert_eq!(book.customer("nobody@example.com").await?, None);
    Ok(())
}

#[seatrial::test]
async fn an_address_belongs_to_one_customer(shared: Shared) -> Result<()> {
    let book = order_book(&shared.db).await?;
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

#[seatrial::test]
async fn an_order_keeps_the_price_it_was_placed_at(shared: Shared) -> Result<()> {
    let book = order_book(&shared.db).await?;
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

#[seatrial::test]
async fn an_order_is_placed_as_a_whole_or_not_at_all(shared: Shared) -> Result<()> {
    let book = order_book(&shared.db).await?;
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

#[seatrial::test]
async fn the_last_piece_is_sold_once(shared: Shared) -> Result<()> {
    let book = order_book(&shared.db).await?;
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

#[seatrial::test]
async fn nobody_orders_who_is_not_known(shared: Shared) -> Result<()> {
    let book = order_book(&shared.db).await?;
    book.restock("compass", 3_000, 1).await?;

    let stranger = source_to_mysql::CustomerId(u64::MAX);
    let refused = book.place_order(stranger, &[("compass", 1)]).await;
    assert!(
        matches!(&refused, Err(Error::UnknownCustomer(id)) if *id == stranger),
        "{refused:?}"
    );
    Ok(())
}

/// A plain function gets its services as well, and `wait()` does what `.await` does elsewhere.
#[seatrial::test]
fn every_table_takes_part_in_transactions(shared: Shared) -> Result<()> {
    let query = "SELECT COUNT(*), COUNT(IF(engine = 'InnoDB', 1, NULL))
                 FROM information_schema.tables WHERE table_schema = 'orders'";
    let asked = shared
        .db
        .exec([
            "mariadb",
            "-psea",
            "--batch",
            "--skip-column-names",
            "-e",
            query,
        ])
        .wait()?;
    assert_eq!(asked.code, 0, "{}", asked.stderr);
    assert_eq!(asked.stdout.trim(), "5\t5");
    Ok(())
}

#[seatrial::test]
async fn orders_outlive_a_restart_of_the_database(
    #[composition(scope = test)] own: Shared,
) -> Result<()> {
    let book = order_book(&own.db).await?;
    let customer = book.add_customer("ed@example.com", "Ed").await?;
    book.restock("sextant", 12_000, 1).await?;
    let order = book.place_order(customer, &[("sextant", 1)]).await?;

    own.db.restart().await?;

    let book = order_book(&own.db).await?;
    let orders = book.orders_of(customer).await?;
    assert_eq!(
        orders.iter().map(|order| order.id).collect::<Vec<_>>(),
        [order]
    );
    Ok(())
}

#[seatrial::test]
async fn a_database_that_is_gone_is_an_error(
    #[composition(scope = test)] own: Shared,
) -> Result<()> {
    let book = order_book(&own.db).await?;
    assert_eq!(book.stock("compass").await?, None);

    own.db.kill().await?;

    let failed = book.stock("compass").await;
    assert!(matches!(&failed, Err(Error::Database(_))), "{failed:?}");
    Ok(())
}

/// A service that only one test needs is declared where it is needed.
#[seatrial::test]
async fn an_empty_database_is_refused(
    #[service(
        image = "mariadb:10.11",
        port = 3306,
        env(MARIADB_ROOT_PASSWORD = "sea", MARIADB_DATABASE = "orders")
    )]
    db: Service,
) {
    let refused = OrderBook::connect(&url(&db)).await;
    assert!(
        matches!(&refused, Err(Error::Schema { found: None, .. })),
        "{refused:?}"
    );
}
