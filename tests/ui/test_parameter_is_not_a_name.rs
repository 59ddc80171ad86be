//! A service whose parameter is a pattern.

use seatrial::Service;

#[seatrial::test]
async fn keys_expire(#[service(image = "redis:7", port = 6379)] _: Service) {}

#[seatrial::test]
fn pairs(#[service(image = "redis:7", port = 6379)] Service { .. }: Service) {}
