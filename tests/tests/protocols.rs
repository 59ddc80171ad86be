//! Real servers that are asked in their own protocols: what accepts connections is not yet ready, and what is ready serves
//! at the first attempt.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use seatrial::{Composition, Error, ErrorKind, Service};
use seatrial_tests::servers::{connect, run};

/// What a server says first to whoever logs in, and nothing was tried before.
fn first_login(address: SocketAddr) -> String {
    let mut stream = connect(address);
    let startup = b"\0\0\0\x17\0\x03\0\0user\0postgres\0\0";
    stream.write_all(startup).expect("it listens");
    let mut answer = [0; 512];
    let length = stream.read(&mut answer).expect("an answer");
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

/// The line with which Redis answers.
fn redis(address: SocketAddr, commands: &str) -> String {
    let mut stream = connect(address);
    stream.write_all(commands.as_bytes()).expect("it listens");
    let mut line = String::new();
    BufReader::new(stream)
        .read_line(&mut line)
        .expect("an answer");
    line.trim_end().to_owned()
}

/// Databases of which nothing is declared but their port.
#[derive(Composition)]
struct Databases {
    #[service(image = "postgres:15", port = 5432, env(POSTGRES_PASSWORD = "sea"))]
    a: Service,
    #[service(image = "postgres:15", port = 5432, env(POSTGRES_PASSWORD = "sea"))]
    b: Service,
    #[service(image = "postgres:15", port = 5432, env(POSTGRES_PASSWORD = "sea"))]
    c: Service,
    #[service(image = "postgres:15", port = 5432, env(POSTGRES_PASSWORD = "sea"))]
    d: Service,
}

#[seatrial::test]
fn the_first_login_succeeds(databases: Databases) {
    let Databases { a, b, c, d } = databases;
    for database in [&a, &b, &c, &d] {
        let said = first_login(database.addr());
        assert!(said.starts_with('R'), "{said:?}");
    }
    // Of the check nothing is in the log but what the server said while it started.
    for database in [&a, &b, &c, &d] {
        let log = database.logs().wait().expect("its log");
        let mut lines = log.lines().filter(|line| line.contains("FATAL"));
        assert!(lines.all(|line| line.contains("starting up")), "{log}");
    }
}

/// A database in recovery, which refuses everyone, until it has refused two clients from elsewhere; then it is promoted.
#[derive(Composition)]
struct Standby {
    #[service(
        image = "postgres:15",
        port = 5432,
        env(POSTGRES_PASSWORD = "sea"),
        command = "-c hot_standby=off -c logging_collector=on -c log_directory=/tmp -c log_filename=log -c log_line_prefix='%h '",
        files(
            "/docker-entrypoint-initdb.d/standby.sh" = "touch \"$PGDATA/standby.signal\"
setsid bash -c 'until (($(grep -c \"^[0-9.]* FATAL: .*not accepting connections\" /tmp/log) >= 2)); do sleep 0.02; done
pg_ctl promote' >/dev/null 2>&1 &
"
        ),
    )]
    db: Service,
}

#[seatrial::test]
fn a_database_that_refuses_everyone_is_not_ready(standby: Standby) {
    let said = first_login(standby.db.addr());
    assert!(said.starts_with('R'), "{said:?}");
    let refused = run(
        &standby.db,
        &["grep", "-c", "Hot standby mode is disabled", "/tmp/log"],
    );
    assert!(refused.parse::<u32>().expect("a number") >= 2, "{refused}");
}

/// Caches that take their time for each key when they load what they have stored, and answer meanwhile.
#[derive(Composition)]
struct Caches {
    #[service(
        image = "redis:7",
        port = 6379,
        command = "--key-load-delay 2000 --loading-process-events-interval-bytes 1024"
    )]
    open: Service,
    #[service(
        image = "redis:7",
        port = 6379,
        command = "--key-load-delay 2000 --loading-process-events-interval-bytes 1024 --requirepass 'salt sea'"
    )]
    locked: Service,
    /// Its password is where nobody looks for it.
    #[service(
        image = "redis:7",
        port = 6379,
        files("/etc/redis.conf" = "requirepass hidden\n"),
        command = "redis-server /etc/redis.conf"
    )]
    unknown: Service,
}

#[seatrial::test]
fn a_cache_that_loads_is_not_ready(caches: Caches) -> Result<(), Error> {
    let fill = "for i = 1, 250 do redis.call('SET', 'key' .. i, string.rep('x', 20)) end";
    for (cache, login) in [
        (&caches.open, &[][..]),
        (&caches.locked, &["--pass", "salt sea", "--no-auth-warning"]),
    ] {
        let client = |command: &[&str]| run(cache, &[&["redis-cli"], login, command].concat());
        client(&["EVAL", fill, "0"]);
        client(&["SAVE"]);
        cache.restart().wait()?;
        // No second attempt.
        match login {
            [] => assert_eq!(redis(cache.addr(), "PING\r\n"), "+PONG"),
            _ => assert_eq!(redis(cache.addr(), "AUTH \"salt sea\"\r\n"), "+OK"),
        }
        assert_eq!(client(&["DBSIZE"]), "250");
        // It was asked while it loaded, by one who could tell.
        let refused = client(&["INFO", "errorstats"]);
        assert!(refused.contains("errorstat_LOADING:count="), "{refused}");
        assert!(!refused.contains("NOAUTH"), "{refused}");
    }
    assert!(redis(caches.unknown.addr(), "PING\r\n").starts_with("-NOAUTH"));
    Ok(())
}

/// What a server says is in the error, with what to do.
#[derive(Composition)]
struct Protected {
    #[service(
        image = "redis:7",
        port = 6379,
        ready(redis, interval = "10ms", failures = 500)
    )]
    cache: Service,
}

#[seatrial::test]
fn a_server_that_lets_nobody_in_is_told_in_its_words(protected: Protected) {
    let cache = &protected.cache;
    run(
        cache,
        &["redis-cli", "CONFIG", "SET", "protected-mode", "yes"],
    );
    let error = cache.ready().wait().expect_err("it lets nobody in");
    assert_eq!(error.kind(), ErrorKind::NotReady, "{error}");
    let text = error.to_string();
    for part in [
        "redis on port 6379: it says \"DENIED Redis is running in protected mode",
        "`--protected-mode no`",
    ] {
        assert!(text.contains(part), "`{part}` is missing: {text}");
    }
}

#[derive(Composition)]
struct Messengers {
    #[service(image = "nats:2.9", port = 4222)]
    open: Service,
    #[service(image = "nats:2.9", port = 4222, command = "--user ann --pass sea")]
    locked: Service,
}

#[seatrial::test]
fn a_messenger_that_wants_a_login_is_ready_and_logs_nothing_of_it(messengers: Messengers) {
    let mut stream = connect(messengers.open.addr());
    stream
        .write_all(b"CONNECT {}\r\nPING\r\n")
        .expect("it listens");
    let mut lines = BufReader::new(stream).lines();
    assert!(lines.any(|line| line.expect("an answer") == "PONG"));
    for service in [&messengers.open, &messengers.locked] {
        let log = service.logs().wait().expect("its log");
        assert!(
            log.contains("Server is ready") && !log.contains("[ERR]"),
            "{log}"
        );
    }
}

/// What tests share, and is looked at for each of them.
#[derive(Composition)]
#[composition(scope = binary)]
struct Shared {
    #[service(
        image = "mariadb:10.11",
        port = 3306,
        env(MARIADB_ROOT_PASSWORD = "sea")
    )]
    maria: Service,
    #[service(image = "redis:7", port = 6379)]
    cache: Service,
}

#[seatrial::test]
fn what_minds_being_asked_is_asked_once(shared: Shared) -> Result<(), Error> {
    // Connections without a login, refused logins, and how often the cache was asked.
    let aborted = "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'aborted_connects'";
    let aborted = || run(&shared.maria, &["mariadb", "-psea", "-N", "-e", aborted]);
    let asked = || {
        let calls = run(&shared.cache, &["redis-cli", "INFO", "commandstats"]);
        let ping = calls.split("cmdstat_ping:calls=").nth(1).unwrap_or("0");
        let digits = ping.split(',').next().unwrap_or_default();
        digits.parse::<u32>().expect("a number")
    };
    let refused = || {
        let log = shared.maria.logs().wait().expect("its log");
        log.matches("Access denied for user 'seatrial'").count()
    };
    let before = (aborted(), refused(), asked());
    assert!(before.1 >= 1 && before.2 >= 1, "{before:?}");
    for _ in 0..3 {
        let again = Shared::launch().wait()?;
        assert_eq!(again.maria.id(), shared.maria.id());
    }
    assert_eq!((aborted(), refused()), (before.0, before.1));
    assert!(asked() >= before.2 + 3);
    // Whoever asks for it gets an answer.
    shared.maria.ready().wait()?;
    // The engine writes a log with a delay.
    while refused() == before.1 {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(refused(), before.1 + 1);
    Ok(())
}
