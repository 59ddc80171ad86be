//! Body of a fuzz target: the number of lines with a text does not depend on how the output is cut.

use super::Counter;
use crate::engine::Output;
use crate::fuzzing::pieces;
use crate::readiness::OutputPosition;
use crate::visible::{Filter, visible};

/// Checks that exactly the lines with the text are counted, in whatever pieces they come. The first byte of the input
/// is the length of the text. The text follows, then the length of each stream before the start.
pub(crate) fn lines_with_text(data: &[u8]) {
    let Some((length, rest)) = data.split_first() else {
        return;
    };
    let (text, rest) = rest.split_at(usize::from(length % 16).min(rest.len()));
    let text = String::from_utf8_lossy(text);
    let ([stdout, stderr], rest) = rest.split_first_chunk().unwrap_or((&[0, 0], rest));
    let before = OutputPosition {
        stdout: (*stdout).into(),
        stderr: (*stderr).into(),
    };
    let cut = pieces::output(rest);
    let mut apart = Vec::new();
    for (stderr, skip) in [(false, before.stdout), (true, before.stderr)] {
        let bytes = pieces::stream(&cut, stderr);
        let seen = &bytes[bytes.len().min(skip as usize)..];
        let expected = expected(&text, seen);
        for size in [1, 3, bytes.len().max(1)] {
            let piece = |bytes: &[u8]| Output {
                stderr,
                bytes: bytes.to_vec(),
            };
            let pieces: Vec<Output> = bytes.chunks(size).map(piece).collect();
            let counted = counted(&text, before, &pieces);
            assert_eq!(counted, expected, "`{text}` in pieces of {size}");
        }
        apart.push(expected);
    }
    assert_eq!(
        counted(&text, before, &cut),
        apart[0] + apart[1],
        "`{text}`"
    );
}

fn counted(text: &str, before: OutputPosition, pieces: &[Output]) -> u32 {
    let mut counter = Counter::new(text, before);
    pieces.iter().for_each(|piece| counter.push(piece));
    counter.count
}

fn expected(text: &str, seen: &[u8]) -> u32 {
    let text = visible(text);
    let has_text = |line: &[u8]| {
        let mut filter = Filter::default();
        let mut shown = Vec::new();
        for byte in line {
            filter.take(*byte, |byte| shown.push(byte));
        }
        text.is_empty()
            || shown
                .windows(text.len())
                .any(|window| window == text.as_bytes())
    };
    let mut lines: Vec<&[u8]> = seen.split(|byte| *byte == b'\n').collect();
    let last = lines.pop().unwrap_or_default();
    let complete = lines.into_iter().filter(|line| has_text(line)).count() as u32;
    // The last line may never end.
    complete + u32::from(!text.is_empty() && has_text(last))
}
