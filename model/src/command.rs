//! Command lines: one text, split into an executable and its arguments.

use std::fmt;

/// Splits `text` into words as a shell does: quotes and backslashes group, a word that begins with `#` begins a comment, a
/// backslash at the end of a line continues it. Nothing expands.
///
/// ```
/// let words = seatrial_model::command::split("redis-server --requirepass 'a b'").unwrap();
/// assert_eq!(words, ["redis-server", "--requirepass", "a b"]);
/// ```
///
/// # Errors
///
/// A quote that is not closed, a backslash with nothing behind it, or no word at all.
pub fn split(text: &str) -> Result<Vec<String>, CommandError> {
    let joined = join_lines(text);
    match shlex::split(&joined) {
        Some(words) if !words.is_empty() => Ok(words),
        Some(_) => Err(CommandError::Empty),
        // The backslash is the mistake only if the text is valid without it.
        None if joined
            .strip_suffix('\\')
            .is_some_and(|text| shlex::split(text).is_some()) =>
        {
            Err(CommandError::Backslash(text.to_owned()))
        }
        None => Err(CommandError::Unclosed(text.to_owned())),
    }
}

/// The words to run for a command in one text: the words themselves if they need no shell, else `/bin/sh -c text`. So `pg_isready -U sea` works in an image without a shell, and `a && b` works too.
///
/// ```
/// use seatrial_model::command::words_or_shell;
///
/// assert_eq!(words_or_shell("pg_isready -U sea").unwrap(), ["pg_isready", "-U", "sea"]);
/// assert_eq!(words_or_shell("a && b").unwrap(), ["/bin/sh", "-c", "a && b"]);
/// ```
///
/// # Errors
///
/// As [`split`].
pub fn words_or_shell(text: &str) -> Result<Vec<String>, CommandError> {
    let words = split(text)?;
    if needs_shell(&join_lines(text)) || words.first().is_some_and(|word| is_builtin(word)) {
        return Ok(vec!["/bin/sh".to_owned(), "-c".to_owned(), text.to_owned()]);
    }
    Ok(words)
}

/// The text without backslashes that end a line, and without those line ends: where a word may begin, `shlex` reads them as
/// an empty word.
fn join_lines(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    let (mut single, mut double, mut comment) = (false, false, false);
    let mut word_begins = true;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let quoted = single || double;
        match c {
            '\n' if comment => comment = false,
            _ if comment => {}
            '\\' if !single => match chars.next() {
                Some('\n') => continue,
                next => {
                    joined.push(c);
                    joined.extend(next);
                    word_begins = false;
                    continue;
                }
            },
            '\'' if !double => single = !single,
            '"' if !single => double = !double,
            '#' if word_begins && !quoted => comment = true,
            _ => {}
        }
        joined.push(c);
        word_begins = matches!(c, ' ' | '\t' | '\n') && !quoted;
    }
    joined
}

/// Whether `text` has syntax of a shell.
fn needs_shell(text: &str) -> bool {
    let text = text.trim();
    let mut single = false;
    let mut double = false;
    let mut word_begins = true;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let quoted = single || double;
        match c {
            '\\' if !single => {
                chars.next();
            }
            // `{{` is a literal brace, `{$NAME}` a placeholder, which has its value before a shell reads it.
            '{' if chars.next_if_eq(&'{').is_some() => {}
            '{' if chars.peek() == Some(&'$') => {
                let _ = chars.by_ref().find(|c| *c == '}');
            }
            '\'' if !double => single = !single,
            '"' if !single => double = !double,
            '$' | '`' if !single => return true,
            '|' | '&' | ';' | '<' | '>' | '(' | ')' | '*' | '?' | '[' | '\n' if !quoted => {
                return true;
            }
            '#' | '~' if word_begins && !quoted => return true,
            _ => {}
        }
        word_begins = c.is_whitespace() && !quoted;
    }
    // `NAME=value command`
    text.split_once('=').is_some_and(|(name, _)| {
        !name.starts_with(|c: char| c.is_ascii_digit())
            && !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

/// Whether the first word is a keyword or built-in of a shell, rather than an executable.
fn is_builtin(word: &str) -> bool {
    matches!(
        word,
        "!" | "{"
            | "."
            | ":"
            | "case"
            | "cd"
            | "command"
            | "eval"
            | "exec"
            | "exit"
            | "export"
            | "for"
            | "if"
            | "read"
            | "set"
            | "source"
            | "trap"
            | "type"
            | "ulimit"
            | "umask"
            | "unset"
            | "until"
            | "wait"
            | "while"
    )
}

/// Text that is not a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// It has no word.
    Empty,
    /// A quote is not closed.
    Unclosed(String),
    /// It ends with a backslash.
    Backslash(String),
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("empty command: expected an executable and its arguments"),
            Self::Unclosed(text) => write!(
                f,
                "unclosed quote in `{text}`; close it, or write a list of words"
            ),
            Self::Backslash(text) => write!(
                f,
                "trailing backslash in `{text}`; remove it, or write `\\\\` for a literal one"
            ),
        }
    }
}

impl std::error::Error for CommandError {}
