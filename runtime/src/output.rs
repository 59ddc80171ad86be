//! What is kept of text from outside that may have no end: the beginning of a line, the end of an output.
//!
//! Whoever drops something says so in the text that is left, in brackets that begin with two dots.

/// The longest line that is handed out whole, in bytes; of a longer one as much is, from its beginning. The documentation
/// of [`LogLine`](crate::LogLine) names it.
pub(crate) const LINE_MAX: usize = 64 * 1024;

/// How a line ends that is cut.
const CUT: &str = " [.. the rest of this line is cut]";

/// Puts the lines of one stream together from pieces that end anywhere, and keeps no more than [`LINE_MAX`] bytes.
///
/// A line is handed out when it ends, and one that becomes too long at once, for it may never end: its beginning with a
/// note. When it does end, one more line says how much of it is missing.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// What has come of a line.
    open: Vec<u8>,
    /// How much of the line was dropped, where it is too long and its beginning was handed out.
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

    /// The stream has ended: so has its last line, unless nothing has come of it.
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

/// The length of `bytes` without a UTF-8 character at the end that is cut.
fn whole_characters(bytes: &[u8]) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;

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
        // What is no UTF-8 anyway.
        for byte in [0x80, 0xff] {
            let shown = &lines(&[&vec![byte; LINE_MAX + 1]])[0];
            let shown = shown.strip_suffix(CUT).expect("it is cut");
            assert_eq!(shown.chars().count(), LINE_MAX);
        }
    }
}
