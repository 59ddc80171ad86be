//! What is large: outputs of which the end is handed out, and copies that pass through without being held.

use seatrial::{Composition, ErrorKind, Service};
use seatrial_tests::scratch::Scratch;

/// The most of an output that is handed out.
const MOST: usize = 16 * 1024 * 1024;

/// A shell script that writes lines of 1024 bytes, the last of which is another.
const TALE: &str = "yes $(head -c 1023 /dev/zero | tr '\\0' x) | head -n 20000; echo the end";

/// How much it writes.
const TOLD: usize = 20_000 * 1024 + "the end\n".len();

/// Sees that `text` is the end of the tale, from the beginning of a line, and says in its first line what is missing.
fn is_end_of_tale(text: &str) -> u64 {
    let (note, rest) = text.split_once('\n').expect("lines");
    let dropped = TOLD - rest.len();
    assert_eq!(note, format!("[.. {dropped} bytes before this are cut]"));
    assert!(rest.len() <= MOST && rest.len() > MOST - 1024);
    let (lines, end) = rest.split_at(rest.len() - "the end\n".len());
    assert_eq!(end, "the end\n");
    let line = "x".repeat(1023) + "\n";
    assert!(
        lines
            .as_bytes()
            .chunks(1024)
            .all(|it| it == line.as_bytes())
    );
    dropped as u64
}

#[seatrial::test(timeout = "3m")]
async fn of_a_long_output_and_a_long_log_the_end_is_handed_out(
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "yes $(head -c 1023 /dev/zero | tr '\\0' x) | head -n 20000; echo the end; exec sleep infinity"],
        ready(log = "the end"),
    )]
    teller: Service,
) -> Result<(), seatrial::Error> {
    is_end_of_tale(&teller.logs().await?);

    let output = teller.exec(["sh", "-c", TALE]).await?;
    assert_eq!(output.truncated, is_end_of_tale(&output.stdout));
    assert_eq!((output.code, &*output.stderr), (0, ""));

    let output = teller.exec(["sh", "-c", "echo short"]).await?;
    assert_eq!((output.truncated, &*output.stdout), (0, "short\n"));
    Ok(())
}

#[derive(Composition)]
struct Hold {
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        ready(running)
    )]
    hold: Service,
}

/// What the copies have that are too large to be held.
const SIZE: u64 = 96 * 1024 * 1024;

#[seatrial::test(timeout = "3m")]
fn what_is_large_is_copied_in_and_out(Hold { hold }: Hold) -> Result<(), seatrial::Error> {
    let scratch = Scratch::new("copies");
    let cargo = scratch.file("cargo", SIZE);
    hold.copy_in(&cargo, "/srv/hold/cargo").wait()?;
    // Another command is run meanwhile.
    let copied = hold.copy_in(&cargo, "/srv/hold/more");
    assert_eq!(hold.exec(["echo", "aye"]).wait()?.stdout, "aye\n");
    copied.wait()?;
    let same = hold
        .exec(["cmp", "/srv/hold/cargo", "/srv/hold/more"])
        .wait()?;
    assert!(same.success(), "{same:?}");

    hold.copy_out("/srv/hold", scratch.path("back")).wait()?;
    let sent = std::fs::read(&cargo).expect("a file");
    for name in ["cargo", "more"] {
        let back = std::fs::read(scratch.path("back").join(name)).expect("a file");
        assert!(back == sent, "{name}: {} bytes came", back.len());
    }
    Ok(())
}

#[seatrial::test(timeout = "3m")]
fn a_copy_that_fails_in_the_middle_says_why_and_the_service_goes_on(
    Hold { hold }: Hold,
) -> Result<(), seatrial::Error> {
    let scratch = Scratch::new("failures");
    // A directory cannot be read, also by root: the path to it is too long.
    let tree = scratch.path("tree");
    std::fs::create_dir(&tree).expect("a directory");
    std::fs::rename(scratch.file("cargo", SIZE), tree.join("cargo")).expect("a file");
    let name = "deep".repeat(60);
    let deepen = "cd \"$1\" && for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do mkdir $2 && cd -P $2 || exit; done";
    let made = std::process::Command::new("sh")
        .args(["-c", deepen, "sh"])
        .arg(&tree)
        .arg(&name)
        .status();
    assert!(made.expect("a shell").success());
    let error = hold.copy_in(&tree, "/srv/tree").wait();
    let error = error.expect_err("a path is too long");
    assert_eq!(error.kind(), ErrorKind::Files);
    let text = error.to_string();
    let path = tree.join(name);
    assert!(
        text.contains(&format!("cannot read `{}/", path.display())),
        "{text}"
    );

    // What is already there is in the way.
    let refused = hold.copy_in(tree.join("cargo"), "/etc/passwd/cargo").wait();
    let refused = refused.expect_err("a file is not a directory");
    assert_eq!(refused.kind(), ErrorKind::Operation);
    assert_eq!(refused.service(), Some("hold"));
    assert!(refused.to_string().contains("copy files into"), "{refused}");

    // Nothing can be written where it goes.
    hold.copy_in(tree.join("cargo"), "/srv/cargo").wait()?;
    let file = scratch.path("file");
    std::fs::write(&file, "in the way").expect("a file");
    let error = hold.copy_out("/srv/cargo", file.join("cargo")).wait();
    let error = error.expect_err("a file is not a directory");
    assert_eq!(error.kind(), ErrorKind::Files);
    assert!(error.to_string().contains("cannot write `"), "{error}");

    assert!(hold.exec(["true"]).wait()?.success());
    Ok(())
}

#[seatrial::test(timeout = "3m")]
fn a_copy_goes_on_though_nobody_waits_for_it(Hold { hold }: Hold) -> Result<(), seatrial::Error> {
    let scratch = Scratch::new("ends");
    let cargo = scratch.file("cargo", SIZE);
    let dropped = hold.copy_in(&cargo, "/srv/dropped");
    drop(dropped);
    // The work goes on: it comes before what changes the service next.
    hold.kill().wait()?;
    hold.copy_out("/srv/dropped", scratch.path("back")).wait()?;
    let back = std::fs::metadata(scratch.path("back")).expect("a file");
    assert_eq!(back.len(), SIZE);
    Ok(())
}
