//! Forms of one declaration, as it changes from one run to the next: a source file, a struct's name and a field make it
//! one, wherever the struct is.

use seatrial::{Composition, Service};
use serde_json::json;

use super::{record, wait_until_told};

macro_rules! form {
    ($case:ident: $($key:tt)*) => {
        #[test]
        #[ignore = "run by the tests beside it"]
        fn $case() {
            #[derive(Composition)]
            #[composition(scope = keep)]
            struct Form {
                #[service(ready(running), $($key)*)]
                db: Service,
            }
            let form = Form::launch().wait().expect("its service");
            record(&json!({ "db": form.db.id() }));
            wait_until_told();
        }
    };
}

async fn nothing(_: &Service) -> Result<(), String> {
    Ok(())
}

form!(first:
    image = "debian:bookworm-slim",
    entrypoint = ["sleep", "infinity"],
    env(TIDE = "high"),
    files("/chart" = include_file!("fixtures/included.txt")),
    setup(exec = "true"),
    setup(with = nothing, key = "1"),
);

form!(of_another_variable:
    image = "debian:bookworm-slim",
    entrypoint = ["sleep", "infinity"],
    env(TIDE = "low"),
    files("/chart" = include_file!("fixtures/included.txt")),
    setup(exec = "true"),
    setup(with = nothing, key = "1"),
);

form!(of_another_image:
    image = "redis:7",
    entrypoint = ["sleep", "infinity"],
    env(TIDE = "high"),
    files("/chart" = include_file!("fixtures/included.txt")),
    setup(exec = "true"),
    setup(with = nothing, key = "1"),
);

form!(with_another_file:
    image = "debian:bookworm-slim",
    entrypoint = ["sleep", "infinity"],
    env(TIDE = "high"),
    files("/chart" = include_file!("fixtures/serve.pl")),
    setup(exec = "true"),
    setup(with = nothing, key = "1"),
);

form!(with_another_setup:
    image = "debian:bookworm-slim",
    entrypoint = ["sleep", "infinity"],
    env(TIDE = "high"),
    files("/chart" = include_file!("fixtures/included.txt")),
    setup(exec = "test -e /chart"),
    setup(with = nothing, key = "1"),
);

form!(of_another_key:
    image = "debian:bookworm-slim",
    entrypoint = ["sleep", "infinity"],
    env(TIDE = "high"),
    files("/chart" = include_file!("fixtures/included.txt")),
    setup(exec = "true"),
    setup(with = nothing, key = "2"),
);

// An image that only a substitution leads to.
form!(of_a_name:
    image = "localhost/seatrial/keeping:1",
    entrypoint = ["sleep", "infinity"],
);

form!(of_a_variable:
    image = "{$TIDE_IMAGE:-debian:bookworm-slim}",
    entrypoint = ["sleep", "infinity"],
);
