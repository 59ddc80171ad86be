//! Connection pools beside services that tests share: what works, where each async test has a runtime of its own.

use std::io;
use std::net::SocketAddr;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

use seatrial::{Composition, Service};
use seatrial_tests::child;
use seatrial_tests::postgres::Connection;
use tokio::runtime::Runtime;

#[derive(Composition)]
#[composition(scope = run)]
struct Shop {
    #[service(
        image = "postgres:15",
        port = 5432,
        env(POSTGRES_HOST_AUTH_METHOD = "trust")
    )]
    db: Service,
}

/// Connections that are used again, as the pools of client libraries have them.
struct Pool {
    server: SocketAddr,
    idle: Mutex<Vec<Connection>>,
    /// How many have been opened.
    opened: Mutex<usize>,
}

impl Pool {
    fn new(shop: &Shop) -> Self {
        Self {
            server: shop.db.addr(),
            idle: Mutex::default(),
            opened: Mutex::default(),
        }
    }

    fn opened(&self) -> usize {
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Half of six.
    async fn ask(&self) -> io::Result<u32> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => {
                *self.opened.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                Connection::open(self.server).await?
            }
        };
        let rows = connection.query("SELECT 6 / 2").await?;
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
        rows[0][0].parse().map_err(io::Error::other)
    }
}

/// One for all tests, whose connections belong to the runtime of the test that has opened them.
mod in_a_static {
    use super::*;

    static POOL: OnceLock<Pool> = OnceLock::new();
    pub(super) static ANSWERS: Mutex<Vec<Result<u32, String>>> = Mutex::new(Vec::new());

    #[seatrial::test]
    #[ignore = "run by the test beside it"]
    pub(super) async fn asks(shop: Shop) {
        let answer = POOL.get_or_init(|| Pool::new(&shop)).ask().await;
        let answer = answer.map_err(|error| error.to_string());
        ANSWERS.lock().expect("no panic").push(answer);
    }
}

#[test]
fn a_connection_ends_with_the_runtime_that_has_opened_it() {
    in_a_static::asks();
    in_a_static::asks();
    let answers = in_a_static::ANSWERS.lock().expect("no panic");
    assert_eq!(answers[0], Ok(3));
    let error = answers[1].as_ref().expect_err("its runtime is gone");
    assert!(error.contains("is being shutdown"), "{error}");
}

/// What the documentation says to write instead.
mod instead {
    use super::*;

    /// A pool that belongs to the test, as its runtime does.
    mod of_each_test {
        use super::*;

        async fn ask_twice(shop: &Shop) {
            let pool = Pool::new(shop);
            for _ in 0..2 {
                assert_eq!(pool.ask().await.expect("an answer"), 3);
            }
            assert_eq!(pool.opened(), 1);
        }

        #[seatrial::test]
        #[ignore = "run by the test beside it"]
        async fn one(shop: Shop) {
            ask_twice(&shop).await;
        }

        #[seatrial::test]
        #[ignore = "run by the test beside it"]
        async fn another(shop: Shop) {
            ask_twice(&shop).await;
        }

        #[tokio::test]
        #[ignore = "run by the test beside it"]
        async fn one_of_another_macro() {
            ask_twice(&Shop::launch().await.expect("a database")).await;
        }
    }

    /// One runtime that lives as long as the process, and the pool beside it.
    mod on_a_runtime_of_its_own {
        use super::*;

        static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
        static POOL: OnceLock<Pool> = OnceLock::new();

        fn pool(shop: &Shop) -> &'static Pool {
            POOL.get_or_init(|| Pool::new(shop))
        }

        #[seatrial::test]
        #[ignore = "run by the test beside it"]
        fn plain(shop: Shop) {
            let answer = RUNTIME.block_on(pool(&shop).ask());
            assert_eq!(answer.expect("an answer"), 3);
        }

        #[seatrial::test(timeout = "2m")]
        #[ignore = "run by the test beside it"]
        fn plain_in_time(shop: Shop) {
            let answer = RUNTIME.block_on(pool(&shop).ask());
            assert_eq!(answer.expect("an answer"), 3);
        }

        #[seatrial::test]
        #[ignore = "run by the test beside it"]
        async fn asynchronous(shop: Shop) {
            let pool = pool(&shop);
            let answer = RUNTIME.spawn(pool.ask()).await.expect("no panic");
            assert_eq!(answer.expect("an answer"), 3);
        }

        /// The last by name, and so on one thread.
        #[seatrial::test]
        #[ignore = "run by the test beside it"]
        fn zz_have_shared_a_connection(shop: Shop) {
            assert_eq!(pool(&shop).opened(), 1);
        }
    }

    /// A client that blocks has no runtime.
    mod with_a_client_that_blocks {
        use seatrial_tests::conversation::Conversation;

        use super::*;

        #[derive(Composition)]
        #[composition(scope = run)]
        struct Lighthouse {
            #[service(
                image = "debian:bookworm-slim",
                port = 4000,
                env(NAME = "lighthouse"),
                command = "{source}/tests/fixtures/serve.pl 4000"
            )]
            keeper: Service,
        }

        static CONNECTION: Mutex<Option<Conversation>> = Mutex::new(None);

        fn ask(lighthouse: &Lighthouse) {
            let mut connection = CONNECTION.lock().expect("no panic");
            let connection = connection.get_or_insert_with(|| {
                Conversation::begin(lighthouse.keeper.addr()).expect("a connection")
            });
            let answer = connection.ask("hello").expect("an answer");
            assert_eq!(answer, "hello from lighthouse");
        }

        #[seatrial::test]
        #[ignore = "run by the test beside it"]
        fn one(lighthouse: Lighthouse) {
            ask(&lighthouse);
        }

        #[seatrial::test]
        #[ignore = "run by the test beside it"]
        async fn another(lighthouse: Lighthouse) {
            ask(&lighthouse);
        }
    }
}

#[test]
fn what_the_documentation_says_to_write_works() {
    // In one process, one after another: so the second finds what the first has left.
    let verdict = child::run(child::tests("instead::").arg("--test-threads=1"));
    assert!(verdict.passed, "{verdict:#?}");
}
