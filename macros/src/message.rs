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

/// A name that is known from elsewhere, or stands outside of what it belongs in.
pub(crate) fn known_as(name: &str, place: &str, form: &str) -> String {
    format!("no key of {place} is named `{name}`; write `{form}` instead")
}

/// Something given more than once.
pub(crate) fn doubled(what: impl Display) -> String {
    format!("{what} is given twice; remove one of them")
}

/// A value of the wrong shape.
pub(crate) fn malformed(what: impl Display, form: &str) -> String {
    format!("{what} is malformed; write `{form}`")
}

/// Something that a later version has.
pub(crate) fn not_yet(what: impl Display, instead: &str) -> String {
    format!("{what} is not there yet; {instead}")
}

/// A modifier without what it modifies.
pub(crate) fn stands_alone(modifier: &str, kind: &str, form: &str) -> String {
    format!("`{modifier}` is only valid with `{kind}`; write `{form}`, or remove it")
}
