//! Messages that several rules share. One grammar for all: what is wrong, then what to write instead.

use std::fmt::Display;

use seatrial_model::suggest;

/// A name that none of `known` is.
pub(crate) fn unknown(kind: &str, name: &str, place: &str, known: &[&str]) -> String {
    let suggestion = suggest::nearest(name, known.iter().copied());
    format!(
        "no {kind} of {place} is named `{name}`; {}",
        suggest::did_you_mean(suggestion, known)
    )
}

/// A key that there is not, of which it is known what to do instead.
pub(crate) fn not_a_key(name: &str, place: &str, instead: &str) -> String {
    format!("no key of {place} is named `{name}`; {instead}")
}

/// Something given more than once.
pub(crate) fn doubled(what: impl Display) -> String {
    format!("{what} is given twice; remove one of them")
}

/// A value of the wrong shape.
pub(crate) fn malformed(what: impl Display, form: &str) -> String {
    format!("{what} is malformed; write `{form}`")
}

/// A word that is written as text.
pub(crate) fn quoted(word: impl Display) -> String {
    format!("`\"{word}\"` is text; write it without quotes: `{word}`")
}

/// A value that only the compiler could work out, after the macro.
pub(crate) fn not_literal(what: impl Display, form: &str) -> String {
    format!("{what} is read before constants and macros have values; write it out: `{form}`")
}

/// The same of a text in which variables may stand, by which something outside of the source has its say.
pub(crate) fn not_literal_text(what: impl Display, form: &str) -> String {
    format!(
        "{}, with `{{$NAME:-default}}` for what an environment variable says when the tests run",
        not_literal(what, form)
    )
}

/// Something that a later version has.
pub(crate) fn not_yet(what: impl Display, instead: &str) -> String {
    format!("{what} is not there yet; {instead}")
}

/// A modifier without what it modifies.
pub(crate) fn stands_alone(modifier: &str, kind: &str, form: &str) -> String {
    format!("`{modifier}` is only valid with `{kind}`; write `{form}`, or remove it")
}
