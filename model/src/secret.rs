//! Secrets: finds them among environment variables, and hides their values in text.
//!
//! A secret is hidden wherever its value occurs, also inside a word, even if that makes a log line harder to read. A value
//! that looks like a word, as passwords of test databases do (`postgres`, `sea`), is hidden only as a whole word.

mod name;

pub use name::is_secret_name;

/// The text that replaces a secret.
pub const HIDDEN: &str = "[hidden]";

/// Hides secret values in text from outside: log lines, commands, messages of an engine. Our own messages do not pass
/// through it: what they quote is redacted first.
///
/// ```
/// use seatrial_model::secret::Redactor;
///
/// let redactor = Redactor::new([
///     ("DB_PASSWORD", "sea"),
///     ("CACHE_URL", "redis://:salt@cache:6379"),
/// ]);
/// assert_eq!(redactor.redact("ping -psea failed"), "ping -p[hidden] failed");
/// assert_eq!(redactor.redact("overseas"), "overseas");
/// assert_eq!(redactor.redact("AUTH salt"), "AUTH [hidden]");
/// ```
#[derive(Clone, Default)]
pub struct Redactor {
    /// Unique and not empty.
    values: Vec<String>,
}

/// Longest value of letters alone that counts as a word, in characters.
const LONGEST_WORD: usize = 12;
/// Longest value of digits alone that counts as a number like others, in characters.
const LONGEST_NUMBER: usize = 5;
/// Shortest value of another kind that is hidden also inside words, in characters.
const SHORTEST: usize = 4;

/// Whether a value is so short, or so like a word, that other words may contain it by chance.
pub(crate) fn is_word_like(value: &str) -> bool {
    let length = value.chars().count();
    length < SHORTEST
        || (length <= LONGEST_WORD && value.chars().all(char::is_alphabetic))
        || (length <= LONGEST_NUMBER && value.chars().all(|c| c.is_ascii_digit()))
}

impl Redactor {
    /// Values that say "on" or "off" rather than being secrets: `ALLOW_EMPTY_PASSWORD=yes`.
    const HARMLESS: [&'static str; 8] = ["yes", "no", "true", "false", "on", "off", "none", "null"];
    /// Shortest line, of a secret with several lines, that is hidden by itself.
    const SHORTEST_LINE: usize = 4;

    /// A redactor for the secrets among these variables: values whose names suggest it, passwords in URLs, and settings
    /// inside a value whose names suggest it (`host=db password=sea`).
    pub fn new<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut redactor = Self::default();
        for (name, value) in variables {
            redactor.add(name, value);
        }
        redactor
    }

    /// Adds the secrets of one more variable.
    pub fn add(&mut self, name: &str, value: &str) {
        if is_secret_name(name) {
            self.hide(value);
        }
        for password in url_passwords(value) {
            self.hide(password);
            self.hide(&percent_decoded(password));
        }
        for (name, value) in settings(value) {
            if name::is_surely_secret(name) {
                self.hide(value);
            }
        }
    }

    /// Adds another redactor's secrets.
    pub fn merge(&mut self, other: &Self) {
        for value in &other.values {
            self.insert(value);
        }
    }

    /// Adds a secret's value in each form in which it may be printed.
    fn hide(&mut self, value: &str) {
        self.insert(value);
        self.insert(value.trim());
        // As `{:?}` and JSON print it, without the quotes around it.
        let escaped = format!("{value:?}");
        self.insert(&escaped[1..escaped.len() - 1]);
        // A log shows a secret of several lines line by line.
        for line in value.lines().map(str::trim) {
            if line.chars().count() >= Self::SHORTEST_LINE {
                self.insert(line);
            }
        }
    }

    /// A single character is not a secret: hiding it would break up other words, and reveal it.
    fn insert(&mut self, value: &str) {
        let harmless = value.chars().nth(1).is_none()
            || Self::HARMLESS
                .iter()
                .any(|word| value.eq_ignore_ascii_case(word));
        if !harmless && !self.values.iter().any(|known| known == value) {
            self.values.push(value.to_owned());
        }
    }

    /// `text` without the secrets. Overlapping secrets are hidden as one.
    pub fn redact(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut shown = 0;
        for (start, end) in self.secrets_in(text) {
            out.push_str(&text[shown..start]);
            out.push_str(HIDDEN);
            shown = end;
        }
        out.push_str(&text[shown..]);
        out
    }

    /// The ranges of secrets in `text`, in order. Ranges that touch or overlap are merged.
    fn secrets_in(&self, text: &str) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        for value in &self.values {
            let first = value.chars().next().map_or(1, char::len_utf8);
            let word_like = is_word_like(value);
            let mut from = 0;
            while let Some(at) = text[from..].find(value.as_str()) {
                let (start, end) = (from + at, from + at + value.len());
                if !word_like || (begins_word(text, start) && ends_word(text, end)) {
                    found.push((start, end));
                }
                // Matches may overlap: `aaa` has `aa` twice.
                from += at + first;
            }
        }
        found.sort_unstable();
        let mut merged: Vec<(usize, usize)> = Vec::new();
        for (start, end) in found {
            match merged.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        merged
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether the text at `start` does not continue a word before it.
fn begins_word(text: &str, start: usize) -> bool {
    let before = &text[..start];
    let continues =
        before.chars().next_back().is_some_and(is_of_word) && text[start..].starts_with(is_of_word);
    !continues || ends_with_short_option(before) || ends_with_escape(before)
}

/// Whether the text that ends at `end` does not continue as a word.
fn ends_word(text: &str, end: usize) -> bool {
    let continues = text[end..].starts_with(is_of_word)
        && text[..end].chars().next_back().is_some_and(is_of_word);
    !continues
}

/// A short option that its value may follow directly: `-psea`.
fn ends_with_short_option(text: &str) -> bool {
    let mut backwards = text.chars().rev();
    backwards.next().is_some_and(char::is_alphabetic)
        && backwards.next() == Some('-')
        && backwards.next().is_none_or(|c| !is_of_word(c) && c != '-')
}

/// An escape whose last character looks like a part of the word after it: `\n` as `{:?}` and JSON print it, `%20` as a URL
/// has it, a terminal's colour.
fn ends_with_escape(text: &str) -> bool {
    let in_text = text
        .strip_suffix(['n', 'r', 't', '0', 'b', 'f'])
        .is_some_and(|before| before.ends_with('\\'));
    let of_hex = |marker: &str, length: usize| {
        text.rfind(marker).is_some_and(|at| {
            let digits = &text[at + marker.len()..];
            digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    };
    let of_terminal = text.rfind("\u{1b}[").is_some_and(|at| {
        text[at + 2..]
            .strip_suffix(|c: char| c.is_ascii_alphabetic())
            .is_some_and(|inside| inside.bytes().all(|byte| !byte.is_ascii_alphabetic()))
    });
    in_text || of_hex("%", 2) || of_hex("\\x", 2) || of_hex("\\u", 4) || of_terminal
}

/// Never shows the secrets.
impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} secrets)", self.values.len())
    }
}

/// `sea` in `mysql://root:sea@db/shop` and in `root:sea@tcp(db:3306)/shop`; of every URL in `value`.
fn url_passwords(value: &str) -> Vec<&str> {
    let mut passwords = Vec::new();
    for (at, separator) in value.match_indices("://") {
        let authority = value[at + separator.len()..]
            .split(|c: char| matches!(c, '/' | '?' | '#' | '"' | '\'') || c.is_whitespace())
            .next()
            .unwrap_or_default();
        // A list of URLs: the next one's scheme is not this one's password.
        let authority = match authority.rsplit_once(',') {
            Some((first, scheme)) if scheme.ends_with(':') => first,
            _ => authority,
        };
        passwords.extend(password_of(authority));
    }
    for transport in ["@tcp(", "@unix("] {
        if let Some((userinfo, _)) = value.split_once(transport)
            && let Some((_, password)) = userinfo.split_once(':')
        {
            passwords.push(password);
        }
    }
    passwords
}

fn password_of(authority: &str) -> Option<&str> {
    let (userinfo, _) = authority.rsplit_once('@')?;
    let (_, password) = userinfo.split_once(':')?;
    Some(password)
}

/// `p@ss` for `p%40ss`. Malformed escapes stay.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let decoded = match (first, behind) {
            (b'%', [high, low, ..]) => hex_digit(*high).zip(hex_digit(*low)),
            _ => None,
        };
        if let Some((high, low)) = decoded {
            bytes.push(high << 4 | low);
            rest = &behind[2..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| digit.try_into().ok())
}

/// `name=value` pairs inside a value, as connection strings, URL queries and JVM options have them.
fn settings(value: &str) -> impl Iterator<Item = (&str, &str)> {
    value
        .split(|c: char| matches!(c, ';' | '&' | '?') || c.is_whitespace())
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name, value.trim_matches(['"', '\''])))
}
