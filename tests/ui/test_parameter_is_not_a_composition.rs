//! A parameter that is neither a composition nor a service.

use seatrial::Service;

#[seatrial::test]
async fn counts(count: usize) {
    assert_eq!(count, 0);
}

#[seatrial::test]
fn lacks_its_attribute(_cache: Service) {}

#[seatrial::test]
fn wants_its_own(#[composition(scope = test)] _cache: Service) {}
