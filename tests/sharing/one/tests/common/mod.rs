//! What several test executables include: one declaration, with services of every scope.

use seatrial::{Composition, Service};

#[derive(Composition)]
#[composition(scope = run)]
pub(crate) struct Harbour {
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        ready(running)
    )]
    pub(crate) lighthouse: Service,
    #[service(image = "debian:bookworm-slim", command = "sleep infinity", needs(lighthouse), scope = binary, ready(running))]
    pub(crate) pier: Service,
    #[service(image = "debian:bookworm-slim", command = "sleep infinity", needs(pier), scope = test, ready(running))]
    pub(crate) boat: Service,
}

impl Harbour {
    pub(crate) fn services(&self) -> [&Service; 3] {
        [&self.lighthouse, &self.pier, &self.boat]
    }

    pub(crate) fn assert_all_run(&self) {
        for service in self.services() {
            assert!(
                service
                    .exec(["true"])
                    .wait()
                    .expect("a command runs")
                    .success()
            );
        }
    }
}
