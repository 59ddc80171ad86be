//! Jobs: what is not one, what cannot need one, and what they cannot leave.

use seatrial::{Composition, Job, Service};

#[derive(Composition)]
struct Shop {
    #[job(image = "a", run = "true")]
    migrate: Job,
    #[service(image = "b", env(URL = "http://{migrate}"), ready(running))]
    connects: Service,
    #[service(image = "b", env(HOST = "{migrate.host}", PORT = "{migrate.port}"), ready(running))]
    asks_for_a_port: Service,
    #[job(run = "true")]
    no_origin: Job,
    #[job]
    nothing: Job,
    #[job(image = "a", command = "true")]
    of_a_service: Job,
    #[job(image = "a", port = 80)]
    serves: Job,
    #[job(image = "a", ready(running))]
    is_ready: Job,
    #[job(image = "a", runn = "true")]
    misspelt: Job,
    #[job(image = "a", timeout = "soon")]
    time: Job,
    #[job(image = "a", scope = keep)]
    kept: Job,
    #[job(image = "a")]
    #[service(image = "a", ready(running))]
    both: Job,
    missing: Job,
    #[job(image = "a", artifacts("reports" = "target/reports"))]
    in_the_source: Job,
    #[job(image = "a", artifacts("/workspace/x" = "target/x", "/x/../y" = "target/y", "/z" = "/z", "/w" = "."))]
    places: Job,
    #[job(image = "a", artifacts("/a" = "target/a", "/b" = "target/a/"), junit = "x")]
    twice: Job,
    #[job(image = "a", artifacts("/a"))]
    malformed: Job,
}

#[derive(Composition)]
#[composition(scope = keep)]
struct Kept {
    #[job(image = "a")]
    migrate: Job,
    #[service(image = "b", needs(migrate), ready(running))]
    db: Service,
}

#[seatrial::test]
#[job(image = "a")]
fn on_the_function() {}
