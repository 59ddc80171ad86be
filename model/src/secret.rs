//! What must not be printed: recognising secrets among environment variables, and hiding their values.
//!
//! A secret is hidden wherever its value stands, also inside a word, and even where that makes a log line harder to
//! read: a password given as `-psea` is one still.

mod name;

pub use name::is_secret_name;

/// What is printed in a secret's place.
pub const HIDDEN: &str = "[hidden]";

/// Hides secret values in text that comes from outside: log lines, commands, an engine's words.
///
/// ```
/// use seatrial_model::secret::Redactor;
///
/// let redactor = Redactor::new([
///     ("DB_PASSWORD", "sea"),
///     ("CACHE_URL", "redis://:salt@cache:6379"),
/// ]);
/// assert_eq!(redactor.redact("ping -psea failed"), "ping -p[hidden] failed");
/// assert_eq!(redactor.redact("AUTH salt"), "AUTH [hidden]");
/// ```
#[derive(Clone, Default)]
pub struct Redactor {
    /// Each once, none empty.
    values: Vec<String>,
}

impl Redactor {
    /// Values that say "on" or "off" rather than being secrets: `ALLOW_EMPTY_PASSWORD=yes`.
    const HARMLESS: [&'static str; 8] = ["yes", "no", "true", "false", "on", "off", "none", "null"];
    /// Shortest line of a secret of several lines that is hidden where it stands alone.
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

    /// Adds what is secret of one more variable.
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

    /// A single character is no secret: to hide it would take every other word apart, and show it.
    fn insert(&mut self, value: &str) {
        let harmless = value.chars().nth(1).is_none()
            || Self::HARMLESS
                .iter()
                .any(|word| value.eq_ignore_ascii_case(word));
        if !harmless && !self.values.iter().any(|known| known == value) {
            self.values.push(value.to_owned());
        }
    }

    /// `text` without the secrets; what several overlapping ones cover is hidden as one.
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

    /// Where the secrets stand in `text`, in order, those that touch or overlap as one.
    fn secrets_in(&self, text: &str) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        for value in &self.values {
            let first = value.chars().next().map_or(1, char::len_utf8);
            let mut from = 0;
            while let Some(at) = text[from..].find(value.as_str()) {
                found.push((from + at, from + at + value.len()));
                // Not behind the whole of it: `aa` stands in `aaa` twice.
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

/// Never shows what it hides.
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

/// `p@ss` for `p%40ss`; what is not well-formed stays.
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
