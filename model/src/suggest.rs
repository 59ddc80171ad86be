//! "Did you mean": the known name nearest to an unknown one.

/// The known name nearest to `wanted`, if one is near enough. Case does not matter, and `-` equals `_`.
///
/// ```
/// use seatrial_model::suggest::nearest;
///
/// assert_eq!(nearest("cahce", ["db", "cache"]), Some("cache"));
/// assert_eq!(nearest("queue", ["db", "cache"]), None);
/// ```
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |name: &str| name.to_lowercase().replace('-', "_");
    let wanted = plain(wanted);
    known
        .into_iter()
        .map(|name| (name, plain(name)))
        .filter_map(|(name, known)| {
            let distance = strsim::damerau_levenshtein(&wanted, &known);
            let longer = wanted.chars().count().max(known.chars().count());
            // A third of the letters may differ, but not all of them.
            (distance <= (longer / 3).max(1) && distance < longer || distance == 0)
                .then_some((distance, name))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The second half of a message about an unknown name: what to write instead.
///
/// ```
/// use seatrial_model::suggest::did_you_mean;
///
/// assert_eq!(did_you_mean(Some("cache"), &["db", "cache"]), "did you mean `cache`?");
/// assert_eq!(did_you_mean(None, &["db", "cache"]), "write one of `db` or `cache`");
/// ```
pub fn did_you_mean<S: AsRef<str>>(suggestion: Option<&str>, known: &[S]) -> String {
    match suggestion {
        Some(suggestion) => format!("did you mean `{suggestion}`?"),
        None if known.is_empty() => "remove it".to_owned(),
        None if known.len() == 1 => format!("write `{}`", known[0].as_ref()),
        None => format!(
            "write one of {}",
            alternatives(known.iter().map(AsRef::as_ref))
        ),
    }
}

/// `` `a`, `b` or `c` ``
///
/// ```
/// let names = seatrial_model::suggest::alternatives(["a", "b", "c"].into_iter());
/// assert_eq!(names, "`a`, `b` or `c`");
/// ```
pub fn alternatives<S: std::fmt::Display>(names: impl Iterator<Item = S>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}
