//! Copies are what `cp -a` makes: links, owners, holes, and special files.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use seatrial::{Composition, ErrorKind, Service};
use seatrial_tests::scratch::Scratch;

#[derive(Composition)]
struct Hold {
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        ready(running)
    )]
    hold: Service,
}

#[track_caller]
fn sh(service: &Service, script: &str) -> String {
    let ran = service.exec(["sh", "-c", script]).wait().expect("it runs");
    assert!(ran.success(), "{ran:?}");
    ran.stdout
}

#[seatrial::test]
fn links_are_copied_as_links(Hold { hold }: Hold) -> Result<(), seatrial::Error> {
    let scratch = Scratch::new("links");
    let leads = |path: &Path| fs::read_link(path).expect("a link");
    let awk = scratch.path("awk");
    hold.copy_out("/etc/alternatives/awk", &awk).wait()?;
    assert_eq!(leads(&awk), Path::new("/usr/bin/mawk"));

    sh(
        &hold,
        "mkdir -p /srv/tree/deep && cd /srv/tree && echo text >file && ln file deep/also && ln -s ../file deep/near \
         && ln -s /etc deep/away && ln -s nowhere dangling && touch -d @1000000000 file",
    );
    let back = scratch.path("back");
    hold.copy_out("/srv/tree", &back).wait()?;
    assert_eq!(leads(&back.join("deep/near")), Path::new("../file"));
    assert_eq!(leads(&back.join("deep/away")), Path::new("/etc"));
    assert_eq!(leads(&back.join("dangling")), Path::new("nowhere"));
    let metadata = |path: &str| fs::metadata(back.join(path)).expect("a file");
    assert_eq!(metadata("file").ino(), metadata("deep/also").ino());
    assert_eq!(metadata("file").mtime(), 1_000_000_000);

    hold.copy_in(&back, "/srv/again").wait()?;
    hold.copy_in(back.join("dangling"), "/srv/alone").wait()?;
    let compared = sh(
        &hold,
        "diff -r --no-dereference /srv/tree /srv/again; readlink /srv/alone; stat -c '%h %Y' /srv/again/deep/also",
    );
    assert_eq!(compared, "nowhere\n2 1000000000\n");
    // What is copied again takes the place of what is there, and nothing is written through a link.
    hold.copy_out("/srv/again", &back).wait()?;
    hold.copy_in(&back, "/srv/again").wait()?;
    Ok(())
}

#[seatrial::test]
fn what_is_copied_in_is_its_users(
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        ready(running)
    )]
    root: Service,
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        user = "1234:56",
        ready(running)
    )]
    number: Service,
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        user = "www-data",
        ready(running)
    )]
    name: Service,
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        user = "7:mail",
        ready(running)
    )]
    group: Service,
) -> Result<(), seatrial::Error> {
    let scratch = Scratch::new("owner");
    let tree = scratch.path("tree");
    fs::create_dir(&tree).expect("a directory");
    fs::write(tree.join("file"), "text").expect("a file");
    symlink("file", tree.join("link")).expect("a link");
    for (service, owner) in [
        (&root, "0:0"),
        (&number, "1234:56"),
        (&name, "33:33"),
        (&group, "7:8"),
    ] {
        service.copy_in(&tree, "/srv/tree").wait()?;
        let owners = sh(
            service,
            "cd /srv/tree && stat -c %u:%g . file link && echo more >>file",
        );
        assert_eq!(owners, format!("{owner}\n").repeat(3), "{service:?}");
    }
    Ok(())
}

#[seatrial::test]
fn files_with_holes_are_copied(Hold { hold }: Hold) -> Result<(), seatrial::Error> {
    let scratch = Scratch::new("holes");
    let path = scratch.path("holes");
    let mut file = fs::File::create(&path).expect("a file");
    file.set_len(5_000_000).expect("a hole");
    file.write_all(b"head").expect("a beginning");
    drop(file);
    hold.copy_in(&path, "/srv/holes").wait()?;
    assert_eq!(
        sh(&hold, "wc -c </srv/holes; head -c 4 /srv/holes"),
        "5000000\nhead"
    );
    sh(&hold, "truncate -s 7000000 /srv/holes");
    let back = scratch.path("back");
    hold.copy_out("/srv/holes", &back).wait()?;
    let back = fs::read(&back).expect("a file");
    assert!(
        back.len() == 7_000_000 && back.starts_with(b"head"),
        "{}",
        back.len()
    );
    Ok(())
}

#[seatrial::test]
async fn a_file_does_not_take_a_directorys_place(
    Hold { hold }: Hold,
) -> Result<(), seatrial::Error> {
    let scratch = Scratch::new("place");
    let file = scratch.file("file", 8);
    let link = scratch.path("link");
    symlink("file", &link).expect("a link");
    sh(&hold, "mkdir -p /srv/full && echo kept >/srv/full/file");
    for from in [&file, &link] {
        for to in ["/srv/full", "/srv/full/"] {
            let error = hold.copy_in(from, to).await.expect_err(to);
            assert_eq!(error.kind(), ErrorKind::Files, "{error}");
            assert_told(&error, &format!("cannot write `{to}`: it is a directory"));
            assert_told(&error, "help: name a file in it, such as `/srv/full/file`");
        }
    }
    assert_eq!(sh(&hold, "cat /srv/full/file"), "kept\n");
    // A directory fills it, and a file replaces a file.
    hold.copy_in(scratch.path("."), "/srv/full").await?;
    hold.copy_in(&link, "/srv/full/file").await?;
    assert_eq!(
        sh(&hold, "cd /srv/full; stat -c %F file link"),
        "symbolic link\nsymbolic link\n"
    );
    Ok(())
}

#[seatrial::test]
async fn nothing_in_a_copied_directory_takes_the_place_of_another_kind(
    Hold { hold }: Hold,
) -> Result<(), seatrial::Error> {
    let scratch = Scratch::new("kinds");
    let tree = scratch.path("tree");
    fs::create_dir_all(tree.join("deep/dir")).expect("a directory");
    fs::write(tree.join("deep/dir/file"), "new").expect("a file");
    let (file, link) = (tree.join("deep/file"), tree.join("deep/link"));
    fs::write(&file, "new").expect("a file");
    symlink("file", &link).expect("a link");
    // What is there, and what is said of it.
    for (there, path, what) in [
        (
            "mkdir file; echo kept >file/kept",
            "file",
            "it is a directory",
        ),
        (
            "mkdir link; echo kept >link/kept",
            "link",
            "it is a directory",
        ),
        ("echo kept >dir", "dir", "it is not a directory"),
        ("ln -s /srv/away dir", "dir", "it is not a directory"),
    ] {
        let make = "rm -rf /srv/*; mkdir -p /srv/away /srv/to/deep; cd /srv/to/deep";
        sh(&hold, &format!("{make}; {there}"));
        let error = hold.copy_in(&tree, "/srv/to").await.expect_err(there);
        assert_eq!(error.kind(), ErrorKind::Files, "{error}");
        assert_told(
            &error,
            &format!("cannot write `/srv/to/deep/{path}`: {what}"),
        );
        assert_told(
            &error,
            "help: name another path, or remove what is there first",
        );
        let kept = format!("cd /srv/to/deep && test ! -e /srv/away/file && stat -c %F {path}");
        let kind = sh(&hold, &kept);
        assert_eq!(kind == "directory\n", what == "it is a directory", "{kind}");
        if what == "it is a directory" {
            assert_eq!(
                sh(&hold, &format!("cat /srv/to/deep/{path}/kept")),
                "kept\n"
            );
        }
    }
    // What is of the same kind is replaced.
    sh(&hold, "rm -r /srv/to/deep/dir; echo old >/srv/to/deep/file");
    hold.copy_in(&tree, "/srv/to").await?;
    assert_eq!(
        sh(&hold, "cd /srv/to/deep; cat file link dir/file"),
        "newnewnew"
    );
    Ok(())
}

#[track_caller]
fn assert_told(error: &seatrial::Error, part: &str) {
    assert_eq!(error.service(), Some("hold"), "{error}");
    assert_eq!(error.composition(), Some("Hold"), "{error}");
    assert!(error.to_string().contains(part), "{error}");
}

#[seatrial::test]
fn what_is_no_file_is_named(Hold { hold }: Hold) -> Result<(), seatrial::Error> {
    let scratch = Scratch::new("special");
    let tree = scratch.path("tree");
    fs::create_dir(&tree).expect("a directory");
    fs::write(tree.join("file"), "text").expect("a file");
    let socket = UnixListener::bind(tree.join("socket")).expect("a socket");
    let error = hold
        .copy_in(&tree, "/srv/tree")
        .wait()
        .expect_err("not all is copied");
    assert_eq!(error.kind(), ErrorKind::Files);
    let part = format!("not copied: `{}`, a socket", tree.join("socket").display());
    assert_told(&error, &part);
    drop(socket);
    assert_eq!(sh(&hold, "ls /srv/tree; cat /srv/tree/file"), "file\ntext");

    sh(&hold, "cd /srv/tree && mkfifo pipe && mknod null c 1 3");
    let back = scratch.path("back");
    let error = hold
        .copy_out("/srv/tree", &back)
        .wait()
        .expect_err("not all is copied");
    for part in [
        "not copied: `/srv/tree/pipe`, a fifo",
        "not copied: `/srv/tree/null`, a device",
    ] {
        assert_told(&error, part);
    }
    // A file is where a directory would be.
    let file = back.join("file");
    let error = hold.copy_out("/srv/tree", &file).wait();
    let error = error.expect_err("it is not a directory");
    assert_told(&error, &format!("cannot write `{}`", file.display()));
    // Nothing is there to copy.
    let error = hold.copy_out("/srv/none", scratch.path("none")).wait();
    let error = error.expect_err("nothing is there");
    for part in [
        ": there is no `/srv/none` in the container\n",
        "\n  at tests/tests/copies.rs:",
    ] {
        assert_told(&error, part);
    }
    // The path is one of this process.
    let error = hold.copy_in("none", "/srv/none").wait();
    let here = std::env::current_dir().expect("a directory").join("none");
    let part = format!("its absolute path is `{}`", here.display());
    assert_told(&error.expect_err("nothing is there"), &part);
    assert_eq!(
        fs::read_to_string(back.join("file")).expect("a file"),
        "text"
    );

    sh(
        &hold,
        "perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un(\"/srv/socket\")) or die'",
    );
    let error = hold.copy_out("/srv/socket", scratch.path("socket")).wait();
    let error = error.expect_err("a socket is not copied");
    assert!(error.to_string().contains("/srv/socket"), "{error}");
    Ok(())
}

#[derive(Composition)]
struct Mounts {
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        tmpfs("/etc/app", "/run", "/lib/scratch"),
        volume("/data"),
        mount("fixtures/writable" = "/writable", mode = rw),
        source(at = "/src", mode = rw),
        ready(running),
    )]
    app: Service,
}

#[seatrial::test]
fn nothing_is_copied_into_what_is_mounted(mounts: Mounts) -> Result<(), seatrial::Error> {
    let scratch = Scratch::new("mounts");
    let tree = scratch.path("tree");
    fs::create_dir_all(tree.join("app")).expect("directories");
    fs::write(tree.join("app/app.conf"), "text").expect("a file");
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (from, to, parts) in [
        (
            "tree/app/app.conf",
            "/etc/app/app.conf",
            ["`/etc/app/app.conf`", "the tmpfs at `/etc/app`"],
        ),
        (
            "tree",
            "/etc",
            ["tree/app` to `/etc`", "the tmpfs at `/etc/app`"],
        ),
        (
            "tree",
            "/writable/copied",
            ["`/writable/copied`", "the mount at `/writable`"],
        ),
        (
            "tree",
            "/src/copied",
            ["`/src/copied`", "the source at `/src`"],
        ),
        (
            "tree",
            "/dev/shm/copied",
            ["`/dev/shm/copied`", "mounts at `/dev`"],
        ),
    ] {
        let error = mounts
            .app
            .copy_in(scratch.path(from), to)
            .wait()
            .expect_err(to);
        assert_eq!(
            (error.kind(), error.service()),
            (ErrorKind::Files, Some("app"))
        );
        for part in parts {
            assert!(error.to_string().contains(part), "{error}");
        }
    }
    assert!(!here.join("fixtures/writable/copied").exists());
    assert!(!here.join("../copied").exists());
    assert_eq!(sh(&mounts.app, "ls /etc/app"), "");
    // Links of the image lead there, too.
    for (to, parts) in [
        (
            "/var/run/app/copied",
            [
                "`/var/run/app/copied` (by the image's links `/run/app/copied`)",
                "the tmpfs at `/run`",
            ],
        ),
        (
            "/usr/lib/scratch/copied",
            [
                "`/usr/lib/scratch/copied`",
                "the tmpfs at `/lib/scratch` (by the image's links `/usr/lib/scratch`)",
            ],
        ),
    ] {
        let copied = mounts.app.copy_in(scratch.path("tree"), to).wait();
        let error = copied.expect_err(to).to_string();
        for part in parts {
            assert!(error.contains(part), "{error}");
        }
    }
    // A volume takes it, and so does what is beside.
    mounts.app.copy_in(&tree, "/data/tree").wait()?;
    mounts.app.copy_in(&tree, "/srv/tree").wait()?;
    assert_eq!(sh(&mounts.app, "cat /data/tree/app/app.conf"), "text");
    Ok(())
}

/// The image has `/var/run` as a link to `/run`.
#[derive(Composition, Debug)]
struct Linked {
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        tmpfs("/run"),
        files("/srv/app.conf" = "is there", "/var/run/app/app.conf" = "is hidden"),
        ready(running)
    )]
    app: Service,
}

#[derive(Composition)]
struct Unlinked {
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        tmpfs("/tmp"),
        files("/var/run/app/app.conf" = "is there"),
        ready(running)
    )]
    app: Service,
}

#[test]
fn a_file_that_a_link_takes_to_where_something_is_mounted_is_told() {
    let error = Linked::launch().wait().expect_err("it would be hidden");
    assert_eq!(
        (error.kind(), error.service()),
        (ErrorKind::Files, Some("app"))
    );
    for part in [
        "cannot write to `/var/run/app/app.conf` (by the image's links `/run/app/app.conf`), which reaches the tmpfs at `/run`",
        "help: choose a path outside of it",
    ] {
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[seatrial::test]
fn a_file_that_a_link_takes_elsewhere_is_there(Unlinked { app }: Unlinked) {
    assert_eq!(sh(&app, "cat /run/app/app.conf"), "is there");
}
