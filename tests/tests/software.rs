//! Real software, declared the way people declare it: ready means that it serves, from this machine, at the first
//! attempt.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;

use seatrial::{Composition, Service};
use seatrial_tests::servers::{connect, run};

/// The first bytes that a server sends, after `said`.
fn answer(address: SocketAddr, said: &[u8]) -> Vec<u8> {
    let mut stream = connect(address);
    stream.write_all(said).expect("the server listens");
    let mut answer = vec![0; 512];
    let length = stream.read(&mut answer).expect("an answer");
    answer.truncate(length);
    answer
}

/// What the server greets with: a packet of protocol 10, which holds its version. An error's would begin with 255.
#[track_caller]
fn assert_mariadb_serves(address: SocketAddr) {
    let greeting = answer(address, b"");
    assert_eq!(
        greeting.get(4),
        Some(&10),
        "{}",
        String::from_utf8_lossy(&greeting)
    );
}

/// A user's request to come in is answered by one for a password. An error's answer would begin with `E`.
#[track_caller]
fn assert_postgres_serves(address: SocketAddr, user: &str) {
    let mut startup = vec![0, 0, 0, 0, 0, 3, 0, 0];
    for text in ["user", user, ""] {
        startup.extend(text.bytes().chain([0]));
    }
    startup[3] = u8::try_from(startup.len()).expect("a short message");
    let said = answer(address, &startup);
    assert_eq!(
        said.first(),
        Some(&b'R'),
        "{}",
        String::from_utf8_lossy(&said)
    );
}

#[track_caller]
fn assert_redis_serves(address: SocketAddr) {
    assert_eq!(answer(address, b"PING\r\n"), b"+PONG\r\n");
}

#[derive(Composition)]
struct Shop {
    #[service(
        image = "mariadb:10.11",
        port = 3306,
        env(MARIADB_ROOT_PASSWORD = "sea", MARIADB_DATABASE = "shop"),
        ready(exec = "mariadb-admin ping -psea")
    )]
    db: Service,

    #[service(
        image = "redis:7",
        port = 6379,
        ready(log = "Ready to accept connections")
    )]
    cache: Service,
}

#[seatrial::test]
fn a_shop_as_the_documentation_declares_it(shop: Shop) -> Result<(), seatrial::Error> {
    assert_mariadb_serves(shop.db.addr());
    assert_redis_serves(shop.cache.addr());
    let sql = |text: &str| {
        run(
            &shop.db,
            &["mariadb", "-psea", "-h127.0.0.1", "-N", "shop", "-e", text],
        )
    };
    sql("CREATE TABLE orders (id INT); INSERT INTO orders VALUES (7)");
    run(&shop.cache, &["redis-cli", "SET", "order", "7"]);

    // What was stored is there after a restart, and ready means the same again.
    let (db, cache) = (shop.db.restart(), shop.cache.restart());
    db.wait()?;
    cache.wait()?;
    assert_mariadb_serves(shop.db.addr());
    assert_redis_serves(shop.cache.addr());
    assert_eq!(sql("SELECT id FROM orders"), "7");
    assert_eq!(run(&shop.cache, &["redis-cli", "GET", "order"]), "7");
    Ok(())
}

#[seatrial::test]
async fn redis_on_a_parameter(#[service(image = "redis:7", port = 6379)] cache: Service) {
    assert_redis_serves(cache.addr());
}

#[derive(Composition)]
struct Databases {
    #[service(
        image = "postgres:15",
        port = 5432,
        env(POSTGRES_USER = "sailor", POSTGRES_PASSWORD = "sea", POSTGRES_DB = "shop"),
        files(
            "/docker-entrypoint-initdb.d/1-schema.sql" = "CREATE TABLE orders (id int);",
            "/docker-entrypoint-initdb.d/2-data.sh" = "#!/bin/sh\npsql -U sailor shop -c 'INSERT INTO orders VALUES (7)'\n",
        ),
        ready(log = "database system is ready to accept connections", times = 2),
    )]
    by_log: Service,

    /// By its port alone.
    #[service(image = "postgres:15", port = 5432, env(POSTGRES_PASSWORD = "sea"))]
    by_port: Service,

    #[service(
        image = "postgres:15",
        port = 5432,
        env(POSTGRES_PASSWORD = "sea"),
        ready(image = "postgres:15", run = "pg_isready -h {self.host}")
    )]
    by_probe: Service,

    #[service(
        image = "mariadb:10.11",
        port = 3306,
        env(
            MARIADB_ROOT_PASSWORD = "sea",
            MARIADB_USER = "sailor",
            MARIADB_PASSWORD = "salt",
            MARIADB_DATABASE = "shop",
        ),
        files(
            "/docker-entrypoint-initdb.d/1-schema.sql" = "CREATE TABLE orders (id INT);",
            "/docker-entrypoint-initdb.d/2-data.sql" = "INSERT INTO orders VALUES (7);",
        ),
    )]
    maria: Service,
}

#[seatrial::test]
fn databases_serve_when_they_are_ready(databases: Databases) {
    let Databases {
        by_log,
        by_port,
        by_probe,
        maria,
    } = databases;
    assert_postgres_serves(by_log.addr(), "sailor");
    assert_postgres_serves(by_port.addr(), "postgres");
    assert_postgres_serves(by_probe.addr(), "postgres");
    assert_mariadb_serves(maria.addr());

    let url = "postgres://sailor:sea@127.0.0.1/shop";
    let select = "SELECT id FROM orders";
    assert_eq!(run(&by_log, &["psql", "-At", url, "-c", select]), "7");
    let as_sailor = [
        "mariadb",
        "-usailor",
        "-psalt",
        "-h127.0.0.1",
        "-N",
        "shop",
        "-e",
        select,
    ];
    assert_eq!(run(&maria, &as_sailor), "7");
}

/// A database that tests share.
#[derive(Composition)]
#[composition(scope = binary)]
struct Shared {
    #[service(
        image = "mariadb:10.11",
        port = 3306,
        env(MARIADB_ROOT_PASSWORD = "sea"),
        ready(exec = "mariadb-admin ping -psea")
    )]
    db: Service,
}

/// MariaDB takes a connection that says nothing for a failed login, and blocks a host after a hundred in a row.
#[seatrial::test]
fn a_database_that_is_shared_sees_no_failed_logins(shared: Shared) -> Result<(), seatrial::Error> {
    let failed = || {
        let status = "SHOW GLOBAL STATUS LIKE 'Aborted_connects'";
        run(&shared.db, &["mariadb", "-psea", "-N", "-e", status])
    };
    let before = failed();
    for _ in 0..5 {
        let again = Shared::launch().wait()?;
        assert_eq!(
            again.db.id(),
            shared.db.id(),
            "it is the same, looked at again"
        );
    }
    assert_eq!(failed(), before);
    Ok(())
}
