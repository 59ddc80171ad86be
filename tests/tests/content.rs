//! Files whose content a test writes and reads without a file of its own. (Copies: `copies.rs`.)

use seatrial::{Composition, Error, ErrorKind, Service};

#[derive(Composition)]
struct Hold {
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        user = "1234:5678",
        volume("/stores"),
        tmpfs("/fog"),
        ready(running)
    )]
    hold: Service,
}

#[track_caller]
fn sh(service: &Service, script: &str) -> String {
    let exec = service.exec(["sh", "-c", script]).user("root");
    let ran = exec.wait().expect("it runs");
    assert!(ran.success(), "{ran:?}");
    ran.stdout
}

/// Every byte, in an order that does not repeat itself soon, in a size that no block divides.
fn bytes(size: u32) -> Vec<u8> {
    let numbers = 0..size;
    numbers
        .map(|number| (number ^ (number >> 8) ^ (number >> 16)) as u8)
        .collect()
}

#[seatrial::test]
fn what_is_written_is_read_byte_for_byte(Hold { hold }: Hold) -> Result<(), Error> {
    let long = format!("/srv/{}/{}", "long".repeat(40), "name".repeat(50));
    for (path, content) in [
        ("/srv/empty", Vec::new()),
        ("/srv/nul", vec![0]),
        ("/srv/block", bytes(512)),
        ("/srv/deep/er/bytes", bytes(100_001)),
        ("/srv/with space and \u{f6}", b"text\n".to_vec()),
        ("/stores/large", bytes(10_000_001)),
        (&long, bytes(70_000)),
    ] {
        hold.write(path, content.clone()).wait()?;
        assert!(hold.read(path).wait()? == content, "{path}");
        let size = sh(&hold, &format!("wc -c <'{path}'"));
        assert_eq!(size.trim(), content.len().to_string(), "{path}");
    }
    // As a copy, it is its user's, and directories on the way are root's.
    let of_whom = sh(&hold, "cd /srv/deep; stat -c '%u:%g %a %F' er er/bytes");
    assert_eq!(of_whom, "0:0 755 directory\n1234:5678 644 regular file\n");
    let age = sh(&hold, "echo $(($(date +%s) - $(stat -c %Y /srv/empty)))");
    assert!(age.trim().parse::<u32>().is_ok_and(|age| age < 60), "{age}");
    Ok(())
}

#[seatrial::test]
async fn what_is_there_is_replaced_and_links_are_read(Hold { hold }: Hold) -> Result<(), Error> {
    sh(
        &hold,
        "mkdir -p /srv/a/b /srv/other && cd /srv && echo old >file && chmod 600 file && ln file same && ln -s ../../file a/b/near \
         && ln -s a/b way && ln -s way/near far && ln -s nowhere dangling && ln -s loop loop && ln -s /srv/other/secret new",
    );
    for path in ["/srv/a/b/near", "/srv/way/near", "/srv/far", "/srv/same"] {
        assert_eq!(hold.read(path).await?, b"old\n", "{path}");
    }
    // A file that is there is replaced; its other names are not.
    hold.write("/srv/file", "new").await?;
    assert_eq!(hold.read("/srv/far").await?, b"new");
    assert_eq!(hold.read("/srv/same").await?, b"old\n");
    // A link that is there is replaced, and one on the way is followed.
    hold.write("/srv/new", "mine").await?;
    hold.write("/srv/way/by", "here").await?;
    let found = sh(
        &hold,
        "cd /srv; stat -c %F new a/b/by; ls other; cat new a/b/by",
    );
    assert_eq!(found, "regular file\nregular file\nminehere");
    for path in ["/srv/dangling", "/srv/loop"] {
        let error = hold.read(path).await.expect_err(path);
        assert_told(&error, &[path]);
    }
    // It may be done while nothing runs.
    hold.stop_within(std::time::Duration::ZERO).await?;
    hold.write("/srv/asleep", "yes").await?;
    assert_eq!(hold.read("/srv/asleep").await?, b"yes");
    Ok(())
}

#[track_caller]
fn assert_told(error: &Error, parts: &[&str]) {
    assert_eq!(error.service(), Some("hold"), "{error}");
    assert_eq!(error.composition(), Some("Hold"), "{error}");
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in {text}");
    }
}

fn assert_refused(error: &Error, parts: &[&str]) {
    assert_eq!(error.kind(), ErrorKind::Files, "{error}");
    assert_told(error, parts);
}

#[seatrial::test]
fn what_cannot_be_written_is_told(Hold { hold }: Hold) {
    let write = |path: &str| hold.write(path, "content").wait().expect_err(path);
    sh(&hold, "mkdir -p /srv/full && echo kept >/srv/full/file");
    assert_refused(
        &write("/srv/full"),
        &[
            "cannot write `/srv/full`: it is a directory",
            "help: name a file in it, such as `/srv/full/file`",
        ],
    );
    assert_eq!(sh(&hold, "cat /srv/full/file"), "kept\n");
    assert_refused(&write("/"), &["`/` names a directory"]);
    assert_refused(&write("/srv/none/"), &["`/srv/none/` names a directory"]);
    assert_refused(&write("srv/file"), &["`srv/file` is not an absolute path"]);
    assert_refused(&write("/srv/../file"), &["`/srv/../file` has a `..`"]);
    assert_refused(
        &write("/fog/file"),
        &["cannot write `/fog/file`", "the tmpfs at `/fog`", "help: "],
    );
    assert_refused(
        &write("/workspace/file"),
        &["cannot write `/workspace/file`", "the source", "help: "],
    );
    // A file is on the way.
    let error = write("/etc/passwd/file");
    assert_eq!(error.kind(), ErrorKind::Operation);
    assert_told(&error, &["cannot copy files into the container"]);
}

#[seatrial::test]
async fn what_cannot_be_read_is_told(Hold { hold }: Hold) {
    let read = async |path: &str| hold.read(path).await.expect_err(path);
    sh(
        &hold,
        "mkfifo /srv/fifo; echo seen >/fog/file; ln -s /etc /srv/etc",
    );
    for directory in ["/etc", "/srv/etc"] {
        assert_refused(
            &read(directory).await,
            &[
                &format!("cannot read `{directory}`: it is a directory"),
                &format!("with `copy_out(\"{directory}\", ..)`"),
            ],
        );
    }
    assert_refused(
        &read("/srv/fifo").await,
        &["cannot read `/srv/fifo`: it is a fifo", "help: "],
    );
    assert_refused(
        &read("etc/passwd").await,
        &["`etc/passwd` is not an absolute path"],
    );
    assert_refused(&read("/srv/../etc/passwd").await, &["has a `..`"]);
    assert_refused(
        &read("/fog/file").await,
        &[
            "the tmpfs at `/fog`",
            "help: have a command print it: `exec([\"cat\", \"/fog/file\"])`",
        ],
    );
    let error = read("/srv/none").await;
    assert_eq!(error.kind(), ErrorKind::Operation);
    assert_told(&error, &["there is no `/srv/none` in the container"]);
}
