//! Checks that enough lines of the container's output contain a text.
//!
//! The output is followed, not requested again and again, and matched line by line, as the pieces of an engine end
//! anywhere. The text is searched in what a terminal would show, so that a colour in the middle does not hide it.
//! Standard output and standard error are searched separately. A line counts as soon as it contains the text, as it may
//! never end. Only the part of a line that a match may still need is kept in memory.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;

use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::time::{Instant, sleep};

use super::output_position::OutputPosition;
use super::pace::Pace;
use super::subject::Subject;
use super::watch::Watch;
use crate::engine::{EngineError, EngineErrorKind, Output};
use crate::visible::{Filter, visible};

/// Why a line may not be visible: an engine holds back a line without an end (Docker: up to 16 KiB of it).
const ONCE_ENDED: &str = "the engine shows a line only once it is complete";

/// The same for more than one line. A database may write its line twice at its first start and once at a later one.
const EACH_START: &str =
    "lines of earlier starts do not count, so each start must write as many lines as `times` says";

/// The check of one text.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(super) text: String,
    pub(super) times: u32,
}

impl Lines {
    pub(super) fn describe(&self, subject: &Subject<'_>) -> String {
        let text = subject.quoted(&self.text);
        match self.times {
            0 | 1 => format!("a line with \"{text}\" in the log"),
            times => format!("{times} lines with \"{text}\" in the log"),
        }
    }

    /// From when on lines count, and why there may be too few.
    fn since(&self, subject: &Subject<'_>) -> (&'static str, &'static str) {
        let is_first_start = subject.output_before == OutputPosition::default();
        match (is_first_start, self.times) {
            (true, _) => ("so far", ONCE_ENDED),
            (false, 0 | 1) => ("since its latest start", ONCE_ENDED),
            (false, _) => ("since its latest start", EACH_START),
        }
    }

    /// Follows the output until enough lines contain the text.
    ///
    /// # Errors
    ///
    /// Returns a message if the output cannot be read.
    pub(super) async fn follow(&self, subject: &Subject<'_>, watch: &Watch) -> Result<(), String> {
        let pace = Pace::requests(None);
        let started = Instant::now();
        loop {
            let mut output = subject.engine.logs(subject.container, true, None);
            // A new stream repeats what was counted before the last one broke.
            let mut counter = Counter::new(&self.text, subject.output_before);
            let (since, hint) = self.since(subject);
            watch.sees(counter.times(since), Some(hint));
            let ended = loop {
                match output.next().await {
                    Some(Ok(piece)) => counter.push(&piece),
                    Some(Err(error)) if error.kind == EngineErrorKind::LogUnreadable => {
                        return Err(unreadable(subject, &error).await);
                    }
                    Some(Err(error)) => break subject.engine_said(&error),
                    None => break format!("{}, and the log has ended", counter.times(since)),
                }
                if counter.count >= self.times.max(1) {
                    return Ok(());
                }
                watch.sees(counter.times(since), Some(hint));
            };
            watch.sees(ended, None);
            // Either the container has ended, which the caller is about to notice, or the stream broke.
            sleep(pace.pause(started.elapsed(), Duration::ZERO, false)).await;
        }
    }
}

/// Why a log cannot be read, with the name of its driver.
async fn unreadable(subject: &Subject<'_>, error: &EngineError) -> String {
    let info = subject.engine.inspect(subject.container).await;
    let driver = info.map(|info| info.log_driver).unwrap_or_default();
    let driver = match driver.as_str() {
        "" => String::new(),
        driver => format!("; the container's log driver is `{driver}`"),
    };
    format!(
        "{}{driver}; write another kind of check, such as `ready(tcp)`",
        subject.engine_said(error)
    )
}

/// Counts the lines that contain a text.
#[derive(Debug)]
struct Counter {
    text: Vec<u8>,
    count: u32,
    stdout: Line,
    stderr: Line,
}

/// A line without an end.
#[derive(Debug)]
struct Line {
    /// The number of bytes of the stream to skip.
    skip: u64,
    matched: bool,
    filter: Filter,
    /// The end of the visible output, as long as the beginning of a match can be.
    tail: Vec<u8>,
}

impl Counter {
    fn new(text: &str, before: OutputPosition) -> Self {
        let text = visible(text);
        let line = |skip| Line {
            filter: Filter::default(),
            skip,
            matched: false,
            tail: Vec::new(),
        };
        Self {
            text: text.as_bytes().to_vec(),
            count: 0,
            stdout: line(before.stdout),
            stderr: line(before.stderr),
        }
    }

    fn push(&mut self, piece: &Output) {
        let line = match piece.stderr {
            true => &mut self.stderr,
            false => &mut self.stdout,
        };
        let skipped = usize::try_from(line.skip)
            .unwrap_or(usize::MAX)
            .min(piece.bytes.len());
        line.skip -= skipped as u64;
        let mut parts = piece.bytes[skipped..].split(|byte| *byte == b'\n');
        if let Some(first) = parts.next() {
            self.count += u32::from(line.add(first, &self.text));
        }
        for next in parts {
            self.count += u32::from(line.end(&self.text));
            self.count += u32::from(line.add(next, &self.text));
        }
    }

    fn times(&self, since: &str) -> String {
        match self.count {
            0 => format!("not seen {since}"),
            1 => format!("seen once {since}"),
            count => format!("seen {count} times {since}"),
        }
    }
}

impl Line {
    /// Adds to the line. Returns whether the line counts now.
    fn add(&mut self, bytes: &[u8], text: &[u8]) -> bool {
        if self.matched || text.is_empty() {
            return false;
        }
        for byte in bytes {
            self.filter.take(*byte, |byte| self.tail.push(byte));
        }
        self.matched = self.tail.windows(text.len()).any(|window| window == text);
        let keep = text.len() - 1;
        if let Some(cut) = self.tail.len().checked_sub(keep) {
            self.tail.drain(..cut);
        }
        self.matched
    }

    /// Ends the line. Returns whether it counts only now, as every line contains an empty text.
    fn end(&mut self, text: &[u8]) -> bool {
        self.tail.clear();
        self.filter = Filter::default();
        self.matched = false;
        text.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(text: &str) -> Output {
        Output {
            stderr: false,
            bytes: text.as_bytes().to_vec(),
        }
    }

    fn err(text: &str) -> Output {
        Output {
            stderr: true,
            ..out(text)
        }
    }

    fn count(text: &str, pieces: &[Output]) -> Counter {
        let mut counter = Counter::new(text, OutputPosition::default());
        for piece in pieces {
            counter.push(piece);
        }
        counter
    }

    #[test]
    fn a_line_is_counted_however_it_is_cut() {
        let line = "LOG: ready for connections, äöü\n";
        for text in ["ready for", "LOG", "äöü", "r", ","] {
            for cut in 0..=line.len() {
                let (a, b) = line.as_bytes().split_at(cut);
                let pieces = [a, b].map(|bytes| Output {
                    stderr: false,
                    bytes: bytes.to_vec(),
                });
                assert_eq!(count(text, &pieces).count, 1, "`{text}` cut at {cut}");
            }
            let bytes: Vec<Output> = line
                .bytes()
                .map(|byte| Output {
                    stderr: false,
                    bytes: vec![byte],
                })
                .collect();
            assert_eq!(count(text, &bytes).count, 1, "`{text}` byte by byte");
        }
    }

    #[test]
    fn a_text_is_found_in_what_is_visible() {
        let coloured =
            "\u{1b}[32mINFO\u{1b}[0m \u{1b}]8;;http://x\u{7}ser\u{1b}[1mver\u{1b}[0m is ready\n";
        for text in ["INFO server is ready", "\u{1b}[1mserver"] {
            assert_eq!(count(text, &[out(coloured)]).count, 1, "{text:?}");
            let bytes: Vec<Output> = coloured
                .chars()
                .map(|character| out(character.encode_utf8(&mut [0; 4])))
                .collect();
            assert_eq!(count(text, &bytes).count, 1, "{text:?} in pieces");
        }
        for hidden in ["[32m", "http", "1m"] {
            assert_eq!(count(hidden, &[out(coloured)]).count, 0, "{hidden}");
        }
        let unfinished = [
            out("\u{1b}]0;title\nready\n"),
            err("\u{1b}[\n"),
            err("ready\n"),
        ];
        assert_eq!(
            count("ready", &unfinished).count,
            2,
            "no sequence goes on in the next line"
        );
    }

    #[test]
    fn a_line_counts_once_and_each_line_counts() {
        assert_eq!(count("a", &[out("aaa a\n"), out("a\nb\na\n")]).count, 3);
    }

    #[test]
    fn a_match_is_not_made_of_two_lines_or_two_streams() {
        assert_eq!(count("ready", &[out("rea\ndy\n")]).count, 0);
        assert_eq!(
            count("ready", &[out("rea"), err("dy\n"), out("\n")]).count,
            0
        );
        assert_eq!(
            count("ready", &[out("rea"), err("x\n"), out("dy\n")]).count,
            1
        );
    }

    #[test]
    fn a_line_counts_at_the_match_and_once() {
        let mut counter = count("ready", &[out("rea"), err("ready")]);
        assert_eq!(counter.count, 1);
        counter.push(&out("dy"));
        assert_eq!(counter.count, 2);
        counter.push(&out(" ready"));
        counter.push(&err(&"x".repeat(100_000)));
        counter.push(&err("ready\n"));
        assert_eq!(counter.count, 2, "they are the same lines");
        counter.push(&out("\nready"));
        counter.push(&err("ready\n"));
        assert_eq!(counter.count, 4);
    }

    #[test]
    fn lines_before_a_restart_do_not_count() {
        let before = OutputPosition {
            stdout: 8,
            stderr: 3,
        };
        let mut counter = Counter::new("ready", before);
        counter.push(&out("ready\nx"));
        counter.push(&out("\nready\n"));
        counter.push(&err("ready\n"));
        assert_eq!(counter.count, 1);
    }

    #[test]
    fn a_line_of_any_length_needs_little_memory() {
        let mut counter = count("needle", &[]);
        for _ in 0..1000 {
            counter.push(&out(&"x".repeat(10_000)));
        }
        counter.push(&out("nee"));
        counter.push(&out("dle\n"));
        assert_eq!(counter.count, 1);
        assert!(counter.stdout.tail.capacity() < 100_000);
    }

    #[test]
    fn an_empty_text_is_in_every_line() {
        assert_eq!(count("", &[out("a\n\nb\nc")]).count, 3);
    }
}
