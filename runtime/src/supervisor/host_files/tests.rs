//! What is seen of mounted files where the engine has the same ones, and where it has others.

use std::fs::File;

use super::*;
use crate::engine::ContainerSpec;
use crate::images::fixture;

/// A directory of a test, removed on drop.
struct Tree(PathBuf);

impl Tree {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("seatrial-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory");
        Self(path.canonicalize().expect("it is there"))
    }

    /// A file with this content, which was changed this many seconds after the epoch.
    fn file(&self, name: &str, content: &str, time: u64) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(&path, content).expect("a file");
        let time = UNIX_EPOCH + Duration::from_secs(time);
        let file = File::options().write(true).open(&path).expect("a file");
        file.set_modified(time).expect("a time");
        path
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn bind(from: &Path, at: &str) -> MountSpec {
    MountSpec::Bind {
        from: from.to_str().expect("plain").to_owned(),
        at: at.to_owned(),
        read_only: true,
    }
}

/// The result for a container that mounts `really` at the paths where this process sees `here`.
async fn checked(really: Vec<MountSpec>, here: Vec<MountSpec>) -> Result<(), Error> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    fixture::prepare().await;
    let engine = fixture::engine().await;
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let spec = ContainerSpec {
        name: format!("seatrial-host-files-{}-{count}", std::process::id()),
        image: fixture::IMAGE.to_owned(),
        command: Some(vec!["true".to_owned()]),
        mounts: really,
        labels: [("dev.seatrial.test".to_owned(), "host files".to_owned())].into(),
        ..ContainerSpec::default()
    };
    let id = engine.create(&spec).await.expect("it is created");
    let created = Created {
        engine: &engine,
        id: &id,
        mounts: &here,
        own: Some(OwnContainer::OfEngine("0123456789abcdef")),
    };
    let outcome = HostFiles::default().check(created).await;
    engine.remove(&id).await.expect("it is removed");
    outcome
}

#[track_caller]
fn is_told(outcome: Result<(), Error>, from: &Path) {
    let error = outcome.expect_err("they are others").to_string();
    let what = format!(
        "does not see the files that the tests see at `{}`",
        from.display()
    );
    for part in [
        &what,
        "the tests run in the container `0123456789ab`, and the engine mounts",
        "help: mount the",
    ] {
        assert!(error.contains(part), "`{part}` is not in {error}");
    }
}

#[tokio::test]
async fn engine_a_tree_is_known_by_the_times_of_its_files() {
    let (one, other) = (Tree::new("times-one"), Tree::new("times-other"));
    for (tree, time) in [(&one, 1_000_000_000), (&other, 1_000_000_100)] {
        tree.file("Cargo.toml", "[workspace]\n", time);
        tree.file("below/deep", "deep", time);
    }
    let at = "/workspace";
    let same = checked(vec![bind(&one.0, at)], vec![bind(&one.0, at)]).await;
    assert_eq!(same, Ok(()));
    let others = checked(vec![bind(&one.0, at)], vec![bind(&other.0, at)]).await;
    is_told(others, &other.0);

    // The tree has no files at its top.
    let below = |tree: &Tree| vec![bind(&tree.0.join("below"), at)];
    assert_eq!(checked(below(&one), below(&one)).await, Ok(()));
    is_told(
        checked(below(&one), below(&other)).await,
        &other.0.join("below"),
    );
    fs::remove_file(one.0.join("below/deep")).expect("it was there");
    is_told(
        checked(below(&one), below(&other)).await,
        &other.0.join("below"),
    );
    // Without anything to compare, nothing is concluded.
    assert_eq!(checked(below(&other), below(&one)).await, Ok(()));
}

#[tokio::test]
async fn engine_a_file_is_known_by_its_content_where_its_time_differs() {
    let tree = Tree::new("content");
    let one = tree.file("one", "calm sea", 1_000_000_000);
    let same = tree.file("same", "calm sea", 1_000_000_100);
    let other = tree.file("other", "rough sea", 1_000_000_000);
    let at = |path: &Path| vec![bind(path, "/etc/weather")];
    assert_eq!(checked(at(&one), at(&one)).await, Ok(()));
    assert_eq!(checked(at(&one), at(&same)).await, Ok(()));
    is_told(checked(at(&one), at(&other)).await, &other);
}

#[tokio::test]
async fn engine_a_tree_with_the_executable_is_known_by_a_marker() {
    let executable = std::env::current_exe().and_then(|it| it.canonicalize());
    let deps = executable.expect("its path").parent().map(Path::to_owned);
    let deps = deps.expect("a directory");
    let built = deps.parent().expect("a directory");
    let at = |path: &Path| vec![bind(path, "/built")];
    assert_eq!(checked(at(built), at(built)).await, Ok(()));
    // All files have the same sizes and times, and only the marker is missing.
    let other = Tree::new("built");
    for own in files(built)
        .iter()
        .filter(|file| file.parent() == Some(built))
    {
        let name = own.file_name().and_then(|name| name.to_str());
        let (size, time) = size_and_time(&fs::metadata(own).expect("a file"));
        let path = other.file(name.expect("plain"), "", time);
        let file = File::options().write(true).open(path).expect("a file");
        file.set_len(size).expect("its size");
        let time = UNIX_EPOCH + Duration::from_secs(time);
        file.set_modified(time).expect("its time");
    }
    is_told(checked(at(&other.0), at(built)).await, built);

    // A volume of the container covers the executable, and with it the marker.
    let covered = || {
        let at = "/built/deps".to_owned();
        vec![bind(built, "/built"), MountSpec::Anonymous { at }]
    };
    assert_eq!(checked(covered(), covered()).await, Ok(()));
}

#[test]
fn a_marker_goes_with_its_directory_and_with_those_that_were_left() {
    let tree = Tree::new("markers");
    let left = tree.file(&format!("{MARKERS}/left"), "", 1_000_000_000);
    let one = Marker::write(&tree.0).expect("it is written");
    let other = Marker::write(&tree.0).expect("it is written");
    assert!(one.0.exists() && other.0.exists() && one.0 != other.0);
    assert!(!left.exists());
    drop(one);
    assert!(other.0.exists());
    drop(other);
    assert_eq!(fs::read_dir(&tree.0).expect("it is there").count(), 0);
    assert!(Marker::write(&tree.0.join("nowhere")).is_none());
}

#[test]
fn what_is_mounted_over_a_path_hides_it() {
    let volume = |at: &str| MountSpec::Anonymous { at: at.to_owned() };
    let source = bind(Path::new("/"), "/workspace");
    let mounts = [
        source.clone(),
        volume("/workspace/target"),
        volume("/workspace/target/keep/not"),
        volume("/"),
    ];
    let source = Bind::of(&source).expect("it is a bind");
    let at = |path: &str| source.in_container(Path::new(path), &mounts);
    assert_eq!(at("/src/a.rs").as_deref(), Some("/workspace/src/a.rs"));
    assert_eq!(at("/targets/a").as_deref(), Some("/workspace/targets/a"));
    assert_eq!(at("/target/debug/a"), None);
    assert_eq!(at("/target"), None);
}

#[test]
fn the_mount_of_a_path_is_the_innermost() {
    let mounts = b"22 1 8:1 / / rw - ext4 /dev/vda rw\n\
        23 22 8:1 /x /work/a\\040tree rw - ext4 /dev/vda rw\n\
        24 23 8:1 /y /work/a\\040tree/target rw - ext4 /dev/vda rw\n\
        broken\n";
    let points = MountPoints::parse(mounts);
    let of = |path: &str| points.of(Path::new(path)).and_then(Path::to_str);
    assert_eq!(of("/work"), Some("/"));
    assert_eq!(of("/work/a tree/src"), Some("/work/a tree"));
    assert_eq!(of("/work/a tree/target/debug"), Some("/work/a tree/target"));
    assert_eq!(of("/work/a tree/targets"), Some("/work/a tree"));
    assert_eq!(MountPoints::parse(b"").of(Path::new("/work")), None);
}
