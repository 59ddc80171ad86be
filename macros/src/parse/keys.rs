//! Reading keyed arguments by a table. The table is the only place that names an attribute's keys, so that parsing,
//! suggestions and messages cannot differ. Must not know what a key means.

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
    /// Its form in messages, which write it between backticks. Two forms are written as "a` or `b".
    pub(crate) form: &'static str,
    /// Names of the same thing in other tools.
    pub(crate) aliases: &'static [&'static str],
    /// Whether it may be given several times.
    pub(crate) repeats: bool,
    /// Whether its text may have variables of the environment.
    pub(crate) reads_variables: bool,
    /// Whether a message may suggest it. Other keys are read only to be refused.
    pub(crate) offered: bool,
    /// Reads the argument. `None` if its shape is wrong and the report has no error about it yet.
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
            aliases: &[],
            repeats: false,
            reads_variables: false,
            offered: true,
            read,
        }
    }

    pub(crate) const fn known_as(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// A key of a later version.
    pub(crate) const fn planned(self) -> Self {
        Self {
            offered: false,
            ..self
        }
    }

    /// A key of another attribute.
    pub(crate) const fn misplaced(self) -> Self {
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

/// The shortest name of another tool that a typo is compared with. Shorter ones are near to too many words.
const SHORTEST_FOREIGN: usize = 5;

impl<T> Table<T> {
    /// The message about an unknown key, and the key that it may stand for.
    fn unknown(&self, name: &str, argument: &Argument) -> (String, Option<&'static str>) {
        if let Some(answer) = self.foreign(name, name, argument) {
            return answer;
        }
        let names = self.offered();
        let of_habits = self.habits.iter().flat_map(|habit| habit.names);
        let of_keys = self.keys.iter().flat_map(|key| key.aliases);
        let foreign = of_keys.chain(of_habits).copied();
        // If a key is as near as a name of another tool, it comes first.
        let all = names
            .iter()
            .copied()
            .chain(foreign)
            .filter(|known| names.contains(known) || known.len() >= SHORTEST_FOREIGN);
        let nearest = suggest::nearest(name, all);
        if let Some(answer) = nearest.and_then(|near| self.foreign(name, near, argument)) {
            return answer;
        }
        let message = message::unknown("key", name, &format!("in {}", self.place), &names);
        (message, nearest)
    }

    /// The same, of the key `name` that stands for `known`, a name of another tool.
    fn foreign(
        &self,
        name: &str,
        known: &str,
        argument: &Argument,
    ) -> Option<(String, Option<&'static str>)> {
        if let Some(habit) = self
            .habits
            .iter()
            .find(|habit| habit.names.contains(&known))
        {
            let message = if habit.planned {
                message::unsupported(format!("`{known}`"), habit.instead)
            } else {
                message::unknown_key(name, self.place, habit.instead)
            };
            return Some((message, habit.meant));
        }
        let key = self.keys.iter().find(|key| key.aliases.contains(&known))?;
        let own = argument.written_as(key.name, key.form);
        let instead = format!("write `{}` instead", own.as_deref().unwrap_or(key.form));
        let message = message::unknown_key(name, self.place, &instead);
        Some((message, Some(key.name)))
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
    /// Keys that a malformed argument may stand for.
    misread: Vec<&'static str>,
    /// An argument is not a key, nor close to one.
    unrecognized: bool,
}

impl Given {
    /// The span of `key`, if it was given.
    pub(crate) fn span(&self, key: &str) -> Option<Span> {
        self.spans.get(key).copied()
    }

    /// Whether an error in the report may explain that `key` is absent.
    pub(crate) fn may_be_misread(&self, key: &str) -> bool {
        self.misread.contains(&key)
    }

    /// Whether an error in the report may explain that any key is absent.
    pub(crate) fn has_unrecognized(&self) -> bool {
        self.unrecognized
    }

    /// Whether every argument was read, so that an absent key was not given.
    pub(crate) fn is_complete(&self) -> bool {
        self.misread.is_empty() && !self.unrecognized
    }

    /// Refuses each modifier that is given without its key. A rule is the modifier, the key, and the form to write.
    pub(crate) fn check_modifiers(&self, rules: &[(&str, &str, &str)], report: &mut Report) {
        for &(modifier, key, form) in rules {
            if let (Some(span), None) = (self.span(modifier), self.span(key))
                && !self.may_be_misread(key)
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
            let (message, meant) = table.unknown(&name, argument);
            report.error(word.span(), message);
            match meant {
                Some(key) => given.misread.push(key),
                None => given.unrecognized = true,
            }
            continue;
        };
        if given.spans.insert(key.name, word.span()).is_some() && !key.repeats {
            report.error(word.span(), message::duplicate("key", &name));
            continue;
        }
        if matches!(argument.value, Value::Unreadable) {
            given.misread.push(key.name);
        } else if (key.read)(target, argument, report).is_none() {
            let what = format!("`{name}`");
            refuse(argument, what, key.form, key.reads_variables, report);
        }
    }
    given
}

/// Keys whose entries may have variables of the environment.
const OF_TEXTS: [&str; 3] = ["args", "env", "files"];

/// Records an error about an argument's shape.
fn refuse(
    argument: &Argument,
    what: String,
    form: &str,
    reads_variables: bool,
    report: &mut Report,
) {
    let is_computed = argument.expr().is_some_and(values::is_computed);
    let message = match (is_computed, reads_variables) {
        (true, true) => message::not_literal_text(what, form),
        (true, false) => message::not_literal(what, form),
        (false, _) => message::malformed(what, form),
    };
    report.error(argument.value_span(), message);
}

/// Reads each entry of `key(..)`. `None` if the argument has no parentheses.
pub(crate) fn read_entries(
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
