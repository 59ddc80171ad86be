//! A runtime with another name, declared once in the root of the crate.

extern crate trial as seatrial;

mod shop {
    use trial::{Composition, Service};

    #[derive(Composition)]
    pub(crate) struct Shop {
        #[service(image = "a", setup(with = seeded), ready(running))]
        pub(crate) db: Service,
    }

    async fn seeded(_: &Service) -> Result<(), String> {
        Ok(())
    }
}

#[trial::test]
async fn waits(shop: shop::Shop, #[cfg(all())] other: shop::Shop) {
    drop((shop.db, other.db));
}
