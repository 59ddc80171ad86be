//! Body of a fuzz target: lines are the same however the output is cut.

use super::Lines;
use crate::engine::Output;
use crate::fuzzing::pieces;
use crate::output::{self, LINE_MAX};

/// The lines of each stream are those of its text, in whatever pieces it comes.
pub(crate) fn lines(data: &[u8]) {
    let cut = pieces::output(data);
    for stderr in [false, true] {
        let written = pieces::stream(&cut, stderr);
        let expected = expected(&written);
        assert_eq!(of_stream(&cut, stderr), expected);
        for size in [1, 3, written.len().max(1)] {
            let piece = |bytes: &[u8]| Output {
                stderr,
                bytes: bytes.to_vec(),
            };
            let pieces: Vec<Output> = written.chunks(size).map(piece).collect();
            assert_eq!(of_stream(&pieces, stderr), expected, "in pieces of {size}");
        }
    }
}

/// The lines that [`Lines`] should emit for one stream.
fn expected(written: &[u8]) -> Vec<String> {
    let mut lines: Vec<&[u8]> = written.split(|byte| *byte == b'\n').collect();
    // There is no line behind the last line end.
    lines.pop_if(|last| last.is_empty());
    let mut expected = Vec::new();
    for line in lines {
        if line.len() <= LINE_MAX {
            let text = String::from_utf8_lossy(line);
            expected.push(text.trim_end_matches('\r').to_owned());
        } else {
            let shown = output::whole_characters(&line[..LINE_MAX]);
            expected.push(String::from_utf8_lossy(&line[..shown]).into_owned() + output::CUT);
            let missing = line.len() - shown;
            expected.push(format!("[.. {missing} more bytes of this line are cut]"));
        }
    }
    expected
}

fn of_stream(pieces: &[Output], stderr: bool) -> Vec<String> {
    let mut assembling = Lines::default();
    let mut lines = Vec::new();
    for piece in pieces {
        assembling.take(piece, |line| lines.push(line));
    }
    assembling.finish(|line| lines.push(line));
    let lines = lines.into_iter().filter(|line| line.stderr == stderr);
    lines.map(|line| line.text).collect()
}
