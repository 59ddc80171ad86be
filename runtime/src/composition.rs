//! Compositions: what the derive implements, and what their fields are made from.

use crate::client::{Client, Instances};
use crate::deadline::{self, Bound};
use crate::declaration::Declaration;
use crate::launched_in_test::Origin;
use crate::{Operation, Service, workspace};

/// Services that a test depends on, declared in a struct. Derive it; do not implement it.
///
/// ```no_run
/// use seatrial::{Composition, Service};
///
/// #[derive(Composition)]
/// struct Storage {
///     #[service(image = "redis:7", port = 6379, ready(log = "Ready to accept connections"))]
///     cache: Service,
/// }
///
/// // In a test, take it as an argument:
/// #[seatrial::test]
/// fn keys_expire(storage: Storage) {
///     let address = storage.cache.addr();
/// #   let _ = address;
/// }
///
/// // Anywhere else, launch it:
/// # fn main() -> Result<(), seatrial::Error> {
/// let storage = Storage::launch().wait()?;
/// # drop(storage);
/// # Ok(()) }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a composition",
    label = "not a composition",
    note = "derive it: `#[derive(seatrial::Composition)]` on a struct whose fields are services",
    note = "or declare a service right here: `#[service(image = \"..\")] name: seatrial::Service`"
)]
pub trait Composition: Sized + Send + 'static {
    #[doc(hidden)]
    fn __declaration() -> Declaration;

    #[doc(hidden)]
    fn __from_services(services: &mut dyn Iterator<Item = Service>) -> Self;

    /// Launches the composition: in a test that another macro writes, in a benchmark, an example or `main`. Its services are
    /// ready when the operation is done, and gone when all handles are dropped or the process ends; those of a wider scope stay
    /// as long as that says.
    ///
    /// # In tests that another macro writes
    ///
    /// `#[tokio::test]`, `#[sqlx::test]`, or a macro of another crate that writes the tests for your implementation: launch in the
    /// test, and hold what you get until its end.
    ///
    /// ```no_run
    /// # use seatrial::{Composition, Service};
    /// # #[derive(Composition)]
    /// # struct Shop {
    /// #     #[service(image = "postgres:15", port = 5432, env(POSTGRES_PASSWORD = "sea"))]
    /// #     db: Service,
    /// # }
    /// #[tokio::test]
    /// async fn an_order_is_stored() {
    ///     let shop = Shop::launch().await.unwrap();
    ///     let url = shop.db.url("postgres", "/");
    ///     // .. use the library under test with it ..
    /// #   let _ = url;
    /// }
    /// ```
    ///
    /// A test that calls a constructor of yours launches there, and the value keeps the handles:
    ///
    /// ```no_run
    /// # use seatrial::{Composition, Service};
    /// # #[derive(Composition)]
    /// # #[composition(scope = run)]
    /// # struct Shop {
    /// #     #[service(image = "postgres:15", port = 5432, env(POSTGRES_PASSWORD = "sea"))]
    /// #     db: Service,
    /// # }
    /// # struct Orders;
    /// # impl Orders {
    /// #     async fn connect(_url: &str) -> Result<Self, seatrial::Error> { Ok(Self) }
    /// # }
    /// struct Subject {
    ///     orders: Orders,
    ///     _shop: Shop,
    /// }
    ///
    /// async fn subject() -> Result<Subject, seatrial::Error> {
    ///     let shop = Shop::launch().await?;
    ///     let orders = Orders::connect(&shop.db.url("postgres", "/")).await?;
    ///     Ok(Subject { orders, _shop: shop })
    /// }
    /// # fn used(subject: Subject) -> Orders { subject.orders }
    /// ```
    ///
    /// When such a test panics, the last lines of its services' logs are shown, and which of them had ended, where the
    /// test harness captures what the test says. Tests are known by the names of their threads, and by `--exact NAME` where one
    /// runs alone, as under nextest.
    ///
    /// * Any handle of a launch keeps all of its services. Once the last is dropped, those of scope `test` are removed: in
    ///   `let url = Shop::launch().await?.db.url("postgres", "/")` that is the end of the line. A test that panics after that is told
    ///   which services were gone.
    /// * What one test has launched and left in a static is shown for every test that panics later.
    /// * A test that returns an error does not panic, and nothing that it has used can see how it ends: no log is shown. Write
    ///   `.unwrap()` or `.expect("..")` in place of `?` where the logs matter, or let `#[seatrial::test]` run the test, which sees
    ///   both. Errors of Seatrial's own have the lines that matter in them either way.
    /// * A panic on another thread is the test's once the test's own thread panics, as it does on `handle.await.unwrap()`.
    ///
    /// In a benchmark, an example or `main` a panic says no more than it does otherwise.
    ///
    /// In a [`#[seatrial::test]`](macro@crate::test) take the composition as a parameter: then it is launched beside the others,
    /// within the test's time, and its logs are shown also where the test returns an error.
    ///
    /// # Errors
    ///
    /// Where a service cannot be launched; the error names the service and the cause, and nothing is left running.
    #[track_caller]
    fn launch() -> Operation<Self> {
        let declaration = Self::__declaration();
        workspace::is_declared(declaration.package);
        let deadline = deadline::current();
        let bound = Bound::of_launch(deadline.clone());
        let origin = Origin::of_caller();
        let launching =
            Client::get().launch(declaration, Instances::AsDeclared, origin.test(), deadline);
        let launched = Operation::new(async move {
            let (services, _lease) = launching.await?;
            origin.note(&declaration, &services);
            Ok(Self::__from_services(&mut services.into_iter()))
        });
        launched.within(bound)
    }
}

/// What a field of a composition can be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a service",
    label = "not a service",
    note = "write `seatrial::Service` as the type of a field or parameter with `#[service(..)]`"
)]
pub trait FromService: Sized {
    /// The typed handle.
    fn from_service(service: Service) -> Self;
}

impl FromService for Service {
    fn from_service(service: Service) -> Self {
        service
    }
}

/// The next service of a launch.
///
/// # Panics
///
/// Never: the macros ask for as many as the plan has.
pub fn next_service<T: FromService>(services: &mut dyn Iterator<Item = Service>) -> T {
    T::from_service(
        services
            .next()
            .expect("a launch yields a service for each of the plan's"),
    )
}
