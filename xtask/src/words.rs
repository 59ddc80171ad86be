//! The house's words: wordings that messages, comments and identifiers must not have, each with what to write instead.
//!
//! Owns the wordings and the lists of what is searched. Reads sources as text and as tokens. Must not compile them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::workspace;

/// Folders of sources whose messages and comments are searched.
const SOURCES: [&str; 8] = [
    "macros/src",
    "model/src",
    "runtime/src",
    "xtask/src",
    "examples",
    "tests",
    "fuzz",
    "benchmarks",
];

/// Those whose identifiers are searched, too. Tests have other words for what only they do.
const NAMES: [&str; 4] = ["macros/src", "model/src", "runtime/src", "examples"];

/// Folders of texts, with the endings of their names.
const TEXTS: [(&str, &str); 3] = [
    ("tests/ui", "messages"),
    ("macros/docs", "md"),
    ("examples", "md"),
];

/// Texts in the root.
const PAGES: [&str; 4] = [
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "docs/start.md",
];

/// A wording and what to write instead.
struct Wording {
    /// Words in a row; `*` is any word.
    words: &'static str,
    /// Wordings that match, but are fine.
    except: &'static [&'static str],
    instead: &'static str,
}

const fn wording(words: &'static str, instead: &'static str) -> Wording {
    Wording {
        words,
        except: &[],
        instead,
    }
}

/// Of messages and texts.
const OF_MESSAGES: [Wording; 17] = [
    Wording {
        words: "* is no *",
        except: &["there is no *", "* is no longer"],
        instead: "invalid .. `x`: expected ..",
    },
    Wording {
        words: "* is none",
        except: &["there is none"],
        instead: "`x` is not a valid ..",
    },
    wording("are none", "`x` is not a valid .."),
    wording("no key of", "unknown key `x` in `..`"),
    wording("not there yet", "is not supported yet"),
    wording("in a circle", "dependency cycle: a -> b -> a"),
    wording("several things", "specify exactly one of `a`, `b`"),
    wording("belong to what", "expected `,`"),
    wording("could not be had", "cannot obtain .."),
    wording("cannot be had", "cannot obtain .."),
    wording("come to grief", "has panicked"),
    wording("comes to grief", "panics"),
    wording("nothing says", "name what is missing"),
    wording("nothing stands", "expected .."),
    wording("is given twice", "duplicate key `x`"),
    wording("has no meaning", "unknown .. `x`"),
    wording("no time at all", "must be greater than zero"),
];

/// Of comments and documentation.
const OF_COMMENTS: [Wording; 10] = [
    Wording {
        words: "* is no *",
        except: &["there is no *", "* is no longer"],
        instead: "is not a ..",
    },
    Wording {
        words: "* is none",
        except: &["there is none"],
        instead: "is not one",
    },
    wording("not there yet", "is not supported yet, does not exist yet"),
    wording("in a circle", "a cycle"),
    wording("be had", "obtain"),
    wording("come to grief", "panic"),
    wording("comes to grief", "panics"),
    wording("has its say", "decides"),
    wording("is blamed", "the error is attributed to .."),
    wording("patience", "grace period, or deadline"),
];

/// Of identifiers, each a single word.
const OF_IDENTIFIERS: [Wording; 12] = [
    wording("Trouble", "BringUpError"),
    wording("Gate", "Dependency"),
    wording("Presence", "TaskGuard"),
    wording("Whose", "ErrorContext"),
    wording("blame", "attach"),
    wording("ONE_WISH", "SIGNAL_DEBOUNCE"),
    wording("FAREWELL", "ABORT_GRACE"),
    wording("PATIENCE", "DEADLINE"),
    wording("patience", "grace_period"),
    wording("told", "timings, or what it is"),
    wording("whole", "run_to_completion, or what it does"),
    wording("Leavings", "Cleanup"),
];

/// A word and its line.
type Word = (usize, String);

#[test]
fn no_message_has_a_wording_that_is_out() -> Result<()> {
    let mut found = String::new();
    for folder in SOURCES {
        for path in files(folder, "rs")? {
            if !is_test(&path) && !path.ends_with(file!()) {
                search_source(&path, &read(&path)?, &mut found)?;
            }
        }
    }
    for (folder, extension) in TEXTS {
        for path in files(folder, extension)? {
            search(&path, &words(&read(&path)?, 1), &OF_MESSAGES, &mut found);
        }
    }
    for page in PAGES.map(Path::new) {
        search(page, &words(&read(page)?, 1), &OF_MESSAGES, &mut found);
    }
    ensure!(found.is_empty(), "wordings that are out:\n{found}");
    Ok(())
}

#[test]
fn a_wording_is_found_where_it_stands() -> Result<()> {
    let source = r#"
        //! A name that is
        //! no name.
        /// There is no name.
        fn told() {
            error(format!("`{text}` is no port; \
                write one"));
            "the name is no longer there";
            "it is\nno port";
            // "x" is none.
        }
        #[on_unimplemented(message = "`{Self}` is no service")]
        trait Service {}
        #[cfg(test)]
        mod tests {
            const OUT: &str = "it is no port";
        }
    "#;
    let mut found = String::new();
    search_source(Path::new("examples/source.rs"), source, &mut found)?;
    let places: Vec<&str> = found
        .lines()
        .filter_map(|line| line.split_once(": instead").map(|(place, _)| place))
        .collect();
    assert_eq!(
        places,
        [
            "examples/source.rs:2: `that is no name`",
            "examples/source.rs:10: `x is none`",
            "examples/source.rs:5: `told`",
            "examples/source.rs:6: `text is no port`",
            "examples/source.rs:9: `it is no port`",
            "examples/source.rs:12: `Self is no service`",
        ],
        "{found}"
    );
    Ok(())
}

#[test]
fn every_wording_can_be_found() {
    for wording in OF_MESSAGES.iter().chain(&OF_COMMENTS) {
        let mut found = String::new();
        let text = wording.words.replace('*', "thing");
        let list = std::slice::from_ref(wording);
        search(Path::new("a"), &words(&text, 1), list, &mut found);
        assert!(found.contains(wording.instead), "{text}");
        for except in wording.except {
            let mut found = String::new();
            let text = except.replace('*', "thing");
            search(Path::new("a"), &words(&text, 1), list, &mut found);
            assert_eq!(found, "", "{text}");
        }
    }
}

/// Searches the comments, string literals and identifiers of a source, apart from its test modules.
fn search_source(path: &Path, source: &str, found: &mut String) -> Result<()> {
    search(path, &comments(source), &OF_COMMENTS, found);
    let tokens: TokenStream = source
        .parse()
        .ok()
        .with_context(|| format!("{} cannot be parsed", path.display()))?;
    search_tokens(path, tokens, found);
    Ok(())
}

fn search_tokens(path: &Path, tokens: TokenStream, found: &mut String) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '#' => {
                let inner = |token: &TokenTree| matches!(token, TokenTree::Punct(mark) if mark.as_char() == '!');
                tokens.next_if(inner);
                let attribute = tokens.next_if(is_attribute);
                match attribute.as_ref().map(ToString::to_string) {
                    Some(text) if text.starts_with("[doc ") => {}
                    Some(text) if text == "[cfg(test)]" || text == "[cfg (test)]" => {
                        // The item ends with its body or its semicolon.
                        let _ = tokens.by_ref().find(ends_item);
                    }
                    _ => search_tokens(path, attribute.into_iter().collect(), found),
                }
            }
            TokenTree::Group(group) => search_tokens(path, group.stream(), found),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                if text.ends_with(['"', '#']) {
                    let line = literal.span().start().line;
                    search(path, &words(&text, line), &OF_MESSAGES, found);
                }
            }
            TokenTree::Ident(ident) if NAMES.iter().any(|folder| path.starts_with(folder)) => {
                let word = (ident.span().start().line, ident.to_string());
                search(path, &[word], &OF_IDENTIFIERS, found);
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

fn is_attribute(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket)
}

fn ends_item(token: &TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(mark) => mark.as_char() == ';',
        _ => false,
    }
}

/// Notes each place in `text` that has one of the wordings.
fn search(path: &Path, text: &[Word], wordings: &[Wording], found: &mut String) {
    for at in 0..text.len() {
        let rest = &text[at..];
        for wording in wordings {
            let count = wording.words.split(' ').count();
            let begins = |words: &str| begins_with(rest, words);
            if begins(wording.words) && !wording.except.iter().any(|except| begins(except)) {
                let written: Vec<&str> = rest[..count].iter().map(|(_, word)| &**word).collect();
                let _ = writeln!(
                    found,
                    "{}:{}: `{}`: instead: {}",
                    path.display(),
                    rest[0].0,
                    written.join(" "),
                    wording.instead
                );
            }
        }
    }
}

fn begins_with(text: &[Word], words: &str) -> bool {
    let mut text = text.iter();
    words.split(' ').all(|wanted| {
        text.next().is_some_and(|(_, word)| {
            wanted == "*" || word == wanted || word.to_lowercase() == wanted
        })
    })
}

/// The words of a text that begins at `line`. Of a literal, escapes separate words.
fn words(text: &str, line: usize) -> Vec<Word> {
    let lines = text.lines().zip(line..);
    let words = lines.flat_map(|(text, line)| {
        let text = text.replace("\\n", " ").replace("\\t", " ");
        let words = text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '\''));
        let words = words.filter(|word| !word.is_empty());
        words
            .map(|word| (line, word.to_owned()))
            .collect::<Vec<_>>()
    });
    words.collect()
}

/// The words of the comments that have lines of their own.
fn comments(source: &str) -> Vec<Word> {
    let lines = source.lines().zip(1..);
    let comments = lines.filter_map(|(text, line)| {
        let comment = text.trim_start().strip_prefix("//")?;
        Some(words(comment, line))
    });
    comments.flatten().collect()
}

/// Whether a file of a crate's sources has only tests. Users never see their messages.
fn is_test(path: &Path) -> bool {
    path.iter()
        .skip_while(|part| *part != "src")
        .any(|part| part == "tests" || part == "tests.rs")
}

/// The files below a folder of the workspace with this ending, in order, relative to the root.
fn files(folder: &str, extension: &str) -> Result<Vec<PathBuf>> {
    let root = workspace::root();
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == extension) {
                found.push(path.strip_prefix(&root)?.to_owned());
            }
        }
    }
    ensure!(!found.is_empty(), "no file in {folder}");
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<String> {
    let path = workspace::root().join(path);
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}
