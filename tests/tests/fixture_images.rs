//! What the project's tests and examples expect of the images they run on: the same of the official ones and of those
//! that are made from `tests/images` where no registry delivers the official ones.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Context, Result};
use seatrial::{Composition, Service};

/// The output of a command in the service, which must succeed.
async fn output(service: &Service, command: &str) -> Result<String> {
    let output = service.exec(["sh", "-c", command]).await?;
    anyhow::ensure!(
        output.code == 0,
        "`{command}`: {}{}",
        output.stdout,
        output.stderr
    );
    Ok(output.stdout.trim().to_owned())
}

/// The error of a launch that must fail.
async fn failure<C: Composition>() -> Result<String> {
    let error = C::launch().await.err().context("it has been launched")?;
    Ok(error.to_string())
}

/// MariaDB with all that its environment can ask for.
#[derive(Composition)]
struct Maria {
    #[service(
        image = "mariadb:10.11",
        port = 3306,
        command = "--max-connections=17",
        env(
            MARIADB_ROOT_PASSWORD_FILE = "/run/root-password",
            MARIADB_DATABASE = "shop",
            MARIADB_USER = "ann",
            MARIADB_PASSWORD = "it's",
        ),
        files(
            "/run/root-password" = "sea\n",
            "/docker-entrypoint-initdb.d/1.sql" = "CREATE TABLE t (a INT); INSERT INTO t VALUES (1);",
            "/docker-entrypoint-initdb.d/2.sh" =
                "mariadb -uroot -p\"$MARIADB_ROOT_PASSWORD\" shop -e 'INSERT INTO t VALUES (2)'\n",
        ),
        ready(exec = "mariadb-admin ping -h 127.0.0.1 -uann -pit\\'s")
    )]
    db: Service,
}

#[seatrial::test]
async fn mariadb_sets_up_what_its_environment_asks_for(maria: Maria) -> Result<()> {
    // Neither account comes from localhost: the address is the container's own.
    let rows = "mariadb -N -h $(hostname) -uann \"-pit's\" shop -e 'SELECT SUM(a) FROM t'";
    assert_eq!(output(&maria.db, rows).await?, "3");
    let root =
        "mariadb -N -h $(hostname) -uroot -psea -e 'SELECT @@max_connections, CURRENT_USER()'";
    assert_eq!(output(&maria.db, root).await?, "17\troot@%");
    let user = output(
        &maria.db,
        "ps -o user= -p 1 2>/dev/null || stat -c %U /proc/1",
    )
    .await?;
    assert_eq!(user, "mysql");
    Ok(())
}

#[seatrial::test]
async fn mariadb_takes_no_password_where_it_is_told_so(
    #[service(
        image = "mariadb:10.11",
        port = 3306,
        env(MARIADB_ALLOW_EMPTY_ROOT_PASSWORD = "1")
    )]
    db: Service,
) -> Result<()> {
    let one = output(&db, "mariadb -N -h $(hostname) -uroot -e 'SELECT 1'").await?;
    assert_eq!(one, "1");
    Ok(())
}

#[seatrial::test]
async fn mariadb_invents_a_password_where_it_is_told_so(
    #[service(
        image = "mariadb:10.11",
        port = 3306,
        env(MARIADB_RANDOM_ROOT_PASSWORD = "1")
    )]
    db: Service,
) -> Result<()> {
    let logs = db.logs().await?;
    let password = logs
        .lines()
        .find_map(|line| line.split("GENERATED ROOT PASSWORD: ").nth(1));
    let password = password.context("the log does not say the password")?;
    let login = format!("mariadb -N -h $(hostname) -uroot '-p{password}' -e 'SELECT 1'");
    assert_eq!(output(&db, &login).await?, "1");
    Ok(())
}

/// Nobody says what the password is.
#[derive(Composition)]
struct MariaWithoutPassword {
    #[service(image = "mariadb:10.11", port = 3306)]
    _db: Service,
}

#[seatrial::test]
async fn mariadb_wants_a_password_option() -> Result<()> {
    let error = failure::<MariaWithoutPassword>().await?;
    assert!(error.contains("MARIADB_ROOT_PASSWORD"), "{error}");
    Ok(())
}

/// PostgreSQL with all that its environment can ask for.
#[derive(Composition)]
struct Postgres {
    #[service(
        image = "postgres:15",
        port = 5432,
        command = "-c max_connections=17",
        env(
            POSTGRES_PASSWORD_FILE = "/run/password",
            POSTGRES_USER = "ann",
            POSTGRES_DB = "shop",
            POSTGRES_INITDB_ARGS = "--data-checksums",
        ),
        files(
            "/run/password" = "it's\n",
            "/docker-entrypoint-initdb.d/1.sql" = "CREATE TABLE t (a INT); INSERT INTO t VALUES (1);",
            "/docker-entrypoint-initdb.d/2.sh" =
                "psql -v ON_ERROR_STOP=1 -U \"$POSTGRES_USER\" \"$POSTGRES_DB\" -c 'INSERT INTO t VALUES (2)'\n",
        ),
        ready(log = "database system is ready to accept connections", times = 2)
    )]
    db: Service,
}

#[seatrial::test]
async fn postgres_sets_up_what_its_environment_asks_for(postgres: Postgres) -> Result<()> {
    // From the container's own address, for local connections need no password.
    let client = "PGPASSWORD=\"it's\" psql -tA -h $(hostname) -U ann shop -c";
    let ask = |question: &str| format!("{client} '{question}'");
    let rows = output(&postgres.db, &ask("SELECT SUM(a) FROM t")).await?;
    assert_eq!(rows, "3");
    let settings = output(&postgres.db, &ask("SHOW max_connections")).await?;
    assert_eq!(settings, "17");
    let checksums = output(&postgres.db, &ask("SHOW data_checksums")).await?;
    assert_eq!(checksums, "on");
    let wrong = "PGPASSWORD=wrong psql -h $(hostname) -U ann shop -c 'SELECT 1'";
    assert!(output(&postgres.db, wrong).await.is_err());
    Ok(())
}

#[seatrial::test]
async fn postgres_takes_no_password_where_it_is_told_so(
    #[service(
        image = "postgres:15",
        port = 5432,
        env(POSTGRES_HOST_AUTH_METHOD = "trust")
    )]
    db: Service,
) -> Result<()> {
    let one = output(&db, "psql -tA -h $(hostname) -U postgres -c 'SELECT 1'").await?;
    assert_eq!(one, "1");
    Ok(())
}

/// Nobody says what the password is.
#[derive(Composition)]
struct PostgresWithoutPassword {
    #[service(image = "postgres:15", port = 5432)]
    _db: Service,
}

#[seatrial::test]
async fn postgres_wants_a_password() -> Result<()> {
    let error = failure::<PostgresWithoutPassword>().await?;
    assert!(error.contains("POSTGRES_PASSWORD"), "{error}");
    Ok(())
}

#[seatrial::test]
async fn postgres_keeps_its_data_over_a_restart(
    #[service(image = "postgres:15", port = 5432, env(POSTGRES_PASSWORD = "sea"))] db: Service,
) -> Result<()> {
    let client = "PGPASSWORD=sea psql -tA -h $(hostname) -U postgres -c";
    output(&db, &format!("{client} 'CREATE TABLE t AS SELECT 1 AS a'")).await?;
    db.restart().await?;
    let rows = output(&db, &format!("{client} 'SELECT a FROM t'")).await?;
    assert_eq!(rows, "1");
    Ok(())
}

/// Two caches: options alone, and as they come.
#[derive(Composition)]
struct Caches {
    #[service(
        image = "redis:7",
        port = 6379,
        command = "--maxmemory 10mb",
        ready(log = "Ready to accept connections")
    )]
    small: Service,
    #[service(image = "redis:7", port = 6379)]
    plain: Service,
}

#[seatrial::test]
async fn redis_takes_options_and_lets_other_containers_in(caches: Caches) -> Result<()> {
    let asked = "redis-cli -h $(hostname) config get maxmemory";
    assert_eq!(output(&caches.small, asked).await?, "maxmemory\n10485760");
    assert_eq!(output(&caches.plain, asked).await?, "maxmemory\n0");
    Ok(())
}

/// Two servers: options alone, and as it comes.
#[derive(Composition)]
struct Messengers {
    #[service(image = "nats:2.9", port = 4222, command = "--name small")]
    small: Service,
    #[service(image = "nats:2.9", ports(4222, 8222))]
    plain: Service,
}

#[seatrial::test]
async fn nats_takes_options_and_tells_about_itself(messengers: Messengers) -> Result<()> {
    let greeting = |service: &Service| -> Result<String> {
        let mut greeting = String::new();
        let stream = TcpStream::connect(service.addr_of(4222))?;
        BufReader::new(stream).read_line(&mut greeting)?;
        Ok(greeting)
    };
    let small = greeting(&messengers.small)?;
    assert!(small.contains("\"server_name\":\"small\""), "{small}");
    let plain = greeting(&messengers.plain)?;
    assert!(!plain.contains("small"), "{plain}");
    let mut page = TcpStream::connect(messengers.plain.addr_of(8222))?;
    page.write_all(b"GET /varz HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    page.read_to_string(&mut answer)?;
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    Ok(())
}
