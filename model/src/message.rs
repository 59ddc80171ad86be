//! Messages that several grammars share, so that equal mistakes read alike: what is wrong, then what to write.
//!
//! Owns the forms alone; each grammar owns its reasons. Must not know who shows a message.

use std::fmt::Display;

use crate::suggest;

/// A value that its grammar refuses, and why.
///
/// ```
/// use seatrial_model::message::invalid;
///
/// assert_eq!(
///     invalid("port", "x", "expected a number from 1 to 65535"),
///     "invalid port `x`: expected a number from 1 to 65535"
/// );
/// ```
pub fn invalid(kind: &str, value: impl Display, reason: impl Display) -> String {
    format!("invalid {kind} `{value}`: {reason}")
}

/// A name that is not among the `known` ones. `place` says where it is unknown, such as `` in `ready(..)` ``, or is empty.
///
/// ```
/// use seatrial_model::message::unknown;
///
/// assert_eq!(
///     unknown("key", "htp", "in `ready(..)`", &["tcp", "http"]),
///     "unknown key `htp` in `ready(..)`; did you mean `http`?"
/// );
/// assert_eq!(
///     unknown("value", "soon", "for `pull`", &["always", "never"]),
///     "unknown value `soon` for `pull`; write one of `always` or `never`"
/// );
/// ```
pub fn unknown<S: AsRef<str>>(kind: &str, name: &str, place: &str, known: &[S]) -> String {
    let separator = if place.is_empty() { "" } else { " " };
    let nearest = suggest::nearest(name, known.iter().map(AsRef::as_ref));
    let instead = suggest::did_you_mean(nearest, known);
    format!("unknown {kind} `{name}`{separator}{place}; {instead}")
}

/// A name that is not among those that the user declares. Unlike the keys and values of [`unknown`], more can be declared.
///
/// ```
/// use seatrial_model::message::undeclared;
///
/// assert_eq!(
///     undeclared("service", "bd", "", "declare it", &["db"]),
///     "unknown service `bd`; did you mean `db`?"
/// );
/// assert_eq!(
///     undeclared("service", "queue", "", "declare it", &["db", "cache"]),
///     "unknown service `queue`; declare it, or write a declared one: `db` or `cache`"
/// );
/// ```
pub fn undeclared<S: AsRef<str>>(
    kind: &str,
    name: &str,
    place: &str,
    declare: &str,
    declared: &[S],
) -> String {
    let known = || declared.iter().map(AsRef::as_ref);
    let separator = if place.is_empty() { "" } else { " " };
    let instead = match suggest::nearest(name, known()) {
        None if !declared.is_empty() => format!(
            "{declare}, or write a declared one: {}",
            suggest::alternatives(known())
        ),
        None => declare.to_owned(),
        nearest => suggest::did_you_mean(nearest, declared),
    };
    format!("unknown {kind} `{name}`{separator}{place}; {instead}")
}
