//! Every key.

use seatrial::{Composition, Job, Service};

#[derive(Composition)]
#[composition(scope = test, source(path = ".", at = "/src", mode = ro), keep = "2h", crate = ::seatrial)]
pub struct Shop {
    #[service(
        image = "registry.example:5000/team/mariadb:10.11",
        port = 3306,
        ports(9187, admin = 33060),
        env(MARIADB_DATABASE = "shop", "dotted.key" = "{{literal}}", COUNT = -5, RATIO = 0.5, DEBUG = true),
        command = "mariadbd --datadir '/var/lib/my sql'",
        entrypoint = ["/entrypoint.sh", "{source}"],
        user = "999:999",
        workdir = "/",
        tmpfs("/tmp", "/run" = "64m"),
        volume("/var/lib/mysql", shared = "/shared"),
        mount("src" = "/code", mode = rw),
        mount("seed.sql" = "/seed.sql"),
        files(
            "/etc/app.conf" = "listen {{}}",
            "/docker-entrypoint-initdb.d/seed.sql" = include_file!("seed.sql"),
        ),
        labels("com.example.team" = "shop", tier = 1),
        hosts("upstream.example" = "192.0.2.1", "host.docker.internal" = "host-gateway"),
        memory = "512m",
        shm_size = "64MiB",
        ulimits(nofile = 1024, nproc = "1024:2048", memlock = -1),
        sysctls("net.core.somaxconn" = 1024, "kernel.sem" = "250 32000 100 128", "net.ipv4.conf.eth0.rp_filter" = -1),
        cap_add("NET_ADMIN"),
        privileged,
        platform = "linux/amd64",
        stop_signal = "SIGINT",
        pull = missing,
        scope = binary,
        ready(
            tcp(3306, admin),
            log = "ready for connections", times = 2,
            http = "/health", port = 9187, status = 200,
            mysql, redis = 9187, postgres = admin,
            exec = ["mariadb-admin", "ping"],
            healthcheck,
            image = "mariadb:10.11", run = "mariadb-admin ping -h {self.host} && true",
            with = hooks::seeded,
            timeout = "1m30s", interval = "100ms", delay = "10ms", successes = 2, failures = 5,
        ),
        setup(
            exec = "mariadb < /docker-entrypoint-initdb.d/seed.sql", name = "schema", timeout = "2m",
            env(MYSQL_HOST = "{self.host}", "dotted.key" = 1), key = include_str!("../seed.sql"),
        ),
        setup(image = "flyway:10", run = ["flyway", "-url=jdbc:mariadb://{self.host}/shop", "migrate"], key = KEY),
        setup(with = hooks::seeded, key = concat!("v", 2)),
    )]
    pub r#type: Service,

    #[service(bin = "shop", base = "debian:bookworm-slim", port = 8080, needs(r#type), tmpfs = "/tmp")]
    pub(crate) app: Service,

    #[job(
        build = "docker",
        run = "flyway migrate && echo done",
        artifacts("/reports" = "target/reports", "reports" = "../target/e2e"),
        timeout = "2m",
        scope = binary,
        needs(r#type),
        env(DB = "{type.host}"),
        workdir = "/tests",
        files("/etc/flyway.conf" = "x"),
        memory = "1g",
    )]
    migrate: Job,

    #[job(image = "node:22", needs(app))]
    e2e: Job,

    #[service(image = "after:1", needs(migrate, built), ready(running))]
    after: Service,

    #[service(image = "worker", source(none), env(APP = "http://{app}", DB = "{type.host}:{type.port.admin}"), ready(running))]
    worker: Service,

    #[service(build = "docker", port = 80)]
    built: Service,

    #[service(
        build(
            context = "./docker", dockerfile = "Dockerfile", target = "runtime",
            args(BASE = "debian:{$DEBIAN:-bookworm-slim}", "VERSION" = 1, http_proxy = ""),
        ),
        needs(built),
        pull = always,
        ready(running),
    )]
    stage: Service,

    #[service(bin = "worker", source(mode = rw), scope = keep, keep = "1d12h", ready(running))]
    kept: Service,

    #[service(bin(package = "server"), port = 8080)]
    server: Service,

    #[service(bin(package = "server", name = "migrate"), base = "debian:bookworm-slim", ready(running))]
    migrate: Service,

    #[service(bin(package = "ui", name = "worker"), ready(running))]
    own: Service,
}

const KEY: &str = "v1";

mod hooks {
    pub(super) async fn seeded(service: &seatrial::Service) -> Result<(), std::num::ParseIntError> {
        let _ = service;
        "1".parse::<u8>().map(drop)
    }
}
