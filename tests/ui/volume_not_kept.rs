//! Services of a run, or a test, that share a volume with a kept one.

use seatrial::{Composition, Service};

#[derive(Composition)]
#[composition(scope = run)]
struct Shop {
    #[service(image = "a", scope = keep, volume(data = "/data", "/own"), ready(running))]
    db: Service,
    #[service(image = "b", volume("/own", data = "/in"), ready(running))]
    backup: Service,
    #[service(image = "c", scope = test, volume(data = "/in", other = "/out"), needs(backup), ready(running))]
    reader: Service,
    #[service(image = "d", scope = keep, volume(data = "/data"), ready(running))]
    replica: Service,
    #[service(image = "e", volume(other = "/own"), ready(running))]
    apart: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
