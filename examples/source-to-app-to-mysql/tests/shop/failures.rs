//! What the shop does when something behind it fails. These tests break things, so each has a shop of its own; while
//! they run they disturb nobody.

use anyhow::Result;
use seatrial::{Composition, Service};
use serde_json::json;

use crate::Client;

/// The same shop, one for each test.
#[derive(Composition)]
struct OwnShop {
    #[service(
        image = "mariadb:10.11",
        port = 3306,
        env(MARIADB_ROOT_PASSWORD = "sea", MARIADB_DATABASE = "shop")
    )]
    db: Service,

    #[service(image = "redis:7", port = 6379)]
    cache: Service,

    #[service(
        bin = "shop",
        port = 8080,
        env(
            DATABASE_URL = "mysql://root:sea@{db}/shop",
            REDIS_URL = "redis://{cache}"
        ),
        ready(http = "/health")
    )]
    app: Service,
}

#[seatrial::test]
fn the_list_is_cached_and_the_cache_may_fail(shop: OwnShop) -> Result<()> {
    let client = Client::of(&shop.app);
    let order = json!({ "customer": "Ada", "item": "sextant", "quantity": 1 });
    assert_eq!(client.post("/orders", order.clone())?.status, 201);
    let first = client.get("/orders")?;
    let second = client.get("/orders")?;
    assert_eq!(first.cache.as_deref(), Some("miss"));
    assert_eq!(second.cache.as_deref(), Some("hit"));
    assert_eq!(first.body, second.body);

    // An order makes the list out of date.
    assert_eq!(client.post("/orders", order)?.status, 201);
    let third = client.get("/orders")?;
    assert_eq!(third.cache.as_deref(), Some("miss"));
    assert_eq!(third.body.as_array().map(Vec::len), Some(2));

    // Without its cache the shop goes on, and says so.
    shop.cache.stop().wait()?;
    let without = client.get("/orders")?;
    assert_eq!(
        (without.status, without.cache.as_deref()),
        (200, Some("down"))
    );
    assert_eq!(without.body, third.body);
    let health = client.get("/health")?;
    assert_eq!(
        (health.status, health.body),
        (200, json!({ "database": "up", "cache": "down" }))
    );

    // And it finds a cache that has come back.
    shop.cache.start().wait()?;
    assert_eq!(client.get("/health")?.body["cache"], "up");
    assert_eq!(client.get("/orders")?.body, third.body);
    assert_eq!(client.get("/orders")?.cache.as_deref(), Some("hit"));
    Ok(())
}

#[seatrial::test]
fn a_shop_whose_database_hangs_says_so(shop: OwnShop) -> Result<()> {
    let client = Client::of(&shop.app);
    assert_eq!(client.get("/health")?.status, 200);

    shop.db.pause().wait()?;
    let health = client.get("/health")?;
    assert_eq!(
        (health.status, health.body),
        (503, json!({ "database": "down", "cache": "up" }))
    );
    let order = json!({ "customer": "Ada", "item": "log line", "quantity": 1 });
    let refused = client.post("/orders", order.clone())?;
    assert_eq!(refused.status, 503);
    assert_eq!(
        refused.body["error"],
        "the shop cannot answer now; try again later"
    );
    shop.app.wait_log("the database does not answer").wait()?;

    shop.db.unpause().wait()?;
    assert_eq!(client.get("/health")?.status, 200);
    assert_eq!(client.post("/orders", order)?.status, 201);
    Ok(())
}

#[seatrial::test]
fn orders_outlive_the_app(shop: OwnShop) -> Result<()> {
    let order = json!({ "customer": "Ada", "item": "astrolabe", "quantity": 1 });
    let stored = Client::of(&shop.app).post("/orders", order)?;
    assert_eq!(stored.status, 201);

    shop.app.restart().wait()?;

    // Asked for again: an app that is started again may be found elsewhere.
    let client = Client::of(&shop.app);
    assert_eq!(
        client.get(&format!("/orders/{}", stored.body["id"]))?.body,
        stored.body
    );
    Ok(())
}
