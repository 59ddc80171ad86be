//! `#[composition(..)]` on a parameter that declares a service.

use seatrial::Service;

#[seatrial::test]
async fn keys_expire(
    #[composition(scope = test)]
    #[service(image = "redis:7", port = 6379)]
    cache: Service,
) {
    drop(cache);
}
