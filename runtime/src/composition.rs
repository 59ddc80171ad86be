//! Compositions: the trait that the derive implements, and the trait of the types of their fields.

use crate::client::{Client, Instances};
use crate::deadline::{self, Bound};
use crate::declaration::Declaration;
use crate::launched_in_test::Origin;
use crate::{Job, Operation, Service, workspace};

/// Services that a test depends on, declared in a struct. Derive it; do not implement it.
///
/// ```no_run
/// use seatrial::{Composition, Service};
///
/// #[derive(Composition)]
/// struct Storage {
///     #[service(image = "redis:7", port = 6379)]
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
    fn __from_services(services: &mut dyn Iterator<Item = Member>) -> Self;

    /// Launches the composition: in a test of another macro, in a benchmark, an example or `main`. Its services are ready when
    /// the operation is done. They are removed when all handles are dropped or the process ends; services of a wider scope stay
    /// as long as their scope says.
    ///
    /// # In tests of other macros
    ///
    /// Such macros are `#[tokio::test]`, `#[sqlx::test]`, or the macro of a crate that writes the tests for your implementation.
    /// Launch in the test, and hold the composition until the end of the test.
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
    /// If the test calls a constructor of yours, launch in the constructor, and keep the handles in the value:
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
    /// When such a test panics, Seatrial shows the last lines of its services' logs, and which services had exited. The test
    /// harness captures this text with the test's other output. Seatrial knows a test by the name of its thread, or by
    /// `--exact NAME` if it runs alone, as under nextest.
    ///
    /// * Each handle of a launch keeps all services of the launch. When the last handle is dropped, the services of scope `test`
    ///   are removed: in `let url = Shop::launch().await?.db.url("postgres", "/")` that happens at the end of the line. If the test
    ///   panics after that, the text names the services that were removed.
    /// * Services that one test has launched and left in a static are shown for every test that panics later.
    /// * A test that returns an error does not panic, so its logs are not shown. Write `.unwrap()` or `.expect("..")` in place of
    ///   `?` if the logs matter, or let `#[seatrial::test]` run the test, which shows them in both cases. Seatrial's own errors
    ///   contain the last lines of the log anyway.
    /// * A panic on another thread counts when the test's own thread panics, as it does on `handle.await.unwrap()`.
    ///
    /// In a benchmark, an example or `main`, a panic shows no logs.
    ///
    /// In a [`#[seatrial::test]`](macro@crate::test), take the composition as a parameter instead. Then it is launched together
    /// with the others, within the test's time, and its logs are shown also when the test returns an error.
    ///
    /// # Errors
    ///
    /// A service cannot be launched. The error names the service and the cause, and nothing is left running.
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
            let (members, _lease) = launching.await?;
            origin.note(&declaration, &services_of(&members));
            Ok(Self::__from_services(&mut members.into_iter()))
        });
        launched.within(bound)
    }
}

/// A type that a field of a composition can have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a service",
    label = "not a service",
    note = "write `seatrial::Service` as the type of a field or parameter with `#[service(..)]`"
)]
pub trait FromService: Sized {
    /// The handle as a value of this type.
    fn from_service(service: Service) -> Self;
}

impl FromService for Service {
    fn from_service(service: Service) -> Self {
        service
    }
}

/// A composition as the type of a parameter that is written `Service`. It is usually the handle, without its attribute, so
/// the error is another one than that of [`Composition`].
#[diagnostic::on_unimplemented(
    message = "missing `#[service(..)]` on a parameter of type `{Self}`",
    label = "a service that is not declared",
    note = "declare it right here: `#[service(image = \"redis:7\", port = 6379)] name: seatrial::Service`",
    note = "or write the type of the composition that has it, a struct with `#[derive(seatrial::Composition)]`"
)]
pub trait NamedService: Composition {}

#[diagnostic::do_not_recommend]
impl<C: Composition> NamedService for C {}

/// A type that a field with `#[job(..)]` can have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a job",
    label = "not a job",
    note = "write `seatrial::Job` as the type of a field or parameter with `#[job(..)]`"
)]
pub trait FromJob: Sized {
    /// The handle as a value of this type.
    fn from_job(job: Job) -> Self;
}

impl FromJob for Job {
    fn from_job(job: Job) -> Self {
        job
    }
}

/// A service or job of a launch.
#[derive(Clone, Debug)]
pub enum Member {
    /// A service, which runs.
    Service(Service),
    /// A job.
    Job(Job),
}

impl Member {
    /// The service as a value of this type.
    ///
    /// # Panics
    ///
    /// Never: the macros ask for services where the plan has services.
    pub fn into_service<T: FromService>(self) -> T {
        match self {
            Self::Service(service) => T::from_service(service),
            Self::Job(_) => unreachable!("the plan has a service there"),
        }
    }

    /// The job as a value of this type.
    ///
    /// # Panics
    ///
    /// Never: the macros ask for jobs where the plan has jobs.
    pub fn into_job<T: FromJob>(self) -> T {
        match self {
            Self::Job(job) => T::from_job(job),
            Self::Service(_) => unreachable!("the plan has a job there"),
        }
    }
}

/// The services among these members.
pub(crate) fn services_of(members: &[Member]) -> Vec<Service> {
    let services = members.iter().filter_map(|member| match member {
        Member::Service(service) => Some(service.clone()),
        Member::Job(_) => None,
    });
    services.collect()
}

/// The next member of a launch, which is a service.
///
/// # Panics
///
/// Never: the macros ask for as many members as the plan has.
pub fn next_service<T: FromService>(members: &mut dyn Iterator<Item = Member>) -> T {
    next(members).into_service()
}

/// The next member of a launch, which is a job.
///
/// # Panics
///
/// Never: the macros ask for as many members as the plan has.
pub fn next_job<T: FromJob>(members: &mut dyn Iterator<Item = Member>) -> T {
    next(members).into_job()
}

fn next(members: &mut dyn Iterator<Item = Member>) -> Member {
    members
        .next()
        .expect("a launch yields a member for each of the plan's")
}
