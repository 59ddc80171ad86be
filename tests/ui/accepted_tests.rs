//! Every form of a test, with names that the expansion must not confuse.

use seatrial::{Composition, Service};

#[derive(Composition)]
struct Shop {
    #[service(image = "redis:7", port = 6379)]
    cache: Service,
}

#[seatrial::test]
fn no_parameter() {}

/// Documented.
#[seatrial::test(timeout = "30s", runtime = "multi_thread")]
#[ignore = "slow"]
pub(crate) async fn many(
    shop: Shop,
    #[service(image = "redis:7", port = 6379)] launches: Service,
    Shop { cache, .. }: Shop,
    #[service(image = "app", env(CACHE = "{launches}"), ready(running))] mut ready: Service,
) -> Result<(), String> {
    let service = std::mem::replace(&mut ready, launches);
    drop((shop.cache, cache, service));
    Ok(())
}

#[seatrial::test(runtime = "current_thread", crate = ::seatrial)]
#[should_panic(expected = "meant")]
async fn panics() {
    panic!("meant")
}

#[seatrial::test]
fn an_exit_code(_: Shop) -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}

#[seatrial::test]
async fn not_send(_shop: Shop) -> Result<(), std::fmt::Error> {
    let local = std::rc::Rc::new(1);
    std::future::ready(()).await;
    drop(local);
    Ok(())
}

#[seatrial::test]
async fn instances_of_its_own(
    shared: Shop,
    #[composition(scope = test)] own: Shop,
    #[composition(scope = test)] Shop { cache, .. }: Shop,
    #[service(image = "app", scope = test, ready(running))] own_composition: Service,
) {
    drop((shared, own, cache, own_composition));
}
