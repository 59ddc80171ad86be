//! No name must be in scope, and the user may define any name.

#[allow(dead_code)]
struct Option;
#[allow(dead_code)]
struct Result;
#[allow(dead_code)]
struct Box;
#[allow(dead_code, non_camel_case_types)]
struct str;
#[allow(dead_code)]
mod core {}
#[allow(dead_code)]
mod std {}

#[derive(::seatrial::Composition)]
struct Shop {
    #[service(image = "redis:7", port = 6379, ready(with = seeded), setup(with = seeded, key = "v1"))]
    cache: ::seatrial::Service,
}

async fn seeded(_: &::seatrial::Service) -> ::core::result::Result<(), ::std::string::String> {
    ::core::result::Result::Ok(())
}

#[::seatrial::test(timeout = "30s")]
async fn runs(_: Shop, #[service(image = "redis:7", ready(running))] _other: ::seatrial::Service) {}
