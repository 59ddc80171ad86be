//! A parameter with `#[service(..)]` whose type is not a service.

#[seatrial::test]
async fn keys_expire(#[service(image = "redis:7", port = 6379)] cache: String) {
    drop(cache);
}
