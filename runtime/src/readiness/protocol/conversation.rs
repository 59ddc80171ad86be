//! What a conversation with a server is made of, over bytes alone.
//!
//! Knows no protocol and no connection.

/// How much of an answer is read. Those that are expected are shorter.
pub(super) const LIMIT: usize = 64 * 1024;

/// How much of an answer is quoted.
pub(super) const QUOTED: usize = 200;

/// A conversation with a server, as far as it has come.
pub(super) trait Conversation: Send {
    /// What the client says first: nothing where the server begins.
    fn opening(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Goes on, given all that the server has said so far.
    fn hear(&mut self, said: &[u8]) -> Step;
}

/// What comes next in a conversation.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The server has not said enough.
    More,
    /// To be said to it; then it goes on.
    Say(Vec<u8>),
    /// What it said decides. This is to be said to it before the connection is closed.
    Done(Verdict, Vec<u8>),
    /// What it said does not belong to the protocol.
    Foreign,
}

/// What a server's answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It takes requests, if perhaps not ours.
    Answers,
    /// It does not yet.
    NotYet {
        /// In its own words.
        said: String,
        /// What to do about it.
        advice: Option<&'static str>,
    },
}

impl Step {
    pub(super) fn answers() -> Self {
        Self::Done(Verdict::Answers, Vec::new())
    }

    pub(super) fn not_yet(said: impl Into<String>) -> Self {
        let said = said.into();
        let advice = None;
        Self::Done(Verdict::NotYet { said, advice }, Vec::new())
    }
}

/// The beginning of what was said, as text.
pub(super) fn text(said: &[u8]) -> String {
    // No character is longer.
    let said = &said[..said.len().min(QUOTED * 4)];
    let text = String::from_utf8_lossy(said);
    let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.to_owned(),
    }
}

/// The beginning of `bytes` up to a zero, and what is behind that.
pub(super) fn terminated(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}
