//! "Did you mean": the nearest of the names that exist.

/// The known name nearest to `wanted`, if one is near enough to be what was meant.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    known
        .into_iter()
        .map(|name| {
            (
                strsim::damerau_levenshtein(&wanted, &name.to_lowercase()),
                name,
            )
        })
        .filter(|(distance, name)| {
            *distance <= wanted.chars().count().max(name.chars().count()).div_ceil(3)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The second half of a message about an unknown name: what to write instead.
pub fn did_you_mean<S: AsRef<str>>(suggestion: Option<&str>, known: &[S]) -> String {
    match suggestion {
        Some(suggestion) => format!("did you mean `{suggestion}`?"),
        None if known.is_empty() => "there is none to name".to_owned(),
        None => format!(
            "write one of {}",
            alternatives(known.iter().map(AsRef::as_ref))
        ),
    }
}

/// `` `a`, `b` or `c` ``
pub fn alternatives<S: std::fmt::Display>(names: impl Iterator<Item = S>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}
