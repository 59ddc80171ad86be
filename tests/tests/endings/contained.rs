//! A run in a container with the engine's socket, as CI services run jobs. With the container, the supervisor is gone, too,
//! and from outside nobody can see its process. And the engine's files and loopback address are its host's, which need not be
//! those that the run has.

use std::path::{Path, PathBuf};

use seatrial_tests::engine;
use serde_json::{Value, json};

use crate::cases;
use crate::run::{Run, rounds, until};

/// What a case writes its record, and its output, into.
const RECORDS: &str = "records";
/// Where the supervisor writes what the engine is to see, for as long as it looks.
const MARKERS: &str = "seatrial-markers";

/// The container that is to run a case.
struct Setting {
    executable: PathBuf,
    /// The engine's name for it.
    network: &'static str,
    /// Paths of this machine, and where they are in the container.
    binds: Vec<(PathBuf, PathBuf)>,
    workdir: PathBuf,
}

impl Setting {
    /// All that the run uses is at the paths that it has on this machine.
    fn like_this_machine(network: &'static str) -> Self {
        let executable = std::env::current_exe().expect("the path of this executable");
        let executables = executable.parent().expect("a directory").to_owned();
        let own = |path: PathBuf| (path.clone(), path);
        Self {
            binds: vec![own(workspace()), own(executables)],
            workdir: workspace().join("tests"),
            executable,
            network,
        }
    }

    /// A tree of the container's own, in which the executable is too, is where this machine has something else, or nothing.
    fn with_a_tree_at(at: &Path, run: &Run) -> Self {
        let tree = run.path("tree");
        std::fs::create_dir(&tree).expect("a directory");
        std::fs::write(tree.join("Cargo.toml"), "[workspace]\n").expect("a file");
        let executable = std::env::current_exe().expect("the path of this executable");
        let copy = tree.join("case");
        if std::fs::hard_link(&executable, &copy).is_err() {
            std::fs::copy(&executable, &copy).expect("a copy");
        }
        Self {
            executable: at.join("case"),
            network: "host",
            binds: vec![(tree, at.to_owned())],
            workdir: at.to_owned(),
        }
    }

    /// The file at `path` of the run's own is at `at`.
    fn with_file(mut self, run: &Run, name: &str, at: &str) -> Self {
        let file = run.path(name);
        std::fs::write(&file, "127.0.0.1 localhost\n").expect("a file");
        self.binds.push((file, at.into()));
        self
    }
}

fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("a workspace").to_owned()
}

/// A container that runs a case, until it is dropped.
struct Container {
    id: String,
    output: PathBuf,
}

impl Container {
    fn running(run: &Run, setting: &Setting) -> Self {
        let records = run.path(RECORDS);
        std::fs::create_dir(&records).expect("a directory");
        let output = records.join("output");
        let case = run.command.get_args().map(|it| it.to_str().expect("plain"));
        let mut command = vec!["sh", "-c", "exec \"$0\" \"$@\" >$OUTPUT 2>&1"];
        command.push(setting.executable.to_str().expect("plain"));
        command.extend(case);
        let env = [
            ("SEATRIAL_RUN_ID", run.id.clone()),
            (cases::RECORD, records.join("record").display().to_string()),
            ("OUTPUT", output.display().to_string()),
        ];
        let env = env.map(|(name, value)| format!("{name}={value}"));
        let mut binds = setting.binds.clone();
        binds.push((engine::socket(), "/var/run/docker.sock".into()));
        binds.push((records.clone(), records));
        let binds = binds
            .iter()
            .map(|(from, at)| format!("{}:{}", from.display(), at.display()));
        let body = json!({
            "Image": "debian:bookworm-slim",
            "Cmd": command,
            "Env": env,
            "WorkingDir": setting.workdir,
            "Labels": { "dev.seatrial.test": "endings" },
            "HostConfig": {
                "NetworkMode": setting.network,
                "Binds": binds.collect::<Vec<_>>(),
            },
        });
        let (status, answer) = engine::ask_with("POST", "/containers/create", &body);
        assert_eq!(status, 201, "{answer}");
        let created: Value = serde_json::from_str(&answer).expect("JSON");
        let container = Self {
            id: created["Id"].as_str().expect("an id").to_owned(),
            output,
        };
        let (status, answer) = engine::ask("POST", &format!("/containers/{}/start", container.id));
        assert_eq!(status, 204, "{answer}");
        container
    }

    fn output(&self) -> String {
        std::fs::read_to_string(&self.output).unwrap_or_default()
    }

    /// What a case says that fails.
    #[track_caller]
    fn failed(self) -> String {
        let (_, answer) = engine::ask("POST", &format!("/containers/{}/wait", self.id));
        let ended: Value = serde_json::from_str(&answer).expect("JSON");
        let output = self.output();
        assert_eq!(ended["StatusCode"], 101, "{answer}\n{output}");
        output
    }

    #[track_caller]
    fn passed(self) {
        let (_, answer) = engine::ask("POST", &format!("/containers/{}/wait", self.id));
        let ended: Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(ended["StatusCode"], 0, "{answer}\n{}", self.output());
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        engine::ask("DELETE", &format!("/containers/{}?force=1", self.id));
    }
}

/// Waits until nothing is left of a run whose container has ended: a supervisor that ends with its container leaves it to the
/// next.
fn is_cleaned_up(run: &Run) {
    let next = Run::direct("passes").end().exited(0).output;
    let left = engine::of(&run.id);
    assert!(left.is_empty(), "left behind: {left:#?}\n{next}");
}

#[track_caller]
fn assert_says(output: &str, parts: &[&str]) {
    for part in parts {
        assert_eq!(
            output.matches(part).count(),
            1,
            "`{part}` is not there once in:\n{output}"
        );
    }
}

#[test]
fn what_a_run_in_a_container_leaves_is_removed_by_the_next_run_elsewhere() {
    rounds(|| {
        let run = Run::direct("waits");
        let container = Container::running(&run, &Setting::like_this_machine("host"));
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
        is_cleaned_up(&run);
    });
}

#[test]
fn a_run_in_a_container_that_has_what_the_engine_sees_passes_and_leaves_no_marker() {
    let run = Run::direct("passes");
    let setting = Setting::like_this_machine("host");
    let beside = setting.executable.parent().expect("a directory");
    Container::running(&run, &setting).passed();
    is_cleaned_up(&run);
    // Other tests may have one there at this moment.
    until("the markers are gone", || {
        (!beside.join(MARKERS).exists()).then_some(())
    });
}

/// What is said where the engine mounts another tree than the one that the tests see at `at`.
fn of_other_files(composition: &str, at: &Path) -> [String; 4] {
    [
        format!(
            "`{composition}`: the engine at `unix:///var/run/docker.sock` does not see the files that the tests see at `{}`",
            at.display()
        ),
        "the tests run in the container `".to_owned(),
        "`, and the engine mounts what its own host has at that path".to_owned(),
        "help: mount the checkout into the container that runs the tests at the path it has on the engine's host, such as \
         with `docker run -v \"$PWD:$PWD\" -w \"$PWD\" ..`, or run the tests on that host; for a service that does not \
         read the source, write `source(none)`"
            .to_owned(),
    ]
}

#[track_caller]
fn assert_says_other_files(output: &str, at: &Path) {
    assert_says(
        output,
        &of_other_files("Fleet", at).each_ref().map(String::as_str),
    );
}

#[test]
fn a_run_in_a_container_with_another_tree_at_the_same_path_is_told_so() {
    // By a marker, which is in the tree with the executable.
    let run = Run::direct("passes");
    let setting = Setting::with_a_tree_at(&workspace(), &run);
    let output = Container::running(&run, &setting).failed();
    assert_says_other_files(&output, &workspace());
    assert!(!run.path("tree").join(MARKERS).exists(), "{output}");
    is_cleaned_up(&run);

    // By the files of the tree, which the executable is not in.
    let run = Run::direct("passes");
    let mut setting = Setting::with_a_tree_at(&workspace(), &run);
    let like_this_machine = Setting::like_this_machine("host");
    setting.executable = like_this_machine.executable;
    setting
        .binds
        .extend(like_this_machine.binds.into_iter().skip(1));
    let output = Container::running(&run, &setting).failed();
    assert_says_other_files(&output, &workspace());
    is_cleaned_up(&run);
}

#[test]
fn a_run_in_a_container_with_a_tree_that_the_engine_has_not_is_told_so() {
    let run = Run::direct("passes");
    let at = Path::new("/seatrial-endings/of/a/container");
    let setting = Setting::with_a_tree_at(at, &run);
    let output = Container::running(&run, &setting).failed();
    assert_says_other_files(&output, at);
    // Some engines make what is missing.
    assert!(!Path::new("/seatrial-endings").exists(), "{output}");
    is_cleaned_up(&run);
}

#[test]
fn a_run_in_a_container_with_the_same_source_and_other_binaries_is_told_so() {
    let run = Run::direct("passes_with_a_binary");
    let station = Path::new(env!("CARGO_BIN_EXE_station"));
    // As a volume for cargo's target directory has it.
    let built = run.path("built");
    std::fs::create_dir_all(built.join("deps")).expect("a directory");
    std::fs::write(built.join("station"), "another").expect("a file");
    let mut setting = Setting::like_this_machine("host");
    let at = station.parent().expect("a directory").to_owned();
    setting.binds.push((built, at));
    let output = Container::running(&run, &setting).failed();
    let says = of_other_files("passes_with_a_binary", station);
    assert_says(&output, &says.each_ref().map(String::as_str));
    is_cleaned_up(&run);

    let run = Run::direct("passes_with_a_binary");
    let setting = Setting::like_this_machine("host");
    Container::running(&run, &setting).passed();
    is_cleaned_up(&run);
}

#[test]
fn a_run_in_a_container_whose_tree_no_service_mounts_needs_no_other() {
    let run = Run::direct("passes_without_source");
    let setting = Setting::with_a_tree_at(&workspace(), &run);
    Container::running(&run, &setting).passed();
    is_cleaned_up(&run);
}

#[test]
fn a_run_in_a_container_with_a_network_of_its_own_is_told_so() {
    let of_ports = |own: &str| {
        [
            "`Fleet`: the tests cannot reach the ports that the engine at `unix:///var/run/docker.sock` publishes".to_owned(),
            own.to_owned(),
            "network of its own, and the ports are on the loopback address of the engine's host".to_owned(),
            "help: run the container of the tests on the network of that host, such as with `docker run --network host ..`"
                .to_owned(),
        ]
    };
    let run = Run::direct("passes");
    let setting = Setting::like_this_machine("bridge");
    let output = Container::running(&run, &setting).failed();
    let says = of_ports("the tests run in the container `");
    assert_says(&output, &says.each_ref().map(String::as_str));
    assert!(!output.contains("not ready"), "{output}");
    is_cleaned_up(&run);

    // Where nothing tells which container that is.
    let run = Run::direct("passes");
    let setting = Setting::like_this_machine("bridge")
        .with_file(&run, "hostname", "/etc/hostname")
        .with_file(&run, "hosts", "/etc/hosts");
    let output = Container::running(&run, &setting).failed();
    let says = of_ports("the tests seem to run in a container with");
    assert_says(&output, &says.each_ref().map(String::as_str));
    assert!(!output.contains("not ready"), "{output}");
    // Then nobody can tell later whether it is dead.
    engine::clean(&run.id);
}

#[test]
fn a_run_in_a_container_with_a_network_of_its_own_passes_where_no_port_is_declared() {
    let run = Run::direct("passes_without_source");
    let setting = Setting::like_this_machine("bridge");
    Container::running(&run, &setting).passed();
    is_cleaned_up(&run);
}
