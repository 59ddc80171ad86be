//! Names: of services on the network, of environment variables.

/// The host name of the service that `field` declares: lower case, `_` written as `-`, without `r#`.
///
/// It may be invalid or reserved: see [`is_host_name`] and [`is_reserved`].
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

/// Whether `name` is a valid host name of one label: at most 63 letters, digits and inner hyphens (RFC 1123), and not a
/// number, decimal or hexadecimal, which resolvers read as an address.
///
/// ```
/// use seatrial_model::name::is_host_name;
///
/// assert!(is_host_name("user-db"));
/// assert!(!is_host_name("user_db"));
/// assert!(!is_host_name("10"));
/// assert!(!is_host_name("0x7f000001"));
/// ```
pub fn is_host_name(name: &str) -> bool {
    is_label(name) && !is_number(name)
}

/// Whether `name` is a valid host name of one or more labels: `api`, `api.example.com`.
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

/// Whether C libraries read `label` as a number of an address (`inet_aton`).
fn is_number(label: &str) -> bool {
    let hexadecimal = label
        .strip_prefix("0x")
        .or_else(|| label.strip_prefix("0X"));
    match hexadecimal {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_hexdigit()),
        None => label.bytes().all(|b| b.is_ascii_digit()),
    }
}

/// Whether every container resolves the host name `name` by itself, so that no service can have it. Engines write these
/// names into `/etc/hosts` first.
///
/// ```
/// assert!(seatrial_model::name::is_reserved("localhost"));
/// assert!(!seatrial_model::name::is_reserved("local"));
/// ```
pub fn is_reserved(name: &str) -> bool {
    const RESERVED: [&str; 8] = [
        "localhost",
        "localhost.localdomain",
        "ip6-localhost",
        "ip6-loopback",
        "ip6-localnet",
        "ip6-mcastprefix",
        "ip6-allnodes",
        "ip6-allrouters",
    ];
    RESERVED
        .iter()
        .any(|reserved| name.eq_ignore_ascii_case(reserved))
}

/// Whether `name` is a valid name of an environment variable: printable ASCII without `=` and spaces, not beginning with a
/// digit.
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
