//! Keys and forms of other tools.

use seatrial::{Composition, Service};

#[derive(Composition)]
#[composition(networks = ["back"], name = "shop")]
struct Shop {
    #[service(
        image = "postgres:15",
        ports("5432:5432", "53/udp", 7000-7002),
        container_name = "db",
        restart = "always",
        healthcheck = "pg_isready",
        read_only,
        volumes = ["data:/var/lib"],
    )]
    db: Service,
    #[service(image = "b", environment(A = 1), expose(80), log = "up", depends_on = [db], volume("data:/data"))]
    app: Service,
    #[service(
        image = "c",
        env = ["A=1"],
        env("A=1"),
        needs = "db",
        needs("db"),
        scope = "run",
        pull = "always",
        hosts("a:192.0.2.1"),
        labels("a=b"),
        cap_add = ["NET_ADMIN"],
        memory = 512,
        ready(healthcheck = "true", timeout = 30),
        command("a", "b"),
        privileged = "true",
        tmpfs = ["/tmp"],
        image = IMAGE,
    )]
    other: Service,
}

#[seatrial::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_function_is_not_blamed(_: Shop) {}
