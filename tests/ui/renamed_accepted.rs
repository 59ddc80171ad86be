//! Every form of a declaration that names the runtime, which has another name.

use trial::{Composition, Service};

#[derive(Composition)]
#[composition(crate = trial)]
struct Shop {
    #[service(
        image = "a",
        ready(with = seeded),
        setup(with = seeded, key = "v1"),
        files("/seed.sql" = include_file!("Cargo.toml")),
    )]
    db: Service,
}

async fn seeded(_: &Service) -> Result<(), String> {
    Ok(())
}

#[trial::test(crate = trial)]
async fn waits(
    shop: Shop,
    #[composition(scope = test)] own: Shop,
    #[cfg(all())]
    #[service(image = "a", ready(with = seeded))]
    cache: Service,
) -> Result<(), String> {
    drop((shop.db, own, cache));
    Ok(())
}

#[trial::test(crate = ::trial, timeout = "30s")]
fn blocks(shop: Shop) {
    drop(shop);
}
