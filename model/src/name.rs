//! Names: of services on the network, of environment variables.

/// The host name of the service that `field` declares: lower case, `_` written as `-`, without `r#`.
pub fn host_name(field: &str) -> String {
    field
        .trim_start_matches("r#")
        .to_lowercase()
        .replace('_', "-")
        .trim_matches('-')
        .to_owned()
}

/// Whether `name` can be a host name: letters, digits and inner hyphens, at most 63 of them (RFC 1123).
pub fn is_host_name(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && !name.starts_with('-')
        && !name.ends_with('-')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Whether `name` can be an environment variable's: anything printable but `=` and spaces, not beginning with a digit.
pub fn is_env_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_graphic() && b != b'=')
}
