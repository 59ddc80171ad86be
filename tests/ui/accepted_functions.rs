//! Functions with errors of every type that can be displayed, and with names that the expansion uses itself.

use std::fmt;

use seatrial::{Composition, Service};

const KEYS: &str = include_str!("../seed.sql");

#[derive(Composition)]
struct Shop {
    #[service(
        image = "a",
        ready(with = service),
        setup(with = outcome),
        setup(with = error, key = KEYS),
        setup(with = text),
        setup(with = boxed),
        setup(with = alias),
        setup(with = generic::<u8>),
    )]
    a: Service,
}

#[derive(Debug)]
struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the tide is out")
    }
}

/// A std error.
async fn service(_: &Service) -> Result<(), fmt::Error> {
    Err(fmt::Error)
}

/// What only implements `Display`.
async fn outcome(_: &Service) -> Result<(), Failed> {
    Err(Failed)
}

async fn error(_: &Service) -> Result<(), String> {
    Err("no table".to_owned())
}

async fn text(_: &Service) -> Result<(), &'static str> {
    Err("no table")
}

async fn boxed(_: &Service) -> Result<(), Box<dyn std::error::Error>> {
    Err(Box::new(fmt::Error))
}

async fn alias(_: &Service) -> anyhow::Result<()> {
    Ok(())
}

async fn generic<T: Default>(_: &Service) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let _ = T::default();
    Ok(())
}

#[seatrial::test]
fn on_a_parameter(
    shop: Shop,
    #[service(image = "b", setup(with = error, key = KEYS), setup(exec = "a", key = "v1"), ready(running))] b: Service,
) {
    drop((shop.a, b));
}
