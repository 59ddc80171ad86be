//! What the shop answers over HTTP.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::cache::{Cache, Lookup};
use crate::store::{NewOrder, Order, Store};

/// The longest text that the database has room for.
const LONGEST: usize = 100;

struct Shop {
    store: Store,
    cache: Cache,
}

type Reply = Result<Response, Refusal>;

/// The shop's routes.
pub(crate) fn router(store: Store, cache: Cache) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/orders", get(list).post(add))
        .route("/orders/{id}", get(one))
        .with_state(Arc::new(Shop { store, cache }))
}

/// Without its database the shop is of no use; without its cache it is only slower.
async fn health(State(shop): State<Arc<Shop>>) -> Response {
    let (store, cache) = tokio::join!(shop.store.check(), shop.cache.check());
    let status = match &store {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let word = |up| if up { "up" } else { "down" };
    let body = json!({ "database": word(store.is_ok()), "cache": word(cache) });
    (status, Json(body)).into_response()
}

async fn add(State(shop): State<Arc<Shop>>, Json(order): Json<NewOrder>) -> Reply {
    check(&order)?;
    let order = shop.store.add(order).await?;
    shop.cache.changed().await;
    Ok((StatusCode::CREATED, Json(order)).into_response())
}

async fn one(State(shop): State<Arc<Shop>>, Path(id): Path<u64>) -> Reply {
    match shop.store.get(id).await? {
        Some(order) => Ok(Json(order).into_response()),
        None => Err(Refusal::NotFound(id)),
    }
}

async fn list(State(shop): State<Arc<Shop>>) -> Reply {
    let (found, list) = match shop.cache.get().await {
        Lookup::Hit(list) => ("hit", list),
        Lookup::Miss(version) => {
            let list = stored_list(&shop.store).await?;
            shop.cache.put(version, &list).await;
            ("miss", list)
        }
        Lookup::Down => ("down", stored_list(&shop.store).await?),
    };
    let headers = [
        (header::CONTENT_TYPE.as_str(), "application/json"),
        ("x-cache", found),
    ];
    Ok((headers, list).into_response())
}

async fn stored_list(store: &Store) -> anyhow::Result<String> {
    let orders: Vec<Order> = store.list().await?;
    Ok(serde_json::to_string(&orders)?)
}

fn check(order: &NewOrder) -> Result<(), Refusal> {
    for (field, text) in [("customer", &order.customer), ("item", &order.item)] {
        if text.trim().is_empty() || text.chars().count() > LONGEST {
            return Err(Refusal::Invalid(format!(
                "`{field}` must have 1 to {LONGEST} characters"
            )));
        }
    }
    if order.quantity == 0 {
        return Err(Refusal::Invalid("`quantity` must be at least 1".to_owned()));
    }
    Ok(())
}

/// Why there is no answer.
enum Refusal {
    /// The order makes no sense.
    Invalid(String),
    /// There is no such order.
    NotFound(u64),
    /// The shop cannot answer now.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::Invalid(message) => (StatusCode::UNPROCESSABLE_ENTITY, message),
            Self::NotFound(id) => (StatusCode::NOT_FOUND, format!("there is no order {id}")),
            Self::Failed(error) => {
                // The cause is for the log, not for the customer.
                eprintln!("a request failed: {error:#}");
                let message = "the shop cannot answer now; try again later";
                (StatusCode::SERVICE_UNAVAILABLE, message.to_owned())
            }
        };
        (status, Json(json!({ "error": message }))).into_response()
    }
}
