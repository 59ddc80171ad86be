//! Reading keyed arguments by a table. A table is the only place where an attribute's keys are named, so that what is
//! read, what is suggested and what is documented in a message cannot differ.

use std::collections::HashMap;

use proc_macro2::Span;
use seatrial_model::suggest;
use syn::ext::IdentExt;

use super::arguments::{Argument, Name, Value};
use super::habits::Habit;
use super::values;
use crate::message;
use crate::report::Report;

/// A key of an attribute.
pub(crate) struct Key<T> {
    pub(crate) name: &'static str,
    /// What to write, for a message.
    pub(crate) form: &'static str,
    /// What it is called elsewhere, or what belongs inside it.
    pub(crate) also: &'static [&'static str],
    /// Whether it may be given several times.
    pub(crate) repeats: bool,
    /// Whether variables of the environment may stand in its text.
    pub(crate) reads_variables: bool,
    /// Whether a message may offer it. One that is not offered is read to be refused.
    pub(crate) offered: bool,
    /// Reads one. `None` where the argument's shape is wrong and nothing has been recorded about it.
    pub(crate) read: fn(&mut T, &Argument, &mut Report) -> Option<()>,
}

impl<T> Key<T> {
    pub(crate) const fn once(
        name: &'static str,
        form: &'static str,
        read: fn(&mut T, &Argument, &mut Report) -> Option<()>,
    ) -> Self {
        Self {
            name,
            form,
            also: &[],
            repeats: false,
            reads_variables: false,
            offered: true,
            read,
        }
    }

    pub(crate) const fn known_as(self, also: &'static [&'static str]) -> Self {
        Self { also, ..self }
    }

    /// One that a later version has.
    pub(crate) const fn not_yet(self) -> Self {
        Self {
            offered: false,
            ..self
        }
    }

    /// One that stands in another attribute.
    pub(crate) const fn elsewhere(self) -> Self {
        Self {
            offered: false,
            ..self
        }
    }

    pub(crate) const fn with_variables(self) -> Self {
        Self {
            reads_variables: true,
            ..self
        }
    }

    pub(crate) const fn repeating(self) -> Self {
        Self {
            repeats: true,
            ..self
        }
    }
}

/// The keys of an attribute.
pub(crate) struct Table<T: 'static> {
    /// The attribute as messages name it.
    pub(crate) place: &'static str,
    pub(crate) keys: &'static [Key<T>],
    pub(crate) habits: &'static [Habit],
}

impl<T> Table<T> {
    /// What to say about a key that there is not, and which key may have been meant.
    fn unknown(&self, name: &str) -> (String, Option<&'static str>) {
        let place = self.place;
        if let Some(habit) = self.habits.iter().find(|habit| habit.names.contains(&name)) {
            let message = if habit.planned {
                message::unsupported(format!("`{name}`"), habit.instead)
            } else {
                message::unknown_key(name, place, habit.instead)
            };
            return (message, habit.meant);
        }
        if let Some(key) = self.keys.iter().find(|key| key.also.contains(&name)) {
            let instead = format!("write `{}` instead", key.form);
            return (message::unknown_key(name, place, &instead), Some(key.name));
        }
        let names = self.offered();
        let message = message::unknown("key", name, &format!("in {place}"), &names);
        (message, suggest::nearest(name, names))
    }

    fn offered(&self) -> Vec<&'static str> {
        let offered = self.keys.iter().filter(|key| key.offered);
        offered.map(|key| key.name).collect()
    }
}

/// Which keys were given.
#[derive(Default)]
pub(crate) struct Given {
    spans: HashMap<&'static str, Span>,
    /// Keys that may have been meant by something unreadable.
    troubled: Vec<&'static str>,
    /// Something stands there that is no key, and is not close to one.
    unrecognized: bool,
}

impl Given {
    /// Where `key` was given.
    pub(crate) fn span(&self, key: &str) -> Option<Span> {
        self.spans.get(key).copied()
    }

    /// Whether a mistake that is in the report may be why `key` is absent.
    pub(crate) fn is_troubled(&self, key: &str) -> bool {
        self.troubled.contains(&key)
    }

    /// Whether a mistake that is in the report may be why any key is absent.
    pub(crate) fn has_unrecognized(&self) -> bool {
        self.unrecognized
    }

    /// Whether nothing was misread: what is absent was not given.
    pub(crate) fn is_whole(&self) -> bool {
        self.troubled.is_empty() && !self.unrecognized
    }

    /// Refuses each modifier that is given without the key it belongs to. A rule is the modifier, that key, and what to
    /// write.
    pub(crate) fn check_modifiers(&self, rules: &[(&str, &str, &str)], report: &mut Report) {
        for &(modifier, key, form) in rules {
            if let (Some(span), None) = (self.span(modifier), self.span(key))
                && !self.is_troubled(key)
            {
                report.error(span, message::lone_modifier(modifier, key, form));
            }
        }
    }
}

/// Reads `arguments` into `target`.
pub(crate) fn read<T>(
    target: &mut T,
    arguments: &[Argument],
    table: &Table<T>,
    report: &mut Report,
) -> Given {
    let mut given = Given::default();
    for argument in arguments {
        let Name::Word(word) = &argument.name else {
            let form = table.keys.first().map_or("key = value", |key| key.form);
            report.error(
                argument.span(),
                format!(
                    "expected a key in {}, found a value; write one such as `{form}`",
                    table.place
                ),
            );
            given.unrecognized = true;
            continue;
        };
        let name = word.unraw().to_string();
        let Some(key) = table.keys.iter().find(|key| key.name == name) else {
            let (message, meant) = table.unknown(&name);
            report.error(word.span(), message);
            match meant {
                Some(key) => given.troubled.push(key),
                None => given.unrecognized = true,
            }
            continue;
        };
        if given.spans.insert(key.name, word.span()).is_some() && !key.repeats {
            report.error(word.span(), message::duplicate("key", &name));
            continue;
        }
        if matches!(argument.value, Value::Unreadable) {
            given.troubled.push(key.name);
        } else if (key.read)(target, argument, report).is_none() {
            let what = format!("`{name}`");
            refuse(argument, what, key.form, key.reads_variables, report);
        }
    }
    given
}

/// Keys whose entries have texts in which variables of the environment may stand.
const OF_TEXTS: [&str; 2] = ["env", "files"];

/// Records that an argument has the wrong shape.
fn refuse(
    argument: &Argument,
    what: String,
    form: &str,
    reads_variables: bool,
    report: &mut Report,
) {
    let is_computed = argument.is().is_some_and(values::is_computed);
    let message = match (is_computed, reads_variables) {
        (true, true) => message::not_literal_text(what, form),
        (true, false) => message::not_literal(what, form),
        (false, _) => message::malformed(what, form),
    };
    report.error(argument.value_span(), message);
}

/// Reads each entry of `key(..)`. `None` where the argument has no parentheses.
pub(crate) fn each(
    argument: &Argument,
    form: &str,
    report: &mut Report,
    mut read: impl FnMut(&Argument, &mut Report) -> Option<()>,
) -> Option<()> {
    for entry in argument.list()? {
        let unreadable = matches!(entry.value, Value::Unreadable);
        if !unreadable && read(entry, report).is_none() {
            let place = argument.key().unwrap_or_default();
            let what = format!("entry in `{place}(..)`");
            refuse(entry, what, form, OF_TEXTS.contains(&&*place), report);
        }
    }
    Some(())
}
