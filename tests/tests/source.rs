//! The source tree in containers: mounted by default, elsewhere, writable or not at all; and binaries of the package.

use std::io::Read as _;
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};

use seatrial::{Composition, Service};
use seatrial_tests::child;

fn sh(service: &Service, script: &str) -> String {
    let output = service
        .exec(["sh", "-c", script])
        .wait()
        .expect("the container runs");
    format!("{}{}", output.stdout, output.stderr)
        .trim()
        .to_owned()
}

#[derive(Composition)]
struct Mounted {
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        ready(running)
    )]
    usual: Service,

    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        source(none),
        ready(running)
    )]
    without: Service,

    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        env(TREE = "{source}"),
        source(path = "fixtures/tree", at = "/srv/tree"),
        ready(running)
    )]
    elsewhere: Service,
}

#[seatrial::test]
fn the_source_is_where_the_declaration_says(mounted: Mounted) {
    let Mounted {
        usual,
        without,
        elsewhere,
    } = mounted;
    let manifest = sh(&usual, "cat /workspace/tests/Cargo.toml");
    assert!(manifest.contains("name = \"seatrial-tests\""), "{manifest}");
    assert!(sh(&usual, "head -1 /workspace/Cargo.toml").contains("[workspace]"));
    let refused = sh(&usual, "touch /workspace/written");
    assert!(refused.contains("Read-only file system"), "{refused}");
    // Just to look at it makes nobody another user.
    assert_eq!(sh(&usual, "id -u"), "0");

    assert_eq!(sh(&without, "test -e /workspace || echo absent"), "absent");

    assert_eq!(
        sh(&elsewhere, "ls \"$TREE\"; echo \"$TREE\""),
        "leaf\n/srv/tree"
    );
    assert_eq!(
        sh(&elsewhere, "test -e /workspace || echo absent"),
        "absent"
    );
    let refused = sh(&elsewhere, "touch /srv/tree/written");
    assert!(refused.contains("Read-only file system"), "{refused}");
}

#[derive(Composition)]
#[composition(source(path = "fixtures/writable", at = "/src", mode = rw))]
struct Writable {
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        ready(running)
    )]
    generator: Service,

    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        user = "4321:4321",
        ready(running)
    )]
    other: Service,
}

/// A directory that containers write to, and whoever they run as; gone when dropped.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let name = format!("fixtures/writable/{name}-{}", std::process::id());
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        std::fs::create_dir(&directory).expect("a new directory");
        let anybody = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(&directory, anybody).expect("a mode");
        Self(directory)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// User and group of this process.
fn own() -> (u32, u32) {
    let this = std::fs::metadata("/proc/self").expect("this process");
    (this.uid(), this.gid())
}

fn owner(path: &Path) -> (u32, u32) {
    let metadata = std::fs::metadata(path).expect("it was written");
    (metadata.uid(), metadata.gid())
}

/// Writes to a directory in `fixtures/writable` from containers.
fn writes_as_this_user(place: &Path) {
    let name = place.file_name().expect("it has a name").to_string_lossy();
    let Writable { generator, other } = Writable::launch().wait().expect("they run");
    let (user, group) = own();
    assert_eq!(
        sh(&generator, "echo $(id -u) $(id -g)"),
        format!("{user} {group}")
    );
    let written = format!("mkdir /src/{name}/new && echo through >/src/{name}/new/file");
    assert_eq!(sh(&generator, &written), "");
    let file = place.join("new/file");
    assert_eq!(
        std::fs::read_to_string(&file).expect("it was written"),
        "through\n"
    );
    assert_eq!(owner(&file), own());
    assert_eq!(owner(&place.join("new")), own());

    // Whoever names a user means it.
    assert_eq!(
        sh(&other, &format!("id -u; touch /src/{name}/others")),
        "4321"
    );
    assert_eq!(owner(&place.join("others")), (4321, 4321));
}

#[seatrial::test]
fn what_is_written_to_the_source_belongs_to_the_user() {
    writes_as_this_user(&Place::new("own").0);
}

const NOBODY: u32 = 65534;
const PLACE: &str = "SEATRIAL_TESTS_PLACE";

#[test]
#[ignore = "run by `what_is_written_to_the_source_belongs_to_any_user`"]
fn written_by_nobody() {
    assert_eq!(own().0, NOBODY);
    let place = std::env::var_os(PLACE).expect("the other test says where");
    writes_as_this_user(Path::new(&place));
}

/// The same for a user that is not root, if root runs the tests.
#[test]
fn what_is_written_to_the_source_belongs_to_any_user() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let socket = std::fs::metadata("/var/run/docker.sock");
    let passable = |path: &Path| {
        let mode = std::fs::metadata(path).map_or(0, |metadata| metadata.mode());
        mode & 0o001 != 0
    };
    let (Ok(socket), (0, _), true) = (socket, own(), directory.ancestors().all(passable)) else {
        println!(
            "passed over: it takes root, Docker's socket and a directory that others may enter"
        );
        return;
    };
    let place = Place::new("nobody");
    let mut command = child::test("written_by_nobody");
    command.env("HOME", "/nonexistent").env(PLACE, &place.0);
    // Whose group may use the socket.
    let verdict = child::run(command.uid(NOBODY).gid(socket.gid()));
    assert!(verdict.passed, "{verdict:#?}");
}

#[derive(Composition)]
struct Harbour {
    #[service(
        bin = "station",
        port = 4000,
        env(PORT = 4000),
        ready(log = "on station")
    )]
    pilot: Service,

    #[service(
        bin = "station",
        base = "debian:bookworm-slim",
        port = 5000,
        env(PORT = "5000"),
        command = ["--after", "{pilot}"],
        workdir = "/tmp",
    )]
    tug: Service,
}

#[seatrial::test]
fn a_binary_of_the_package_runs_where_it_would_outside(harbour: Harbour) {
    let told = |service: &Service| {
        let mut connection = TcpStream::connect(service.addr()).expect("a connection");
        let mut told = String::new();
        connection.read_to_string(&mut told).expect("an answer");
        told
    };
    assert_eq!(told(&harbour.pilot), "/workspace/tests \n");
    assert_eq!(told(&harbour.tug), "/tmp --after pilot:4000\n");
}
