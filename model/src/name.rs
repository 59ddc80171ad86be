//! Names: of services on the network, of environment variables.

/// The host name of the service that `field` declares: lower case, `_` written as `-`, without `r#`.
///
/// Not every field gives a valid one: [`is_host_name`] and [`is_reserved`] say.
///
/// ```
/// assert_eq!(seatrial_model::name::host_name("user_db"), "user-db");
/// assert_eq!(seatrial_model::name::host_name("r#type"), "type");
/// ```
pub fn host_name(field: &str) -> String {
    field
        .strip_prefix("r#")
        .unwrap_or(field)
        .to_lowercase()
        .replace('_', "-")
        .trim_matches('-')
        .to_owned()
}

/// Whether `name` can be a host name of one label: letters, digits and inner hyphens, at most 63 of them (RFC 1123), not
/// digits alone, which resolvers read as an address.
///
/// ```
/// use seatrial_model::name::is_host_name;
///
/// assert!(is_host_name("user-db"));
/// assert!(!is_host_name("user_db"));
/// assert!(!is_host_name("10"));
/// ```
pub fn is_host_name(name: &str) -> bool {
    is_label(name) && !name.bytes().all(|b| b.is_ascii_digit())
}

/// Whether `name` can be a host name of one or more labels: `api`, `api.example.com`.
///
/// ```
/// use seatrial_model::name::is_domain_name;
///
/// assert!(is_domain_name("api.example.com"));
/// assert!(!is_domain_name("10.0.0.1"));
/// assert!(!is_domain_name("api..com"));
/// ```
pub fn is_domain_name(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(is_label)
        && name.rsplit('.').next().is_some_and(is_host_name)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Whether `name` already means something in every container, or in every placeholder, so that no service can have it.
///
/// ```
/// assert!(seatrial_model::name::is_reserved("localhost"));
/// ```
pub fn is_reserved(name: &str) -> bool {
    matches!(
        name,
        "localhost" | "host-gateway" | "ip6-localhost" | "ip6-loopback" | "source" | "self"
    )
}

/// Whether `name` can be an environment variable's: anything printable but `=` and spaces, not beginning with a digit.
///
/// ```
/// use seatrial_model::name::is_env_name;
///
/// assert!(is_env_name("MARIADB_DATABASE"));
/// assert!(is_env_name("spring.datasource.url"));
/// assert!(!is_env_name("A=B"));
/// ```
pub fn is_env_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_graphic() && b != b'=')
}
