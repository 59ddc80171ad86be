//! Command lines: one text, split into an executable and its arguments.

use std::fmt;

/// Splits `text` as a shell would split words, without being one: quotes and backslashes group, nothing expands.
///
/// # Errors
///
/// A quote that is not closed, or no word at all.
pub fn split(text: &str) -> Result<Vec<String>, CommandError> {
    match shlex::split(text) {
        Some(words) if !words.is_empty() => Ok(words),
        Some(_) => Err(CommandError::Empty),
        None => Err(CommandError::Unclosed(text.to_owned())),
    }
}

/// The words to run for a command given as one text: the words themselves where they need no shell, else
/// `/bin/sh -c text`. So `pg_isready -U sea` works in an image without a shell, and `a && b` works too.
///
/// # Errors
///
/// As [`split`].
pub fn words_or_shell(text: &str) -> Result<Vec<String>, CommandError> {
    let words = split(text)?;
    if needs_shell(text) {
        return Ok(vec!["/bin/sh".to_owned(), "-c".to_owned(), text.to_owned()]);
    }
    Ok(words)
}

/// Whether anything outside single quotes means something to a shell that plain words do not.
fn needs_shell(text: &str) -> bool {
    let mut single = false;
    let mut double = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if !single => {
                chars.next();
            }
            '\'' if !double => single = !single,
            '"' if !single => double = !double,
            '$' | '`' if !single => return true,
            '|' | '&' | ';' | '<' | '>' | '(' | ')' | '*' | '?' | '[' | '#' | '~' | '\n'
                if !single && !double =>
            {
                return true;
            }
            _ => {}
        }
    }
    // `NAME=value command`
    text.split_whitespace()
        .next()
        .is_some_and(|first| first.contains('=') && !first.contains('/'))
}

/// Text that is no command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// There is no word in it.
    Empty,
    /// A quote is not closed.
    Unclosed(String),
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => {
                f.write_str("the command is empty; write an executable and its arguments")
            }
            Self::Unclosed(text) => {
                write!(
                    f,
                    "a quote in `{text}` is not closed; close it, or write a list of words"
                )
            }
        }
    }
}

impl std::error::Error for CommandError {}
