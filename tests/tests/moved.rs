//! Test executables that were built in one tree and run in another: all that is theirs comes from the other.

use std::fs;
use std::io::Read as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use seatrial::{Composition, Service};
use seatrial_tests::scratch::Scratch;
use seatrial_tests::{cargo, child, engine};

#[derive(Composition)]
struct Moved {
    #[service(
        bin = "station",
        port = 4000,
        env(PORT = 4000),
        mount("fixtures/tree" = "/tree"),
        ready(log = "on station")
    )]
    station: Service,
    #[service(
        image = "localhost:9/seatrial-moved:1",
        command = "sleep infinity",
        source(none),
        ready(running)
    )]
    built: Service,
}

/// Whether it runs where it was moved to.
const MOVED: &str = "SEATRIAL_TESTS_MOVED_TO";

#[seatrial::test]
#[ignore = "run by `what_is_in_an_archive_uses_the_tree_that_it_is_run_in`"]
fn uses_the_other_tree(moved: Moved) {
    let to = PathBuf::from(std::env::var_os(MOVED).expect("the other test says where"));
    let read = |service: &Service, path: &str| {
        let output = service.exec(["cat", path]).wait().expect("it runs");
        output.stdout
    };
    assert_eq!(read(&moved.station, "/workspace/mark"), "source");
    assert_eq!(read(&moved.station, "/tree/mark"), "mount");
    assert_eq!(read(&moved.built, "/mark"), "context");

    let (status, inspected) =
        engine::ask("GET", &format!("/containers/{}/json", moved.station.id()));
    assert_eq!(status, 200, "{inspected}");
    let station = to.join("target/debug/station");
    assert!(station.is_file(), "it was moved with the tests");
    let mounted = format!("\"Source\":\"{}\"", station.display());
    assert!(inspected.contains(&mounted), "{inspected}");
    // It runs in the directory of its package.
    assert_eq!(told(&moved.station), "/workspace/tests \n");
}

/// What the binary of this package says.
fn told(station: &Service) -> String {
    let mut connection = TcpStream::connect(station.addr()).expect("a connection");
    let mut told = String::new();
    connection.read_to_string(&mut told).expect("an answer");
    told
}

/// A checkout that differs from this one in all that a service can get from it.
fn other_tree(root: &Path) {
    let files = [
        ("Cargo.toml", "[workspace]\nmembers = [\"tests\"]\n"),
        ("mark", "source"),
        ("tests/Cargo.toml", "[package]\nname = \"seatrial-tests\"\n"),
        ("tests/fixtures/tree/mark", "mount"),
        (
            "seatrial.toml",
            "[images.\"localhost:9/seatrial-moved:1\"]\nbuild = \"images/moved\"\n",
        ),
        (
            "images/moved/Dockerfile",
            "FROM debian:bookworm-slim\nCOPY mark /mark\n",
        ),
        ("images/moved/mark", "context"),
    ];
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, text).expect("a file");
    }
}

/// Removes what was built for a run, once that has no container any more.
struct Images<'a>(&'a str);

impl Drop for Images<'_> {
    fn drop(&mut self) {
        while !engine::containers(self.0).is_empty() {
            std::thread::sleep(Duration::from_millis(10));
        }
        let (_, listed) = engine::ask("GET", "/images/json");
        let images: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
        for image in images.as_array().into_iter().flatten() {
            let tags = image["RepoTags"].as_array().into_iter().flatten();
            for tag in tags.filter_map(|tag| tag.as_str()) {
                if tag.contains("seatrial-moved") {
                    engine::ask("DELETE", &format!("/images/{tag}"));
                }
            }
        }
    }
}

/// What it says that must succeed.
#[track_caller]
fn succeeded(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}\n{}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
}

#[test]
fn what_is_in_an_archive_uses_the_tree_that_it_is_run_in() {
    let Some(_) = cargo::nextest() else { return };
    let scratch = Scratch::new("moved");
    let (archive, tree) = (scratch.path("tests.tar.zst"), scratch.path("tree"));
    let to = scratch.path("to");
    other_tree(&tree);
    fs::create_dir(&to).expect("a directory");
    let nextest = || {
        let mut command = cargo::cargo();
        child::leave_run(&mut command);
        command.arg("nextest");
        command
    };
    // As CI builds it: then cargo has nothing to build but what has changed.
    succeeded(
        nextest()
            .args([
                "archive",
                "--workspace",
                "--test",
                "moved",
                "--zstd-level",
                "-7",
            ])
            .arg("--archive-file")
            .arg(&archive),
    );
    let run = format!("moved-{}", std::process::id());
    let _images = Images(&run);
    succeeded(
        nextest()
            .args(["run", "--run-ignored", "only"])
            .args(["-E", "test(=uses_the_other_tree)"])
            .arg("--archive-file")
            .arg(&archive)
            .arg("--extract-to")
            .arg(&to)
            .arg("--workspace-remap")
            .arg(&tree)
            .env(MOVED, &to)
            .env("SEATRIAL_RUN_ID", &run)
            .current_dir(&tree),
    );
}

#[seatrial::test]
#[ignore = "run by the tests below, from elsewhere"]
fn uses_this_tree(
    #[service(
        bin = "station",
        port = 4000,
        env(PORT = 4000),
        mount("fixtures/tree" = "/tree")
    )]
    station: Service,
) {
    let of_source = "/workspace/tests/fixtures/tree/leaf";
    let output = station.exec(["cmp", of_source, "/tree/leaf"]).wait();
    let output = output.expect("it runs");
    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(told(&station), "/workspace/tests \n");
}

/// Removes what cargo and nextest say to a test.
fn without_a_word_of_cargos(command: &mut Command) {
    child::leave_run(command);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO") {
            command.env_remove(name);
        }
    }
}

#[test]
fn an_executable_that_is_run_by_hand_uses_the_tree_that_it_was_compiled_in() {
    let scratch = Scratch::new("moved-by-hand");
    let project = scratch.path("project");
    fs::create_dir_all(&project).expect("a directory");
    fs::write(project.join("Cargo.toml"), "[workspace]\n").expect("a file");
    for directory in [Path::new("/"), &project] {
        let mut command = child::test("uses_this_tree");
        without_a_word_of_cargos(&mut command);
        let verdict = child::run(command.current_dir(directory));
        assert!(verdict.passed, "{verdict:#?}");
    }
}

#[test]
fn a_binary_that_may_be_of_another_tree_is_told() {
    let scratch = Scratch::new("moved-alone");
    let tree = scratch.path("tree");
    other_tree(&tree);
    let own = std::env::current_exe().expect("the path of this executable");
    let alone = scratch.path("alone");
    fs::copy(&own, &alone).expect("a copy");
    let mut command = Command::new(&alone);
    command.args(["uses_this_tree", "--exact", "--ignored"]);
    without_a_word_of_cargos(&mut command);
    // As a cargo before 1.94 has it.
    command
        .env("CARGO_PKG_NAME", "seatrial-tests")
        .env("CARGO_MANIFEST_DIR", tree.join("tests"))
        .current_dir(tree.join("tests"));
    let verdict = child::run(&mut command);
    assert!(!verdict.passed, "{verdict:#?}");
    let compiled = env!("CARGO_BIN_EXE_station");
    for part in [
        "service `station` of `uses_this_tree`: ",
        &format!(
            "the binary `station` at `{compiled}` may not be that of the tree at `{}`",
            tree.join("tests").display()
        ),
        "help: build the tests again in this tree",
    ] {
        assert!(
            verdict.stdout.contains(part),
            "`{part}` is not in {verdict:#?}"
        );
    }
}
