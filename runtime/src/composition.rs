//! Compositions: what the derive implements.

use crate::client::{Client, Instances};
use crate::deadline::{self, Bound};
use crate::private::Declaration;
use crate::{Operation, Service};

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
    message = "`{Self}` is no composition",
    label = "no composition",
    note = "derive it: `#[derive(seatrial::Composition)]` on a struct whose fields are services",
    note = "or declare a service right here: `#[service(image = \"..\")] name: seatrial::Service`"
)]
pub trait Composition: Sized + Send + 'static {
    #[doc(hidden)]
    fn __declaration() -> Declaration;

    #[doc(hidden)]
    fn __from_services(services: &mut dyn Iterator<Item = Service>) -> Self;

    /// Launches the composition outside a test: in a benchmark, an example or `main`. Its services are ready when the
    /// operation is done, and gone when all handles are dropped or the process ends.
    ///
    /// # Errors
    ///
    /// Where a service cannot be launched; the error names the service and the cause, and nothing is left running.
    fn launch() -> Operation<Self> {
        let declaration = Self::__declaration();
        let deadline = deadline::current();
        let bound = Bound::of_launch(deadline.clone());
        let launching = Client::get().launch(declaration, Instances::AsDeclared, None, deadline);
        let launched = Operation::new(async move {
            let (services, _lease) = launching.await?;
            Ok(Self::__from_services(&mut services.into_iter()))
        });
        launched.within(bound)
    }
}
