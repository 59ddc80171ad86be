//! What must not be printed: recognising secrets among environment variables, and hiding their values.

/// What is printed in a secret's place.
pub const HIDDEN: &str = "[hidden]";

/// Whether a variable's name suggests that its value is a secret.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let parts: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    const ANYWHERE: [&str; 8] = [
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "SECRET",
        "TOKEN",
        "CREDENTIAL",
        "APIKEY",
        "PRIVATEKEY",
    ];
    const PARTS: [&str; 7] = ["PASS", "PWD", "PW", "KEY", "AUTH", "CREDS", "DSN"];
    ANYWHERE.iter().any(|word| name.contains(word)) || parts.iter().any(|part| PARTS.contains(part))
}

/// Hides secret values in text that comes from outside: log lines, commands, an engine's words.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Longest first, so that no secret is cut short by one it contains.
    values: Vec<String>,
}

impl Redactor {
    /// Values that say "on" or "off" rather than being secrets: `ALLOW_EMPTY_PASSWORD=yes`.
    const HARMLESS: [&'static str; 9] = ["", "0", "1", "yes", "no", "true", "false", "on", "off"];

    /// A redactor for the secrets among these variables: values whose names suggest it, and passwords in URLs.
    pub fn new<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut redactor = Self::default();
        for (name, value) in variables {
            redactor.add(name, value);
        }
        redactor
    }

    /// Adds what is secret of one more variable.
    pub fn add(&mut self, name: &str, value: &str) {
        if is_secret_name(name) {
            self.hide(value);
        }
        if let Some(password) = url_password(value) {
            self.hide(password);
        }
    }

    /// Adds another redactor's secrets.
    pub fn merge(&mut self, other: &Self) {
        for value in &other.values {
            self.hide(value);
        }
    }

    fn hide(&mut self, value: &str) {
        let harmless = Self::HARMLESS
            .iter()
            .any(|word| value.eq_ignore_ascii_case(word));
        if !harmless && !self.values.iter().any(|known| known == value) {
            self.values.push(value.to_owned());
            self.values
                .sort_by_key(|value| std::cmp::Reverse(value.len()));
        }
    }

    /// `text` without the secrets.
    pub fn redact(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some(value) = self
                .values
                .iter()
                .find(|value| rest.starts_with(value.as_str()))
            {
                out.push_str(HIDDEN);
                rest = &rest[value.len()..];
            } else {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
        out
    }
}

/// Never shows what it hides.
impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} secrets)", self.values.len())
    }
}

/// `sea` in `mysql://root:sea@db/shop`.
fn url_password(value: &str) -> Option<&str> {
    let (_, rest) = value.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (userinfo, _) = authority.rsplit_once('@')?;
    let (_, password) = userinfo.split_once(':')?;
    (!password.is_empty()).then_some(password)
}
