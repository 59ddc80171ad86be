//! A suite as it was written for another framework: tests that the macro of another crate writes, for an implementation on a
//! PostgreSQL that all tests of a run share.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use seatrial::{Composition, Service};
use seatrial_contract::{Journal, contract_tests};
use seatrial_tests::postgres::{Connection, quoted};
use tokio::sync::Mutex;

/// One for all tests of a run.
#[derive(Composition)]
#[composition(scope = run)]
struct Shared {
    #[service(
        image = "postgres:15",
        port = 5432,
        env(POSTGRES_HOST_AUTH_METHOD = "trust"),
        setup(
            exec = "psql -U postgres -c 'CREATE TABLE journal (owner text, stream text, number bigint, entry text, PRIMARY KEY (owner, stream, number))'"
        )
    )]
    db: Service,
}

/// The implementation that is tested.
struct InPostgres {
    connection: Mutex<Connection>,
    /// Whose entries these are: every test has a journal of its own.
    owner: String,
    /// Held as long as it is used.
    _shared: Shared,
}

/// What the contract asks for: a new journal.
async fn new() -> InPostgres {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let shared = Shared::launch().await.expect("a database");
    let connection = Connection::open(shared.db.addr()).await;
    InPostgres {
        connection: Mutex::new(connection.expect("it answers")),
        owner: format!(
            "{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        ),
        _shared: shared,
    }
}

impl InPostgres {
    /// What names a stream of this journal.
    fn is(&self, stream: &str) -> String {
        format!(
            "owner = {} AND stream = {}",
            quoted(&self.owner),
            quoted(stream)
        )
    }
}

impl Journal for InPostgres {
    type Error = io::Error;

    async fn append(&self, stream: &str, entry: &str) -> io::Result<u64> {
        let query = format!(
            "INSERT INTO journal SELECT {}, {}, coalesce(max(number), 0) + 1, {} FROM journal WHERE {} RETURNING number",
            quoted(&self.owner),
            quoted(stream),
            quoted(entry),
            self.is(stream),
        );
        let rows = self.connection.lock().await.query(&query).await?;
        let number = rows
            .first()
            .and_then(|row| row.first())
            .and_then(|number| number.parse().ok());
        number.ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    async fn read(&self, stream: &str, from: u64) -> io::Result<Vec<String>> {
        let is = self.is(stream);
        let query =
            format!("SELECT entry FROM journal WHERE {is} AND number >= {from} ORDER BY number");
        let rows = self.connection.lock().await.query(&query).await?;
        Ok(rows.into_iter().flatten().collect())
    }

    async fn clear(&self, stream: &str) -> io::Result<()> {
        let query = format!("DELETE FROM journal WHERE {}", self.is(stream));
        self.connection.lock().await.query(&query).await.map(drop)
    }
}

contract_tests!(a_journal_in_postgres, crate::new);
