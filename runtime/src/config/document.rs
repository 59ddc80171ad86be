//! The file as a tree of values with their places. Owns its syntax, its types and its key names. Must not know what a value means.

use std::path::{Path, PathBuf};

use seatrial_model::message::unknown;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistakes::{Mistakes, Place};

/// The file's text. Empty if there is no file.
pub(super) fn read(path: &Path, mistakes: &mut Mistakes) -> String {
    let file_place = Place::File {
        path: path.to_owned(),
        line: 0,
        column: 0,
    };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return String::new(),
        Err(error) => {
            mistakes.add(
                &file_place,
                format!("cannot be read ({error}); make it a file that this user may read"),
            );
            return String::new();
        }
    };
    String::from_utf8(bytes).unwrap_or_else(|_| {
        mistakes.add(&file_place, "is not UTF-8; save it as UTF-8");
        String::new()
    })
}

/// A parsed file.
pub(super) struct Document<'a> {
    path: PathBuf,
    text: &'a str,
    root: DeTable<'a>,
}

/// A table of the file.
#[derive(Clone, Copy)]
pub(super) struct Section<'a> {
    document: &'a Document<'a>,
    /// Dotted, empty for the root.
    name: &'a str,
    table: Option<&'a DeTable<'a>>,
}

/// A value of the file.
#[derive(Clone)]
pub(super) struct Entry<'a> {
    document: &'a Document<'a>,
    /// The key as written in the file, without the keys of the tables around it.
    pub(super) key: &'a str,
    pub(super) key_place: Place,
    pub(super) place: Place,
    value: &'a DeValue<'a>,
}

impl<'a> Document<'a> {
    /// Parses the text. Mistakes of syntax are noted; the document has everything that could be parsed in spite of them.
    pub(super) fn parse(path: &Path, text: &'a str, mistakes: &mut Mistakes) -> Self {
        let (root, errors) = DeTable::parse_recoverable(text);
        let document = Self {
            path: path.to_owned(),
            text,
            root: root.into_inner(),
        };
        for error in errors {
            let place = document.place(error.span().map_or(0, |span| span.start));
            let message = format!("not TOML: {}; write `key = value`", error.message());
            match place {
                // One typing error can cause several errors of the parser on a line.
                Place::File { line, .. } if mistakes.on_line(line) => {}
                _ => mistakes.add(&place, message),
            }
        }
        document
    }

    pub(super) fn root(&'a self) -> Section<'a> {
        Section {
            document: self,
            name: "",
            table: Some(&self.root),
        }
    }

    fn place(&self, offset: usize) -> Place {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Place::File {
            path: self.path.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

impl<'a> Section<'a> {
    /// Whether the file has this table.
    pub(super) fn is_table(&self) -> bool {
        self.table.is_some()
    }

    /// Notes each key that is not among `known`.
    pub(super) fn expect_only(&self, known: &[&str], mistakes: &mut Mistakes) {
        for entry in self.entries() {
            if !known.contains(&entry.key) {
                let within = match self.name {
                    "" => String::new(),
                    name => format!("in `[{name}]`"),
                };
                entry.note_unless_garbled(unknown("key", entry.key, &within, known), mistakes);
            }
        }
    }

    /// Every key with its value.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        let document = self.document;
        self.table
            .into_iter()
            .flatten()
            .map(move |(key, value)| Entry::new(document, key, value))
    }

    /// The value of a key, if the section has the key.
    pub(super) fn get(&self, key: &str) -> Option<Entry<'a>> {
        self.entries().find(|entry| entry.key == key)
    }

    /// The table of that key. Empty if the key is missing, or if its value is not a table, which is noted.
    pub(super) fn section(&self, key: &'a str, mistakes: &mut Mistakes) -> Section<'a> {
        match self.get(key) {
            Some(entry) => entry.section(key, mistakes),
            None => Section {
                document: self.document,
                name: key,
                table: None,
            },
        }
    }
}

impl<'a> Entry<'a> {
    fn new(
        document: &'a Document<'a>,
        key: &'a Spanned<std::borrow::Cow<'a, str>>,
        value: &'a Spanned<DeValue<'a>>,
    ) -> Self {
        Self {
            document,
            key: key.get_ref(),
            key_place: document.place(key.span().start),
            place: document.place(value.span().start),
            value: value.get_ref(),
        }
    }

    /// The value as a string. If it is not one, the mistake is noted, with `example` as what to write.
    pub(super) fn text(&self, example: &str, mistakes: &mut Mistakes) -> Option<&'a str> {
        let text = self.value.as_str();
        self.expect(text, "a string", example, mistakes)
    }

    /// The value as a number, like [`Entry::text`].
    pub(super) fn number(&self, example: &str, mistakes: &mut Mistakes) -> Option<usize> {
        let number = self.value.as_integer().and_then(|number| {
            usize::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()
        });
        self.expect(number, "a number from 0 upwards", example, mistakes)
    }

    /// The value as a boolean, like [`Entry::text`].
    pub(super) fn flag(&self, example: &str, mistakes: &mut Mistakes) -> Option<bool> {
        let flag = self.value.as_bool();
        self.expect(flag, "`true` or `false`", example, mistakes)
    }

    /// The value as one string or an array of strings, like [`Entry::text`].
    pub(super) fn texts(&self, example: &str, mistakes: &mut Mistakes) -> Option<Vec<&'a str>> {
        let texts = match self.value.as_array() {
            Some(array) => array.iter().map(|value| value.get_ref().as_str()).collect(),
            None => self.value.as_str().map(|text| vec![text]),
        };
        self.expect(texts, "a string or an array of strings", example, mistakes)
    }

    /// The value as a table: the section of the given name.
    pub(super) fn section(&self, name: &'a str, mistakes: &mut Mistakes) -> Section<'a> {
        let table = self.value.as_table();
        Section {
            document: self.document,
            name,
            table: self.expect(table, "a table", &format!("[{name}]"), mistakes),
        }
    }

    fn expect<T>(
        &self,
        value: Option<T>,
        wanted: &str,
        example: &str,
        mistakes: &mut Mistakes,
    ) -> Option<T> {
        if value.is_none() {
            let (key, found) = (self.key, self.value.type_str());
            self.note_unless_garbled(
                format!(
                    "invalid type of `{key}`: expected {wanted}, found {found}; write `{example}`"
                ),
                mistakes,
            );
        }
        value
    }

    /// Notes a mistake, unless the same line has a mistake of syntax, of which it may be a consequence.
    fn note_unless_garbled(&self, message: String, mistakes: &mut Mistakes) {
        let garbled = match self.key_place {
            Place::File { line, .. } => mistakes.0.iter().any(|mistake| {
                mistake.message.starts_with("not TOML")
                    && matches!(mistake.place, Place::File { line: other, .. } if other == line)
            }),
            Place::Variable(_) => false,
        };
        if !garbled {
            mistakes.add(&self.key_place, message);
        }
    }
}
