//! Fields without a valid host name.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "a", ready(running))]
    _ünï: Service,
    #[service(image = "b", ready(running))]
    a_name_that_is_longer_than_the_sixty_three_characters_of_a_host_name: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
