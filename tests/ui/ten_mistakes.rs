//! Ten different mistakes: one compilation reports all of them, and nothing else.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "MariaDB", port = 3306, env("A B" = "1"))]
    db: Service,

    #[service(imgae = "redis:7", port = 637900, ready(tcp, timeout = "30"))]
    cache: Service,

    #[service(
        image = "app",
        memory = "lots",
        env(DATABASE_URL = "mysql://{bd}", CACHE = "{cache}", METRICS = "{db.port.metrics}"),
        ready(http = "/health"),
    )]
    app: Service,

    #[service(image = "worker", needs(worker), ready(running))]
    worker: Service,
}

#[seatrial::test]
async fn an_order_is_stored(shop: Shop) {
    let _ = (&shop.db, &shop.cache, &shop.app, &shop.worker);
}
