//! The shop, tested over HTTP: the app runs in a container, between these tests and the database and cache behind it.

mod failures;
mod orders;

use seatrial::Service;
use serde_json::Value;
use ureq::http::Response;

/// What a customer sees of the shop.
struct Client {
    http: ureq::Agent,
    shop: String,
}

/// What the shop answered.
#[derive(Debug)]
struct Reply {
    status: u16,
    /// Where the list of orders came from: `hit`, `miss` or `down`.
    cache: Option<String>,
    body: Value,
}

impl Client {
    fn of(app: &Service) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build();
        Self {
            http: config.new_agent(),
            shop: app.url("http", ""),
        }
    }

    fn get(&self, path: &str) -> anyhow::Result<Reply> {
        Reply::read(self.http.get(format!("{}{path}", self.shop)).call()?)
    }

    fn post(&self, path: &str, body: Value) -> anyhow::Result<Reply> {
        Reply::read(
            self.http
                .post(format!("{}{path}", self.shop))
                .send_json(body)?,
        )
    }
}

impl Reply {
    fn read(mut response: Response<ureq::Body>) -> anyhow::Result<Self> {
        let cache = response.headers().get("x-cache");
        Ok(Self {
            status: response.status().as_u16(),
            cache: cache
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned),
            body: response.body_mut().read_json()?,
        })
    }
}
