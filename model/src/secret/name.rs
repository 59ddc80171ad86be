//! Names that suggest a secret.
//!
//! With too few of them, a password is printed. With too many, ordinary values (a host, a number, a path) are hidden in
//! every log line. So a name is split into words: `DB_PASSWORD`, `dbPassword` and `spring.db.password` alike.

/// Whether a variable's name suggests that its value is a secret.
///
/// ```
/// use seatrial_model::secret::is_secret_name;
///
/// assert!(is_secret_name("MARIADB_ROOT_PASSWORD"));
/// assert!(is_secret_name("apiKey"));
/// assert!(!is_secret_name("MONKEY"));
/// assert!(!is_secret_name("DB_PASSWORD_FILE"));
/// ```
pub fn is_secret_name(name: &str) -> bool {
    let words = words(name);
    if is_about_a_secret(&words) || matches!(name, "PWD" | "OLDPWD") {
        return false;
    }
    words.iter().any(|word| is_strong(word)) || ends_weakly(&words)
}

/// Whether a setting's name inside another value is a secret's. Only unambiguous words count there.
pub(super) fn is_surely_secret(name: &str) -> bool {
    let words = words(name);
    !is_about_a_secret(&words) && words.iter().any(|word| is_strong(word) || word == "PWD")
}

/// The words of a name, upper case, split at punctuation and before the capitals of camel case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in name.chars() {
        let begins = !c.is_ascii_alphanumeric() || (after_lower && c.is_ascii_uppercase());
        if begins {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(c.to_ascii_uppercase());
        }
        after_lower = c.is_ascii_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether the name is that of a secret's place, lifetime or check: `DB_PASSWORD_FILE`, `TOKEN_TTL`, `MAX_TOKENS`.
fn is_about_a_secret(words: &[String]) -> bool {
    const LAST: [&str; 21] = [
        "FILE",
        "PATH",
        "DIR",
        "TTL",
        "EXPIRY",
        "EXPIRES",
        "EXPIRATION",
        "LIFETIME",
        "TIMEOUT",
        "LENGTH",
        "SIZE",
        "COUNT",
        "LIMIT",
        "ENABLED",
        "DISABLED",
        "POLICY",
        "METHOD",
        "TYPE",
        "ALGORITHM",
        "PREFIX",
        "HEADER",
    ];
    words
        .last()
        .is_some_and(|word| LAST.contains(&word.as_str()))
        || words
            .first()
            .is_some_and(|word| matches!(word.as_str(), "MAX" | "MIN" | "NUM"))
}

/// Whether the word makes any name a secret's, also as a part of a longer word: `PGPASSWORD`, `CLIENTSECRET`.
fn is_strong(word: &str) -> bool {
    const INSIDE: [&str; 5] = [
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "CREDENTIAL",
        "SECRETKEY",
    ];
    const END: [&str; 8] = [
        "SECRET",
        "SECRETS",
        "TOKEN",
        "TOKENS",
        "APIKEY",
        "APIKEYS",
        "PRIVATEKEY",
        "ACCESSKEY",
    ];
    INSIDE.iter().any(|strong| word.contains(strong))
        || END.iter().any(|strong| word.ends_with(strong))
}

/// Whether the name ends with a word that counts only there: `DB_PASS`, `APP_KEY`, but not `AUTH_URL`, `KEY_PREFIX`.
fn ends_weakly(words: &[String]) -> bool {
    const ORDINARY_PASS: [&str; 4] = ["COMPASS", "BYPASS", "OVERPASS", "TRESPASS"];
    // Numbers and similar words after it do not matter: `AWS_ACCESS_KEY_ID`, `KEY_1`, `KEY_BASE64`.
    let end = words
        .iter()
        .rposition(|word| {
            let numbered = word.strip_prefix('V').unwrap_or(word);
            !matches!(word.as_str(), "ID" | "BASE64" | "HEX" | "B64")
                && !numbered.bytes().all(|b| b.is_ascii_digit())
        })
        .map_or(0, |last| last + 1);
    let Some((last, before)) = words[..end].split_last() else {
        return false;
    };
    match last.as_str() {
        "KEY" | "KEYS" => !before.last().is_some_and(|word| {
            matches!(
                word.as_str(),
                "PUBLIC" | "PRIMARY" | "FOREIGN" | "SORT" | "PARTITION"
            )
        }),
        "PW" | "ROOTPW" | "AUTH" | "CREDS" | "DSN" => true,
        word => word.ends_with("PWD") || word.ends_with("PASS") && !ORDINARY_PASS.contains(&word),
    }
}
