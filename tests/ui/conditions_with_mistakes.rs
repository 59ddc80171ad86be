//! Mistakes beside conditions: one message for each, and none where the condition does not hold.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[cfg(any())]
    #[service(image = "Not an image", ready(running))]
    gone: Service,
    #[cfg_attr(all(), service(image = "Redis"))]
    cache: Service,
}

#[seatrial::test]
fn a_mistake_in_what_is_there(
    #[cfg(all())]
    #[service(image = "Redis", ready(running))]
    cache: Service,
    #[cfg(any())]
    #[service(image = "Not an image", ready(running))]
    gone: Service,
) {
    drop(cache);
}

#[seatrial::test]
fn a_need_of_what_is_not_there(
    #[cfg(any())]
    #[service(image = "redis:7", ready(running))]
    cache: Service,
    #[service(image = "app", needs(cache), ready(running))] app: Service,
) {
    drop(app);
}

#[seatrial::test(timeut = "30s")]
fn the_attribute_is_read_once(#[cfg(all())] _shop: Shop) {}

#[seatrial::test]
fn no_condition(#[cfg = "unix"] _shop: Shop) {}
