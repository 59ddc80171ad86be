//! Limits of text from outside that may have no end: only the beginning of a long line is kept, and only the end of a long output.
//!
//! The text that is kept says how much is missing, in brackets that begin with two dots.

use std::collections::VecDeque;

/// The most bytes of a line that are handed out. A longer line is cut there. The documentation of [`LogLine`](crate::LogLine)
/// names the limit. Inputs of fuzzing are short, so it has a lower limit.
pub(crate) const LINE_MAX: usize = if cfg!(fuzzing) { 64 } else { 64 * 1024 };

/// The most bytes of a log that are handed out as one text, and of each output of a command. The end is kept. The documentation of
/// [`Service`](crate::Service) names the limit.
pub(crate) const OUTPUT_MAX: usize = 16 * 1024 * 1024;

/// The most bytes that are kept of an output of which only an error shows the last lines.
pub(crate) const REPORT_MAX: usize = 1024 * 1024;

/// The end of a line that is cut.
pub(crate) const CUT: &str = " [.. the rest of this line is cut]";

/// Assembles the lines of one stream from pieces that end anywhere, and keeps no more than [`LINE_MAX`] bytes.
///
/// A line is handed out when it ends. A line that is too long may never end, so its beginning is handed out at once, with a note.
/// When it ends, one more line says how much of it is missing.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The bytes of the present line.
    open: Vec<u8>,
    /// How many bytes of the line were dropped, if it is too long and its beginning was handed out.
    dropped: Option<u64>,
}

impl Lines {
    /// Takes a piece, and hands out the lines that it completes.
    pub(crate) fn take(&mut self, piece: &[u8], mut line: impl FnMut(String)) {
        let mut parts = piece.split(|byte| *byte == b'\n');
        if let Some(first) = parts.next() {
            self.add(first, &mut line);
        }
        for next in parts {
            self.end(&mut line);
            self.add(next, &mut line);
        }
    }

    /// Ends the stream, and with it the last line, unless that is empty.
    pub(crate) fn finish(mut self, mut line: impl FnMut(String)) {
        if !self.open.is_empty() || self.dropped.is_some() {
            self.end(&mut line);
        }
    }

    fn add(&mut self, part: &[u8], line: &mut impl FnMut(String)) {
        if let Some(dropped) = &mut self.dropped {
            *dropped += part.len() as u64;
            return;
        }
        let fits = part.len().min(LINE_MAX - self.open.len());
        self.open.extend_from_slice(&part[..fits]);
        if fits == part.len() {
            return;
        }
        let shown = whole_characters(&self.open);
        let dropped = self.open.len() - shown + part.len() - fits;
        line(String::from_utf8_lossy(&self.open[..shown]).into_owned() + CUT);
        self.dropped = Some(dropped as u64);
        self.open = Vec::new();
    }

    fn end(&mut self, line: &mut impl FnMut(String)) {
        if let Some(dropped) = self.dropped.take() {
            line(format!("[.. {dropped} more bytes of this line are cut]"));
            return;
        }
        let text = String::from_utf8_lossy(&self.open);
        line(text.trim_end_matches('\r').to_owned());
        self.open.clear();
    }
}

/// The end of an output, and the number of bytes before it.
#[derive(Debug)]
pub(crate) struct End {
    max: usize,
    bytes: VecDeque<u8>,
    dropped: u64,
}

impl End {
    /// Keeps at most so many bytes.
    pub(crate) fn of(max: usize) -> Self {
        Self {
            max,
            bytes: VecDeque::new(),
            dropped: 0,
        }
    }

    pub(crate) fn push(&mut self, piece: &[u8]) {
        let (passed, kept) = piece.split_at(piece.len().saturating_sub(self.max));
        let old = (self.bytes.len() + kept.len()).saturating_sub(self.max);
        self.bytes.drain(..old);
        self.bytes.extend(kept);
        self.dropped += (passed.len() + old) as u64;
    }

    /// The kept bytes, and the number of bytes before them. If bytes were dropped, the kept ones begin with a complete line, or
    /// with a complete character if they have no line break.
    pub(crate) fn finish(mut self) -> (Vec<u8>, u64) {
        if self.dropped > 0 {
            let line = self.bytes.iter().take(LINE_MAX);
            let behind_line = line
                .copied()
                .position(|byte| byte == b'\n')
                .map(|at| at + 1);
            let inside = |byte: &u8| matches!(byte, 0x80..=0xbf);
            let behind_character = self.bytes.iter().take(3).take_while(|byte| inside(byte));
            let begin = match behind_line {
                Some(begin) if begin < self.bytes.len() => begin,
                _ => behind_character.count(),
            };
            self.bytes.drain(..begin);
            self.dropped += begin as u64;
        }
        (self.bytes.into(), self.dropped)
    }
}

/// An output as text. If bytes at the beginning are missing, a first line says how many.
pub(crate) fn text(bytes: Vec<u8>, dropped: u64) -> String {
    let mut text = String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    if dropped > 0 {
        let note = format!("[.. {dropped} bytes before this are cut]\n");
        text.reserve_exact(note.len());
        text.insert_str(0, &note);
    }
    text
}

/// The length of `bytes` without a UTF-8 character at the end that is cut.
pub(crate) fn whole_characters(bytes: &[u8]) -> usize {
    let last = bytes.len().saturating_sub(3)..bytes.len();
    for at in last.rev() {
        let length = match bytes[at] {
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf7 => 4,
            // Inside a character.
            0x80..=0xbf => continue,
            _ => 1,
        };
        return if at + length > bytes.len() {
            at
        } else {
            bytes.len()
        };
    }
    bytes.len()
}

/// The text of a line that a terminal shows in the end. Programs that show progress overwrite the line.
pub(crate) fn last_written(line: &str) -> &str {
    let line = line.trim_end();
    line.rsplit_once('\r').map_or(line, |(_, last)| last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_line_that_is_written_over_the_last_is_shown() {
        assert_eq!(
            last_written("reading .. 5%\rreading .. 10%\r"),
            "reading .. 10%"
        );
        assert_eq!(last_written("  one "), "  one");
        assert_eq!(last_written(""), "");
    }

    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::default();
        let mut seen = Vec::new();
        for piece in pieces {
            lines.take(piece, |line| seen.push(line));
        }
        lines.finish(|line| seen.push(line));
        seen
    }

    #[test]
    fn a_line_is_put_together_however_it_is_cut() {
        let text = "one\ntw\u{f6}\r\n\nno end".as_bytes();
        for cut in 0..=text.len() {
            let (a, b) = text.split_at(cut);
            assert_eq!(lines(&[a, b]), ["one", "tw\u{f6}", "", "no end"], "{cut}");
        }
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(lines(&bytes), ["one", "tw\u{f6}", "", "no end"]);
        assert!(lines(&[b"", b""]).is_empty());
    }

    #[test]
    fn a_line_as_long_as_the_bound_is_whole_and_a_longer_one_is_cut_and_says_so() {
        let longest = "x".repeat(LINE_MAX);
        let text = format!("{longest}\n{longest}y\n{longest}yz\nnext");
        let expected = [
            longest.clone(),
            format!("{longest}{CUT}"),
            "[.. 1 more bytes of this line are cut]".to_owned(),
            format!("{longest}{CUT}"),
            "[.. 2 more bytes of this line are cut]".to_owned(),
            "next".to_owned(),
        ];
        for size in [7, 4096, LINE_MAX, LINE_MAX + 1, text.len()] {
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            assert_eq!(lines(&pieces), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn a_line_without_end_is_handed_out_and_not_kept() {
        let mut lines = Lines::default();
        let mut seen = Vec::new();
        let piece = [b'x'; 1000];
        for _ in 0..10_000 {
            lines.take(&piece, |line| seen.push(line));
            assert!(lines.open.capacity() <= 2 * LINE_MAX);
        }
        assert_eq!(seen.len(), 1, "its beginning");
        lines.finish(|line| seen.push(line));
        let dropped = 1000 * 10_000 - LINE_MAX;
        let told = format!("[.. {dropped} more bytes of this line are cut]");
        assert_eq!(seen[1..], [told]);
    }

    fn end_of(max: usize, pieces: &[&[u8]]) -> (Vec<u8>, u64) {
        let mut end = End::of(max);
        for piece in pieces {
            end.push(piece);
            assert!(end.bytes.len() <= max);
        }
        end.finish()
    }

    #[test]
    fn of_an_output_the_end_is_kept_from_the_beginning_of_a_line() {
        let output = b"one\ntwo\nthree\n";
        for size in 1..=output.len() {
            let pieces: Vec<&[u8]> = output.chunks(size).collect();
            for (max, kept, dropped) in [
                (100, &output[..], 0),
                (output.len(), &output[..], 0),
                (output.len() - 1, b"two\nthree\n", 4),
                (11, b"two\nthree\n", 4),
                (7, b"three\n", 8),
                // Nothing would be left.
                (4, b"ree\n", 10),
                (0, b"", 14),
            ] {
                let expected = (kept.to_vec(), dropped);
                assert_eq!(end_of(max, &pieces), expected, "{max} of pieces of {size}");
            }
        }
        let (kept, dropped) = end_of(5, &["x\u{20ac}\u{20ac}".as_bytes()]);
        assert_eq!((kept, dropped), ("\u{20ac}".as_bytes().to_vec(), 4));
    }

    #[test]
    fn a_text_says_what_is_missing() {
        assert_eq!(text(b"a\xff".to_vec(), 0), "a\u{fffd}");
        assert_eq!(
            text(b"a\n".to_vec(), 7),
            "[.. 7 bytes before this are cut]\na\n"
        );
    }

    #[test]
    fn a_character_is_not_cut() {
        for character in ["\u{f6}", "\u{20ac}", "\u{1f6a2}"] {
            for before in LINE_MAX - 4..=LINE_MAX {
                let text = "x".repeat(before) + character + "xxxx";
                let seen = lines(&[text.as_bytes()]);
                let shown = seen[0].strip_suffix(CUT).expect("it is cut");
                assert!(text.starts_with(shown), "{character} behind {before}");
                let dropped = text.len() - shown.len();
                assert!(shown.len() > LINE_MAX - 4);
                assert_eq!(
                    seen[1],
                    format!("[.. {dropped} more bytes of this line are cut]")
                );
            }
        }
        // Not UTF-8 in any case.
        for byte in [0x80, 0xff] {
            let shown = &lines(&[&vec![byte; LINE_MAX + 1]])[0];
            let shown = shown.strip_suffix(CUT).expect("it is cut");
            assert_eq!(shown.chars().count(), LINE_MAX);
        }
    }
}
