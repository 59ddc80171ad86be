//! Messages that several rules share, beside those of [`seatrial_model::message`]. One grammar for all: what is wrong,
//! then what to write instead. Must not know what a rule looks at.

use std::fmt::Display;

pub(crate) use seatrial_model::message::{invalid, undeclared, unknown};

/// A key that `place` does not have, with what to write instead.
pub(crate) fn unknown_key(name: &str, place: &str, instead: &str) -> String {
    format!("unknown key `{name}` in {place}; {instead}")
}

/// A word that is not among the values of `key`.
pub(crate) fn unknown_value(name: &str, key: &str, known: &[&str]) -> String {
    unknown("value", name, &format!("for `{key}`"), known)
}

/// Something given more than once.
pub(crate) fn duplicate(kind: &str, name: impl Display) -> String {
    format!("duplicate {kind} `{name}`; remove one of them")
}

/// An attribute given more than once, whose keys belong together.
pub(crate) fn duplicate_attribute(attribute: &str) -> String {
    format!("duplicate attribute `{attribute}`; write all keys in one")
}

/// A piece of syntax of the wrong shape.
pub(crate) fn malformed(what: impl Display, form: &str) -> String {
    format!("invalid {what}: expected `{form}`")
}

/// A string in the place of a word.
pub(crate) fn quoted_word(word: impl Display) -> String {
    format!("expected a word, found the string `\"{word}\"`; remove the quotes: `{word}`")
}

/// A string in the place of a number.
pub(crate) fn quoted_number(number: impl Display) -> String {
    format!("expected a number, found the string `\"{number}\"`; remove the quotes: `{number}`")
}

/// A value that the compiler evaluates only after the macro.
pub(crate) fn not_literal(what: impl Display, form: &str) -> String {
    format!(
        "{what} must be a literal, as the macro reads it before constants and macros are evaluated; write `{form}`"
    )
}

/// The same of a text in which variables of the environment are supported.
pub(crate) fn not_literal_text(what: impl Display, form: &str) -> String {
    format!(
        "{}, with `{{$NAME:-default}}` for the value of an environment variable",
        not_literal(what, form)
    )
}

/// A feature of a later version.
pub(crate) fn unsupported(what: impl Display, instead: &str) -> String {
    format!("{what} is not supported yet; {instead}")
}

/// Something in a place where it has no effect.
pub(crate) fn misplaced(what: &str, place: &str, instead: &str) -> String {
    format!("`{what}` is only valid on {place}; {instead}")
}

/// A modifier without the key that it modifies.
pub(crate) fn lone_modifier(modifier: &str, key: &str, form: &str) -> String {
    format!("`{modifier}` is only valid with `{key}`; write `{form}`, or remove it")
}

/// A service that names itself.
pub(crate) fn needs_itself(service: &str) -> String {
    format!("`{service}` cannot depend on itself; remove it from `needs(..)`")
}
