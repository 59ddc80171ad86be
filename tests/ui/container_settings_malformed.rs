//! Malformed settings of a container.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(
            image = "a",
            user = "a b",
            labels("dev.seatrial.run" = "mine", a = "1", a = "2"),
            hosts("a_b" = "192.0.2.1", b = "here"),
            ulimits(nofiles = 1, nproc = "2:1"),
            cap_add("net_admin"),
            privileged = "yes",
            platform = "linux",
            stop_signal = "SIGTREM",
            pull = sometimes,
            ready(running),
        )]
    db: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
