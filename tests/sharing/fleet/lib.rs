//! A PostgreSQL that all tests of a run share, set up once before any of them sees it, and any number of tests that use it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

#[doc(hidden)]
pub use seatrial;
use seatrial::{Composition, Service};

/// How long an answer may take on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

/// The kinds of PostgreSQL's messages that are looked for in an answer.
const DATA_ROW: u8 = b'D';
const ERROR_RESPONSE: u8 = b'E';

/// One for the whole run.
#[derive(Composition, Debug)]
#[composition(scope = run)]
pub struct Fleet {
    /// Holds what its setups have written, see [`Fleet::assert_set_up_once`].
    #[service(
        image = "postgres:15",
        port = 5432,
        env(POSTGRES_HOST_AUTH_METHOD = "trust"),
        // It fails where the table is there.
        setup(exec = "psql -U postgres -c 'CREATE TABLE crossings (ship text)'", name = "schema"),
        setup(with = cross, name = "crossing"),
    )]
    pub db: Service,
    /// Starts once the database is set up.
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        needs(db),
        ready(running)
    )]
    pub pilot: Service,
}

/// Adds one row, each time it is called.
async fn cross(db: &Service) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let insert = "INSERT INTO crossings VALUES ('albatross')";
    let output = db.exec(["psql", "-U", "postgres", "-c", insert]).await?;
    if output.success() {
        Ok(())
    } else {
        Err(output.stderr.into())
    }
}

impl Fleet {
    /// Each setup was done, and only once.
    ///
    /// # Panics
    ///
    /// Where a setup was not done, or done twice, or nothing answers.
    #[track_caller]
    pub fn assert_set_up_once(&self) {
        let rows = self.rows().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(rows, 1, "rows that the setup has added");
    }

    /// How many rows the table has. It is asked for in PostgreSQL's own words: a `psql` for each test would take a process in
    /// the container each time.
    fn rows(&self) -> io::Result<usize> {
        const STARTUP: &[u8] = b"\0\x03\0\0user\0postgres\0\0";
        const QUERY: &[u8] = b"SELECT ship FROM crossings\0";
        let mut stream = TcpStream::connect_timeout(&self.db.addr(), DEADLINE)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        let mut request = with_length(STARTUP);
        request.push(b'Q');
        request.extend(with_length(QUERY));
        // `Terminate`: the answer ends with the connection.
        request.push(b'X');
        request.extend(with_length(b""));
        stream.write_all(&request)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let mut rows = 0;
        let mut rest = answer.as_slice();
        while let [kind, a, b, c, d, after @ ..] = rest {
            let length = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d]));
            // The length counts itself.
            let body = length.ok().and_then(|length| length.checked_sub(4));
            let split = body.and_then(|body| after.split_at_checked(body));
            let (body, next) = split.ok_or(io::ErrorKind::UnexpectedEof)?;
            match *kind {
                DATA_ROW => rows += 1,
                ERROR_RESPONSE => {
                    let fields = String::from_utf8_lossy(body).replace('\0', " ");
                    return Err(io::Error::other(fields));
                }
                _ => {}
            }
            rest = next;
        }
        Ok(rows)
    }
}

/// The body of a message, behind the length that it has on the wire.
fn with_length(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("a short message");
    [&length.to_be_bytes(), body].concat()
}

/// A test for each name, in a module for each name of the first list: `tests_of!([a b] [c d])` has `a::c` to `b::d`.
#[macro_export]
macro_rules! tests_of {
    ([$($module:ident)*] $names:tt) => {
        $(mod $module {
            $crate::tests_of!($names);
        })*
    };
    ([$($name:ident)*]) => {
        $(
            #[$crate::seatrial::test(crate = $crate::seatrial)]
            #[ignore = "run by `tests/tests/sharing`"]
            fn $name(fleet: $crate::Fleet) {
                fleet.assert_set_up_once();
            }
        )*
    };
}
