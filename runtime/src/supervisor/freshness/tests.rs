use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use seatrial_model::{File, Mount, MountMode, Plan, Setup};

use super::*;

/// A workspace with files, gone when dropped.
struct Workspace(PathBuf);

impl Workspace {
    fn new(name: &str) -> Self {
        let root = format!("seatrial-freshness-{name}-{}", std::process::id());
        let workspace = Self(std::env::temp_dir().join(root));
        workspace.write("Cargo.toml", "");
        workspace.write("data/seed.sql", "one");
        workspace.write("target/debug/app", "first");
        workspace
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("it is created");
        fs::write(path, text).expect("it is written");
    }

    fn launch(&self, service: ServicePlan) -> Launch {
        Launch {
            identity: String::new(),
            plan: Plan {
                name: "Shop".to_owned(),
                services: vec![service],
            },
            test: None,
            package_dir: self.0.clone(),
            workspace: self.0.clone(),
            binaries: vec![self.0.join("target/debug/app")],
            files: vec![b"cat /workspace/data/seed.sql".to_vec().into()],
            user: (0, 0),
            kept: BTreeMap::new(),
        }
    }

    fn files(&self, service: ServicePlan) -> Files {
        let files = Files::of(&self.launch(service), &[(0, ImageInfo::default())]);
        files.expect("there are few")
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn service() -> ServicePlan {
    ServicePlan::new("db", Origin::Image("a".parse().expect("an image")))
}

fn with_mount() -> ServicePlan {
    let mut service = service();
    service.mounts.push(Mount {
        from: "data".to_owned(),
        at: "/data".to_owned(),
        mode: MountMode::Ro,
    });
    service
}

#[test]
fn what_changes_below_a_mount_is_seen() {
    let workspace = Workspace::new("mount");
    let look = || workspace.files(with_mount());
    let files = look();
    workspace.write("other", "beside the mount");
    assert!(files.are_unchanged());

    workspace.write("data/seed.sql", "two");
    assert!(!files.are_unchanged(), "another content of the same size");
    let files = look();
    workspace.write("data/new.sql", "");
    assert!(!files.are_unchanged(), "one more");
    let files = look();
    fs::remove_file(workspace.0.join("data/new.sql")).expect("it is there");
    assert!(!files.are_unchanged(), "one less");
    let files = look();
    fs::remove_dir_all(workspace.0.join("data")).expect("it is there");
    assert!(!files.are_unchanged(), "nothing is left");
    assert!(look().are_unchanged());
}

#[test]
fn a_file_that_was_replaced_in_its_old_time_is_seen() {
    let workspace = Workspace::new("replaced");
    let files = workspace.files(with_mount());
    let path = workspace.0.join("data/seed.sql");
    let before = fs::metadata(&path).expect("it is there");
    workspace.write("data/seed.sql", "two");
    let file = fs::File::open(&path).expect("it is there");
    let written = before.modified().expect("a time");
    file.set_modified(written).expect("the time is set");
    assert!(!files.are_unchanged());
}

#[test]
fn the_binary_of_a_service_is_looked_at() {
    let workspace = Workspace::new("binary");
    let mut service = service();
    service.origin = Origin::Bin {
        name: "app".to_owned(),
        binding: 0,
        base: None,
        package: None,
    };
    service.source = Source::None;
    let files = workspace.files(service);
    workspace.write("data/seed.sql", "two");
    assert!(files.are_unchanged(), "it has no source");
    workspace.write("target/debug/app", "later");
    assert!(!files.are_unchanged());
}

#[test]
fn the_source_counts_if_it_is_used_and_what_is_built_does_not() {
    let workspace = Workspace::new("source");
    workspace.write("target/CACHEDIR.TAG", "");
    workspace.write(".git/HEAD", "");
    let mut named = service();
    named.command = Some(vec![Template::literal("/workspace/serve")]);
    let files = workspace.files(named);
    workspace.write("target/debug/app", "later");
    workspace.write(".git/HEAD", "a commit");
    assert!(files.are_unchanged());
    workspace.write("Cargo.toml", "# changed");
    assert!(!files.are_unchanged());

    let unused = workspace.files(service());
    workspace.write("Cargo.toml", "# changed again");
    assert!(unused.are_unchanged());
}

#[test]
fn every_place_that_can_name_the_source_is_read() {
    let workspace = Workspace::new("places");
    let uses = |change: &dyn Fn(&mut ServicePlan), image: &ImageInfo| {
        let mut service = service();
        change(&mut service);
        uses_source(&workspace.launch(service), 0, image)
    };
    let plain = ImageInfo::default();
    assert!(!uses(&|_| {}, &plain));
    let from_source = vec![Template::literal("ls /workspace")];
    let setup = |kind| Setup {
        name: None,
        kind,
        timeout: None,
        key: None,
    };
    let places: [&dyn Fn(&mut ServicePlan); 8] = [
        &|service| service.entrypoint = Some(from_source.clone()),
        &|service| service.workdir = Some("/workspace/a".to_owned()),
        &|service| {
            service.env.push(seatrial_model::EnvVar {
                name: "SEED".to_owned(),
                value: from_source[0].clone(),
            });
        },
        &|service| {
            service.files.push(File {
                at: "/run.sh".to_owned(),
                content: FileContent::Text(from_source[0].clone()),
            });
        },
        &|service| {
            service.files.push(File {
                at: "/run.sh".to_owned(),
                content: FileContent::Included(0),
            });
        },
        &|service| {
            service.setups.push(setup(SetupKind::Exec {
                command: from_source.clone(),
                env: Vec::new(),
            }));
        },
        &|service| {
            service.setups.push(setup(SetupKind::Container {
                image: "a".parse().expect("an image"),
                command: Vec::new(),
                env: Vec::new(),
            }));
        },
        &|service| {
            service.source = Source::Mounted {
                from: Some("data".to_owned()),
                at: "/workspace".to_owned(),
                mode: MountMode::Ro,
            };
        },
    ];
    for (position, place) in places.iter().enumerate() {
        assert!(uses(place, &plain), "place {position}");
    }
    let begins_there = ImageInfo {
        workdir: "/workspace".to_owned(),
        ..ImageInfo::default()
    };
    assert!(uses(&|_| {}, &begins_there));
    assert!(!uses(
        &|service| service.source = Source::None,
        &begins_there
    ));
}

#[test]
fn too_much_is_not_looked_at() {
    let workspace = Workspace::new("too-much");
    let paths = [workspace.0.join("data")];
    assert!(look(&paths, 2).is_some(), "the directory and its file");
    assert!(look(&paths, 1).is_none());
}

#[test]
fn a_link_is_not_followed() {
    let workspace = Workspace::new("link");
    std::os::unix::fs::symlink("../Cargo.toml", workspace.0.join("data/link")).expect("a link");
    let files = workspace.files(with_mount());
    let manifest = fs::File::open(workspace.0.join("Cargo.toml")).expect("it is there");
    let later = SystemTime::now() + Duration::from_secs(60);
    manifest.set_modified(later).expect("the time is set");
    assert!(files.are_unchanged(), "the container does not see it");
}
