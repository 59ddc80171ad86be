//! The parts of a conversation with a server, over bytes alone.
//!
//! Must not know a protocol or a connection.

/// The most bytes of an answer that are read. Expected answers are shorter.
pub(super) const LIMIT: usize = 64 * 1024;

/// The most characters of an answer that are quoted.
pub(super) const QUOTED: usize = 200;

/// The state of a conversation with a server.
pub(super) trait Conversation: Send {
    /// The first message of the client. Empty if the server begins.
    fn opening(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Continues with all that the server has sent so far.
    fn hear(&mut self, said: &[u8]) -> Step;
}

/// The next step of a conversation.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The server has not sent enough.
    More,
    /// The client sends this and continues.
    Say(Vec<u8>),
    /// The server's answer decides. The client sends this before it closes the connection.
    Done(Verdict, Vec<u8>),
    /// The server's answer is not of the protocol.
    Foreign,
}

/// The meaning of a server's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The server takes requests, even if not ours.
    Answers,
    /// The server does not take requests yet.
    NotYet {
        /// The server's own message.
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

/// The beginning of an answer, as text.
pub(super) fn text(said: &[u8]) -> String {
    // No character has more bytes.
    let said = &said[..said.len().min(QUOTED * 4)];
    let text = String::from_utf8_lossy(said);
    let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.to_owned(),
    }
}

/// The bytes before the first zero, and the bytes behind it.
pub(super) fn terminated(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}
