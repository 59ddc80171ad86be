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
/// assert_eq!(unknown("service", "queue", "", &["db"]), "unknown service `queue`; write `db`");
/// ```
pub fn unknown<S: AsRef<str>>(kind: &str, name: &str, place: &str, known: &[S]) -> String {
    let separator = if place.is_empty() { "" } else { " " };
    let nearest = suggest::nearest(name, known.iter().map(AsRef::as_ref));
    let instead = suggest::did_you_mean(nearest, known);
    format!("unknown {kind} `{name}`{separator}{place}; {instead}")
}
