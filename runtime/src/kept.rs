//! Listing and removing the services that are kept on this machine.

use crate::client::Client;
use crate::protocol::{KeptService, Reply, RequestBody};
use crate::{Error, Operation};

/// Lists the services that are kept on this machine for this user: those with `scope = keep` that a run has started and that
/// still run. The list has the services of all executables, on the engine that this process uses.
///
/// # Errors
///
/// The process that keeps the services does not answer, or the configuration is wrong.
///
/// ```no_run
/// for kept in seatrial::kept().wait()? {
///     println!("{}.{} in {}", kept.composition, kept.service, kept.container);
/// }
/// # Ok::<(), seatrial::Error>(())
/// ```
pub fn kept() -> Operation<Vec<KeptService>> {
    ask(RequestBody::ListKept)
}

/// Removes the services that are kept on this machine for this user, and returns them. A service in use is removed when its
/// last user is done, and nobody else gets it. `SEATRIAL_KEEP=drop cargo test` does the same.
///
/// # Errors
///
/// The same as of [`kept`].
///
/// ```no_run
/// let dropped = seatrial::drop_kept().wait()?;
/// println!("{} services are not kept any more", dropped.len());
/// # Ok::<(), seatrial::Error>(())
/// ```
pub fn drop_kept() -> Operation<Vec<KeptService>> {
    ask(RequestBody::DropKept)
}

fn ask(body: RequestBody) -> Operation<Vec<KeptService>> {
    let ready =
        |outcome: Result<Vec<KeptService>, Error>| Operation::new(std::future::ready(outcome));
    match Client::keeper_if_any() {
        Err(error) => ready(Err(error)),
        // Nobody keeps anything.
        Ok(None) => ready(Ok(Vec::new())),
        Ok(Some(keeper)) => {
            let answer = keeper.ask(body);
            Operation::new(async move {
                match answer.await? {
                    Reply::Kept(kept) => Ok(kept),
                    other => unreachable!("it is answered with what is kept, not {other:?}"),
                }
            })
        }
    }
}
