//! A service of a type that holds none.

#[seatrial::test]
async fn keys_expire(#[service(image = "redis:7", port = 6379)] cache: String) {
    drop(cache);
}
