//! What is large: outputs of which the end is handed out, and copies that pass through without being held.

use seatrial::Service;

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
