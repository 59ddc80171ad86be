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
            sysctls(
                "vm.max_map_count" = 262144,
                "kernel.shmmx" = 1,
                "net/core/somaxconn" = 1,
                somaxconn = 1,
                "net.core.somaxconn" = true,
                "net.core.somaxconn" = 0,
                "net.ipv4.tcp_congestion_control" = "",
                "net.core.somaxconn=1024",
            ),
            cap_add("net_admin"),
            privileged = "yes",
            platform = "linux",
            stop_signal = "SIGTREM",
            pull = sometimes,
            ready(running),
        )]
    db: Service,

    #[service(image = "b", sysctls = ["net.core.somaxconn=1024"], ready(running))]
    listed: Service,

    #[service(image = "c", sysctls(net.core.somaxconn = 1024), ready(running))]
    unquoted: Service,
}

#[seatrial::test]
fn the_test_is_not_blamed(_: Shop) {}
