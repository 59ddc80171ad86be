//! Constants, statics, types and traits with names that the expansion might use: a pattern would refer to the constant.

#![allow(non_upper_case_globals, non_camel_case_types, dead_code)]

use seatrial::{Composition, Service};

const service: u8 = 1;
const services: u8 = 1;
static composition: u8 = 1;
const launches: u8 = 1;
struct ready;
struct outcome(u8);
const error: u8 = 1;
const key: u8 = 1;
const binding: u8 = 1;
const name: &str = "v1";

trait Text {
    fn text(&self) -> String;
    fn take(self) -> String;
}

impl<T> Text for T {
    fn text(&self) -> String {
        String::new()
    }

    fn take(self) -> String {
        String::new()
    }
}

#[derive(Composition)]
pub struct Shop {
    #[service(image = "a", ready(with = hooks::service), setup(with = hooks::outcome, key = name))]
    services: Service,
    #[service(image = "a", needs(services), ready(running))]
    composition: Service,
}

mod hooks {
    use seatrial::Service;

    pub(crate) async fn service(_: &Service) -> Result<(), String> {
        Ok(())
    }

    pub(crate) async fn outcome(_: &Service) -> Result<(), std::fmt::Error> {
        Ok(())
    }
}

#[seatrial::test]
async fn ready_to_use(shop: Shop, #[service(image = "a", setup(with = hooks::service), ready(running))] db: Service) {
    drop((shop, db));
}

mod functions {
    use seatrial::{Composition, Service};

    async fn service(_: &Service) -> Result<(), String> {
        Ok(())
    }

    #[seatrial::test]
    async fn launches(#[service(image = "a", ready(with = service))] service: Service) {
        drop(service);
    }

    #[seatrial::test]
    fn run_async(#[service(image = "a", setup(with = service), ready(running))] launches: Service) {
        drop(launches);
    }

    pub(super) fn inside_of_a_function() {
        async fn service(_: &Service) -> Result<(), String> {
            Ok(())
        }

        #[derive(Composition)]
        pub struct Shop {
            #[service(image = "a", ready(with = service), setup(with = Self::seed))]
            pub db: Service,
        }

        impl Shop {
            async fn seed(_: &Service) -> Result<(), String> {
                Ok(())
            }
        }
        let _ = Shop::launch;
    }
}

mod named_as_the_handle {
    /// A composition with the name of the handle.
    #[derive(seatrial::Composition)]
    pub struct Service {
        #[service(image = "redis:7", port = 6379)]
        cache: seatrial::Service,
    }

    #[seatrial::test]
    fn takes_it(service: Service, #[composition(scope = test)] other: self::Service) {
        drop((service, other));
    }
}
