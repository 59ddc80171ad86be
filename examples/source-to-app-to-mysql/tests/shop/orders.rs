//! What the shop does when all is well. One shop for all of these tests, which therefore look only for their own orders.

use anyhow::{Context, Result};
use seatrial::{Composition, Service};
use serde_json::{Value, json};

use crate::Client;

/// The shop as its tests see it: an app in front of a database and a cache.
#[derive(Composition)]
#[composition(scope = run)]
struct Shop {
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
fn an_order_is_stored(shop: Shop) -> Result<()> {
    let client = Client::of(&shop.app);
    let order = json!({ "customer": "Ada", "item": "compass", "quantity": 2 });

    let stored = client.post("/orders", order)?;
    assert_eq!(stored.status, 201, "{stored:?}");
    let id = stored.body["id"].as_u64().context("the order has no id")?;
    let expected = json!({ "id": id, "customer": "Ada", "item": "compass", "quantity": 2 });
    assert_eq!(stored.body, expected);

    let found = client.get(&format!("/orders/{id}"))?;
    assert_eq!((found.status, found.body), (200, expected));
    Ok(())
}

#[seatrial::test]
fn every_order_is_listed(shop: Shop) -> Result<()> {
    let client = Client::of(&shop.app);
    for quantity in 1..=3 {
        let order = json!({ "customer": "Grace", "item": "Tåu 🪢", "quantity": quantity });
        assert_eq!(client.post("/orders", order)?.status, 201);
    }

    let listed = client.get("/orders")?;
    let orders = listed.body.as_array().context("the answer is not a list")?;
    let hers = orders.iter().filter(|order| order["customer"] == "Grace");
    let quantities: Vec<&Value> = hers.map(|order| &order["quantity"]).collect();
    assert_eq!(quantities, [1, 2, 3], "{listed:?}");
    Ok(())
}

#[seatrial::test]
fn an_order_that_makes_no_sense_is_refused(shop: Shop) -> Result<()> {
    let client = Client::of(&shop.app);
    for (order, blamed) in [
        (
            json!({ "customer": "Mallory", "item": "rope", "quantity": 0 }),
            "quantity",
        ),
        (
            json!({ "customer": "  ", "item": "rope", "quantity": 1 }),
            "customer",
        ),
        (
            json!({ "customer": "Mallory", "item": "o".repeat(101), "quantity": 1 }),
            "item",
        ),
    ] {
        let refused = client.post("/orders", order)?;
        assert_eq!(refused.status, 422, "{refused:?}");
        let error = refused.body["error"]
            .as_str()
            .context("there is no reason")?;
        assert!(error.contains(blamed), "`{error}` does not blame {blamed}");
    }
    assert!(!client.get("/orders")?.body.to_string().contains("Mallory"));
    Ok(())
}

#[seatrial::test]
fn what_a_customer_writes_is_only_text(shop: Shop) -> Result<()> {
    let client = Client::of(&shop.app);
    let item = "'); DROP TABLE orders; -- \"";
    let order = json!({ "customer": "Bobby", "item": item, "quantity": 1 });

    let stored = client.post("/orders", order)?;
    assert_eq!(stored.status, 201, "{stored:?}");
    let found = client.get(&format!("/orders/{}", stored.body["id"]))?;
    assert_eq!(found.body["item"], item);
    Ok(())
}

#[seatrial::test]
fn an_order_that_is_not_there_is_not_found(shop: Shop) -> Result<()> {
    let missing = Client::of(&shop.app).get("/orders/4294967295")?;
    assert_eq!(missing.status, 404);
    assert_eq!(missing.body["error"], "there is no order 4294967295");
    Ok(())
}
