//! A run in a container with the engine's socket, as CI services run jobs: with the container, the supervisor is gone, too,
//! and from outside nobody can see its process.

use std::path::Path;

use seatrial_tests::engine;
use serde_json::{Value, json};

use crate::cases;
use crate::run::{Run, rounds, until};

/// What the case writes its record into.
const RECORDS: &str = "records";

/// A container that runs a case, until it is dropped.
struct Container {
    id: String,
}

impl Container {
    fn running(run: &Run) -> Self {
        let executable = run.command.get_program().to_str().expect("plain");
        let records = run.path(RECORDS);
        std::fs::create_dir(&records).expect("a directory");
        let command = run.command.get_args().map(|it| it.to_str().expect("plain"));
        let command: Vec<&str> = [executable].into_iter().chain(command).collect();
        let env = [
            ("SEATRIAL_RUN_ID".to_owned(), run.id.clone()),
            (
                cases::RECORD.to_owned(),
                records.join("record").display().to_string(),
            ),
        ];
        let env = env.map(|(name, value)| format!("{name}={value}"));
        let own = |path: &Path| format!("{0}:{0}", path.display());
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("a workspace");
        let executables = Path::new(executable).parent().expect("a directory");
        let body = json!({
            "Image": "debian:bookworm-slim",
            "Cmd": command,
            "Env": env,
            "Labels": { "dev.seatrial.test": "endings" },
            "HostConfig": {
                // As its services' published ports and addresses are this machine's.
                "NetworkMode": "host",
                "Binds": [
                    format!("{}:/var/run/docker.sock", engine::socket().display()),
                    own(workspace),
                    own(executables),
                    own(&records),
                ],
            },
        });
        let (status, answer) = engine::ask_with("POST", "/containers/create", &body);
        assert_eq!(status, 201, "{answer}");
        let created: Value = serde_json::from_str(&answer).expect("JSON");
        let container = Self {
            id: created["Id"].as_str().expect("an id").to_owned(),
        };
        let (status, answer) = engine::ask("POST", &format!("/containers/{}/start", container.id));
        assert_eq!(status, 204, "{answer}");
        container
    }

    fn output(&self) -> String {
        let path = format!("/containers/{}/logs?stdout=1&stderr=1", self.id);
        engine::ask("GET", &path).1
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        engine::ask("DELETE", &format!("/containers/{}?force=1", self.id));
    }
}

#[test]
fn what_a_run_in_a_container_leaves_is_removed_by_the_next_run_elsewhere() {
    rounds(|| {
        let run = Run::direct("waits");
        let container = Container::running(&run);
        let record = run.path(RECORDS).join("record");
        until("the case has its services", || {
            let is_running = engine::is_running(&container.id);
            assert!(is_running, "it has ended: {}", container.output());
            record.exists().then_some(())
        });
        assert!(!engine::of(&run.id).is_empty(), "it has services");
        let next = Run::direct("passes").end().exited(0).output;
        assert!(!engine::of(&run.id).is_empty(), "it is alive: {next}");

        drop(container);
        let next = Run::direct("passes").end().exited(0).output;
        let left = engine::of(&run.id);
        assert!(left.is_empty(), "left behind: {left:#?}\n{next}");
    });
}
