use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::*;
use crate::protocol::{Mounted, MountedKind, Owner};
use crate::{Error, ErrorKind};

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let name = format!("seatrial-test-files-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Changes a file once something of it was written.
struct Changing(Option<Box<dyn FnOnce()>>, Vec<u8>);

impl Write for Changing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The header, and a part of the content.
        if self.1.len() > 2 * 512
            && let Some(change) = self.0.take()
        {
            change();
        }
        self.1.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_file_that_changes_its_size_is_not_packed() {
    let scratch = Scratch::new("changing");
    let path = scratch.0.join("tree/file");
    fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
    for (size, word) in [(10, "shorter"), (10_000_000, "longer")] {
        fs::write(&path, vec![b'x'; 1_000_000]).expect("a file");
        let file = fs::File::options().write(true).open(&path).expect("a file");
        let change = move || file.set_len(size).expect("another size");
        let into = Changing(Some(Box::new(change)), Vec::new());
        let error =
            pack(&scratch.0.join("tree"), "/to", Owner::default(), into).expect_err("it changes");
        assert_eq!(error.kind(), ErrorKind::Files);
        let text = error.to_string();
        let part = format!(
            "cannot read `{}`: it became {word} while it was read",
            path.display()
        );
        assert!(text.contains(&part), "{text}");
    }
}

#[test]
fn a_file_of_which_only_a_part_comes_does_not_stay() {
    let scratch = Scratch::new("part");
    let (from, to) = (scratch.0.join("from"), scratch.0.join("new/to"));
    fs::write(&from, vec![b'x'; 100_000]).expect("a file");
    let mut tar = Vec::new();
    let packed = pack(&from, "/from", Owner::default(), &mut tar).expect("it is packed");
    packed.into_result().expect("all of it");
    let unpacked = unpack(&tar[..], "/from", &to).expect("it is whole");
    unpacked.into_result().expect("all of it");
    assert_eq!(fs::read(&to).expect("a file").len(), 100_000);

    let error = unpack(&tar[..50_000], "/from", &to).expect_err("it is not whole");
    let text = error.to_string();
    let part = format!("cannot write `{}`: only ", to.display());
    assert!(text.contains(&part), "{text}");
    assert!(!to.exists());

    fs::remove_dir(scratch.0.join("new")).expect("an empty directory");
    assert!(unpack(&tar[..100], "/from", &to).is_err());
    assert!(!scratch.0.join("new").exists(), "there is nothing to copy");
}

/// Packs a tree, and unpacks it elsewhere.
fn there_and_back(from: &Path, to: &Path) -> Result<(), Error> {
    let mut tar = Vec::new();
    pack(from, "/tree", Owner::default(), &mut tar)?.into_result()?;
    unpack(&tar[..], "/tree", to)?.into_result()
}

/// An archive of these entries below `tree`: what each is, and what it holds or leads to.
fn archive(entries: &[(tar::EntryType, &str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (kind, path, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(0o755);
        header.set_mtime(0);
        // Not by the builder, which refuses a `..`.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        let mut content = content.as_bytes();
        if kind.is_symlink() || kind.is_hard_link() {
            header.as_old_mut().linkname[..content.len()].copy_from_slice(content);
            content = &[];
        }
        header.set_size(content.len() as u64);
        header.set_cksum();
        tar.append(&header, content).expect("an entry");
    }
    tar.into_inner().expect("an archive")
}

#[cfg(unix)]
#[test]
fn links_modes_and_times_are_copied() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
    use std::time::{Duration, SystemTime};

    let scratch = Scratch::new("links");
    let tree = scratch.0.join("tree");
    fs::create_dir_all(tree.join("deep/closed")).expect("directories");
    fs::write(tree.join("file"), "text").expect("a file");
    fs::write(tree.join("deep/closed/file"), "within").expect("a file");
    symlink("file", tree.join("near")).expect("a link");
    symlink("../../nowhere", tree.join("deep/dangling")).expect("a link");
    symlink("/etc", tree.join("away")).expect("a link");
    fs::hard_link(tree.join("file"), tree.join("deep/also")).expect("a link");
    let mode = |path: &str, mode| {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(tree.join(path), mode).expect("a mode");
    };
    mode("file", 0o4640);
    mode("deep/closed", 0o500);
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for path in ["file", "deep"] {
        let file = fs::File::open(tree.join(path)).expect("it is there");
        file.set_modified(then).expect("a time");
    }

    let back = scratch.0.join("new/back");
    there_and_back(&tree, &back).expect("it is copied");
    for (path, leads) in [
        ("near", "file"),
        ("deep/dangling", "../../nowhere"),
        ("away", "/etc"),
    ] {
        let read = fs::read_link(back.join(path)).expect("a link");
        assert_eq!(read, Path::new(leads), "{path}");
    }
    let metadata = |path: &str| fs::metadata(back.join(path)).expect("it is there");
    assert_eq!(metadata("file").ino(), metadata("deep/also").ino());
    assert_eq!(metadata("file").mode() & 0o7777, 0o640, "no set-user-id");
    assert_eq!(metadata("deep/closed").mode() & 0o777, 0o500);
    for path in ["file", "deep"] {
        assert_eq!(metadata(path).modified().expect("a time"), then, "{path}");
    }
    let text = fs::read_to_string(back.join("deep/closed/file"));
    assert_eq!(text.expect("a file"), "within");
    // Once more, over what is there.
    there_and_back(&tree, &back).expect("it is copied");

    let link = scratch.0.join("link");
    there_and_back(&tree.join("deep/dangling"), &link).expect("it is copied");
    assert_eq!(
        fs::read_link(link).expect("a link"),
        Path::new("../../nowhere")
    );
    mode("deep/closed", 0o700);
    let open = fs::Permissions::from_mode(0o700);
    fs::set_permissions(back.join("deep/closed"), open).expect("a mode");
}

#[test]
fn all_entries_are_the_owners() {
    let scratch = Scratch::new("owner");
    let tree = scratch.0.join("tree");
    fs::create_dir_all(tree.join("deep")).expect("directories");
    fs::write(tree.join("deep/file"), "text").expect("a file");
    let mut tar = Vec::new();
    let owner = Owner { uid: 1234, gid: 56 };
    let packed = pack(&tree, "/srv", owner, &mut tar).expect("it is packed");
    packed.into_result().expect("all of it");
    let mut archive = tar::Archive::new(&tar[..]);
    let owners = archive.entries().expect("entries").map(|entry| {
        let entry = entry.expect("an entry");
        let header = entry.header();
        (
            header.uid().expect("a user"),
            header.gid().expect("a group"),
        )
    });
    assert_eq!(owners.collect::<Vec<_>>(), [(1234, 56); 3]);
}

#[test]
fn a_file_with_holes_is_copied_whole() {
    let scratch = Scratch::new("holes");
    let (from, to) = (scratch.0.join("from"), scratch.0.join("to"));
    fs::write(&from, "head").expect("a file");
    let file = fs::File::options()
        .append(true)
        .open(&from)
        .expect("a file");
    file.set_len(3_000_000).expect("a hole");
    let mut file = file;
    file.write_all(b"tail").expect("more");
    there_and_back(&from, &to).expect("it is copied");
    let (sent, came) = (
        fs::read(&from).expect("a file"),
        fs::read(&to).expect("a file"),
    );
    assert!(sent == came && came.ends_with(b"\0tail"), "{}", came.len());
}

#[cfg(unix)]
#[test]
fn what_cannot_be_copied_is_named_and_the_rest_is_there() {
    let scratch = Scratch::new("special");
    let tree = scratch.0.join("tree");
    fs::create_dir_all(&tree).expect("a directory");
    fs::write(tree.join("file"), "text").expect("a file");
    let socket = std::os::unix::net::UnixListener::bind(tree.join("socket")).expect("a socket");
    let mut tar = Vec::new();
    let packed = pack(&tree, "/srv", Owner::default(), &mut tar).expect("it is packed");
    let error = packed.into_result().expect_err("a socket is no file");
    assert_eq!(error.kind(), ErrorKind::Files);
    let part = format!("not copied: `{}`, a socket", tree.join("socket").display());
    assert!(error.to_string().contains(&part), "{error}");
    drop(socket);
    let to = scratch.0.join("to");
    let unpacked = unpack(&tar[..], "/srv", &to).expect("it is unpacked");
    unpacked.into_result().expect("all of it");
    assert!(to.join("file").is_file());

    let tar = archive(&[
        (tar::EntryType::Directory, "tree/", ""),
        (tar::EntryType::Fifo, "tree/pipe", ""),
        (tar::EntryType::Char, "tree/tty", ""),
        (tar::EntryType::Regular, "tree/../out", "text"),
        (tar::EntryType::Regular, "tree/last", "text"),
    ]);
    let to = scratch.0.join("back");
    let unpacked = unpack(&tar[..], "/srv/tree", &to).expect("it is unpacked");
    let text = unpacked.into_result().expect_err("not all").to_string();
    for part in [
        "not copied: `/srv/tree/pipe`, a fifo",
        "not copied: `/srv/tree/tty`, a device",
        "not copied: `tree/../out`, whose path leads elsewhere",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert!(to.join("last").is_file());
    assert!(!scratch.0.join("out").exists());

    // Of a socket that is asked for itself an engine sends an empty archive.
    let unpacked = unpack(&archive(&[])[..], "/run/socket", &to).expect("an archive");
    let text = unpacked
        .into_result()
        .expect_err("nothing came")
        .to_string();
    assert!(text.contains("not copied: `/run/socket`"), "{text}");
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link() {
    use tar::EntryType::{Directory, Link, Regular, Symlink};

    let scratch = Scratch::new("through");
    let (outside, to) = (scratch.0.join("outside"), scratch.0.join("to"));
    fs::create_dir_all(outside.join("dir")).expect("directories");
    let outside = outside.to_str().expect("a path");
    let victim = format!("{outside}/victim");
    fs::write(&victim, "untouched").expect("a file");
    for entries in [
        // Through a link in the archive: a file, a directory, a link.
        &[
            (Directory, "t/", ""),
            (Symlink, "t/l", outside),
            (Regular, "t/l/victim", "x"),
        ][..],
        &[
            (Directory, "t/", ""),
            (Symlink, "t/l", outside),
            (Directory, "t/l/new/", ""),
        ],
        &[
            (Directory, "t/", ""),
            (Symlink, "t/l", outside),
            (Symlink, "t/l/new", "x"),
        ],
        &[(Symlink, "t", outside), (Regular, "t/victim", "x")],
        &[(Symlink, "t", outside), (Directory, "t/", "")],
        // A further name of a file elsewhere.
        &[
            (Directory, "t/", ""),
            (Link, "t/l", "t/../../outside/victim"),
        ],
        &[
            (Directory, "t/", ""),
            (Symlink, "t/l", outside),
            (Link, "t/m", "t/l/victim"),
        ],
    ] {
        let error = unpack(&archive(entries)[..], "/t", &to).expect_err("it leads out");
        assert_eq!(error.kind(), ErrorKind::Files);
        assert!(error.to_string().contains("cannot write `"), "{error}");
        let _ = fs::remove_dir_all(&to);
        let _ = fs::remove_file(&to);
    }
    // A link that an earlier copy has left is replaced by a file, and is in the way of a directory.
    let link = archive(&[
        (Directory, "t/", ""),
        (Symlink, "t/l", &victim),
        (Symlink, "t/d", outside),
    ]);
    unpack(&link[..], "/t", &to)
        .expect("links")
        .into_result()
        .expect("all");
    let file = archive(&[(Directory, "t/", ""), (Regular, "t/l", "x")]);
    unpack(&file[..], "/t", &to)
        .expect("a file")
        .into_result()
        .expect("all");
    assert_eq!(fs::read_to_string(to.join("l")).expect("a file"), "x");
    let directory = archive(&[
        (Directory, "t/", ""),
        (Directory, "t/d/", ""),
        (Regular, "t/d/victim", "x"),
    ]);
    let error = unpack(&directory[..], "/t", &to).expect_err("a link is in the way");
    assert!(error.to_string().contains("no directory"), "{error}");

    assert_eq!(fs::read_to_string(&victim).expect("a file"), "untouched");
    assert_eq!(fs::read_dir(outside).expect("a directory").count(), 2);
}

#[test]
fn what_would_come_into_a_mount_is_refused() {
    let scratch = Scratch::new("mounted");
    let tree = scratch.0.join("tree");
    fs::create_dir_all(tree.join("app/conf")).expect("directories");
    fs::write(tree.join("file"), "text").expect("a file");
    let mounted = [
        ("/workspace", MountedKind::Source),
        ("/workspace/target", MountedKind::Volume),
        ("/data", MountedKind::Volume),
        ("/data/hot", MountedKind::Tmpfs),
        ("/etc/app/conf", MountedKind::Tmpfs),
        ("/srv/file/out", MountedKind::Mount),
        ("/dev", MountedKind::Engines),
    ]
    .map(|(at, kind)| Mounted {
        at: at.to_owned(),
        kind,
    });
    let check = |to: &str| check_mounts(&tree, to, &mounted);
    for to in [
        "/data",
        "/data/cold",
        "/workspace/target",
        "/workspace/target/x",
        "/workspaces",
        "/etc/other",
        "/etc/app",
        "/",
    ] {
        assert_eq!(check(to), Ok(()), "{to}");
    }
    for (to, parts) in [
        (
            "/workspace",
            ["cannot copy to `/workspace`", "the source at `/workspace`"],
        ),
        (
            "/workspace/./a//b/",
            ["`/workspace/a/b`", "the source at `/workspace`"],
        ),
        (
            "/data/hot/x",
            ["cannot copy to `/data/hot/x`", "the tmpfs at `/data/hot`"],
        ),
        (
            "/dev/shm/x",
            [
                "cannot copy to `/dev/shm/x`",
                "what the engine mounts at `/dev`",
            ],
        ),
        // Within the tree: a directory that goes over what is mounted, and a file that goes over what leads there.
        (
            "/etc",
            ["tree/app/conf` to `/etc`", "the tmpfs at `/etc/app/conf`"],
        ),
        (
            "/srv",
            ["tree/file` to `/srv`", "the mount at `/srv/file/out`"],
        ),
    ] {
        let error = check(to).expect_err(to);
        assert_eq!(error.kind(), ErrorKind::Files);
        for part in parts.into_iter().chain(["help: "]) {
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
