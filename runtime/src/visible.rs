//! Text from outside without the sequences that control a terminal.
//!
//! Programs colour their logs, and a log could clear its reader's screen, or set a window's title. So text from outside must be
//! shown and searched without its control sequences (ECMA-48) and control characters. A test that asks for a text gets it
//! unchanged.

use std::borrow::Cow;

use seatrial_model::secret::Redactor;

use crate::output::last_written;

const ESCAPE: u8 = 0x1b;
const BELL: u8 = 0x07;
const DELETE: u8 = 0x7f;
/// The first byte of U+0080 to U+009F in UTF-8. They are control characters, too.
const LEAD_OF_C1: u8 = 0xc2;

/// Removes the control sequences from a stream of lines that comes in pieces. Tabs, carriage returns and line ends stay; other
/// control characters are removed. A sequence ends at the end of its line at the latest.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Filter {
    #[default]
    Text,
    /// After [`LEAD_OF_C1`].
    Lead,
    /// After `ESC`.
    Escape,
    /// In a control sequence, up to its final byte: `ESC [ 31 m`.
    Sequence,
    /// In a string for the terminal, up to its end: a title, the target of a link.
    String,
    /// In such a string, after `ESC`.
    EscapeInString,
}

impl Filter {
    /// Takes a byte, and hands out the visible bytes that are known by now.
    pub(crate) fn take(&mut self, byte: u8, mut visible: impl FnMut(u8)) {
        *self = match (*self, byte) {
            (Self::Lead, 0x80..=0x9f) => Self::behind_control(byte - 0x40),
            (Self::Lead, _) => {
                visible(LEAD_OF_C1);
                Self::of_text(byte, visible)
            }
            (_, b'\n') | (Self::Text, _) => Self::of_text(byte, visible),
            (Self::EscapeInString, b'\\') | (Self::String, BELL) => Self::Text,
            // These bytes cancel any sequence.
            (_, 0x18 | 0x1a) => Self::Text,
            (Self::String, ESCAPE) => Self::EscapeInString,
            (Self::String, _) => Self::String,
            (_, ESCAPE) => Self::Escape,
            (Self::Escape | Self::EscapeInString, b' '..=b'/') => Self::Escape,
            (Self::Escape | Self::EscapeInString, b'0'..=b'~') => Self::behind_control(byte),
            (Self::Sequence, b'@'..=b'~') => Self::Text,
            // The byte cannot be in a sequence, so there is no sequence.
            (_, 0x80..) => Self::of_text(byte, visible),
            // Parameters, and control characters in the middle.
            (state, _) => state,
        };
    }

    /// The state after `ESC` and this byte, or after the single character that stands for both.
    fn behind_control(byte: u8) -> Self {
        match byte {
            b'[' => Self::Sequence,
            b']' | b'P' | b'X' | b'^' | b'_' => Self::String,
            _ => Self::Text,
        }
    }

    fn of_text(byte: u8, mut visible: impl FnMut(u8)) -> Self {
        match byte {
            ESCAPE => return Self::Escape,
            LEAD_OF_C1 => return Self::Lead,
            b'\n' | b'\r' | b'\t' => visible(byte),
            0..b' ' | DELETE => {}
            _ => visible(byte),
        }
        Self::Text
    }
}

/// A text without control sequences. A line that overwrites itself keeps its earlier text, too.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(|character: char| character.is_control()) {
        return text.into();
    }
    let mut visible = Vec::with_capacity(text.len());
    let mut filter = Filter::default();
    for byte in text.bytes() {
        filter.take(byte, |byte| visible.push(byte));
    }
    // Only ASCII and complete characters were removed.
    String::from_utf8_lossy(&visible).into_owned().into()
}

/// A text from outside as it may be shown: the text of each line that a terminal shows in the end.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    let text = visible(text);
    if !text.contains('\r') {
        return text;
    }
    let lines = text.split('\n').map(|line| match line.contains('\r') {
        true => last_written(line),
        false => line,
    });
    lines.collect::<Vec<_>>().join("\n").into()
}

/// A text from outside for a message: without secrets and control sequences. A secret may contain control characters itself, or be
/// interrupted by some.
pub(crate) fn quoted(redactor: &Redactor, text: &str) -> String {
    redactor.redact(&harmless(&redactor.redact(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_titles_and_links_are_not_visible() {
        for (text, seen) in [
            (
                "plain, \u{f6} \u{20ac}\tand a tab\n",
                "plain, \u{f6} \u{20ac}\tand a tab\n",
            ),
            ("\u{1b}[1;32mINFO\u{1b}[0m ready", "INFO ready"),
            ("\u{1b}[38:2::255:0:0mred\u{1b}[m", "red"),
            ("\u{1b}[2J\u{1b}[?25lcleared\u{1b}c", "cleared"),
            ("\u{1b}]0;a title\u{7}text", "text"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\.", "link."),
            ("\u{1b}P1$r0m\u{1b}\\text", "text"),
            ("\u{1b}(Btext\u{1b}7", "text"),
            ("\u{9b}31mred\u{9d}title\u{7}text\u{85}", "redtext"),
            ("a\u{8}b\u{7}\u{0}\u{7f}c", "abc"),
            ("\u{a0}\u{c0}\u{bf}", "\u{a0}\u{c0}\u{bf}"),
            // Not a sequence, or does not end.
            ("\u{1b}[31\u{f6}", "\u{f6}"),
            ("\u{1b}\u{18}[31m", "[31m"),
            ("a\u{1b}]0;title\nb\u{1b}[\nc\u{1b}\nd", "a\nb\nc\nd"),
        ] {
            assert_eq!(visible(text), seen, "{text:?}");
            assert_eq!(harmless(text), seen, "{text:?}");
        }
    }

    #[test]
    fn of_what_is_written_over_both_are_visible_and_the_last_is_shown() {
        let text = "one\r\n5%\r\u{1b}[K10%\r\nnext\r";
        assert_eq!(visible(text), "one\r\n5%\r10%\r\nnext\r");
        assert_eq!(harmless(text), "one\n10%\nnext");
    }

    #[test]
    fn no_text_that_is_shown_has_a_control_character() {
        let pieces = [
            "\u{1b}", "[", "]", "m", "\u{7}", "\\", "\r", "\u{9b}", "\u{e9}", "\n", "P",
        ];
        for first in pieces {
            for second in pieces {
                for third in pieces {
                    let text = ["a", first, second, third, first, "b", second].concat();
                    let shown = harmless(&text).into_owned();
                    let odd = shown.chars().find(|c| c.is_control() && *c != '\n');
                    assert_eq!(odd, None, "{text:?}");
                    assert_eq!(harmless(&shown), shown, "{text:?}");
                }
            }
        }
    }
}
