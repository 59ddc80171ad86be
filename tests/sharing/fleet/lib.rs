//! A PostgreSQL that all tests of a run share, and any number of tests that use it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

#[doc(hidden)]
pub use seatrial;
use seatrial::{Composition, Service};

/// How long an answer may take on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

/// One for the whole run.
#[derive(Composition, Debug)]
#[composition(scope = run)]
pub struct Fleet {
    /// Whether it answers, [`Fleet::answers`] says.
    #[service(
        image = "postgres:15",
        port = 5432,
        env(POSTGRES_PASSWORD = "albatross")
    )]
    pub db: Service,
}

impl Fleet {
    /// Whether PostgreSQL is what answers on the service's port.
    ///
    /// # Errors
    ///
    /// Where nothing answers.
    pub fn answers(&self) -> io::Result<bool> {
        // `SSLRequest`: its length and its code. The answer is one byte, whether it goes on with TLS.
        const REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
        let mut stream = TcpStream::connect_timeout(&self.db.addr(), DEADLINE)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.write_all(&REQUEST)?;
        let mut answer = [0];
        stream.read_exact(&mut answer)?;
        Ok(matches!(answer, [b'N' | b'S']))
    }
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
                assert!(fleet.answers().expect("an answer"));
            }
        )*
    };
}
