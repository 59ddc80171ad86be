//! Names that suggest a secret, and texts without secrets.

use proptest::prelude::*;
use seatrial_model::secret::{HIDDEN, Redactor, is_secret_name};

#[test]
fn names_that_suggest_a_secret() {
    for name in [
        "PASSWORD",
        "password",
        "MARIADB_ROOT_PASSWORD",
        "PGPASSWORD",
        "POSTGRES_PASSWORD",
        "MYSQL_PWD",
        "DB_PASS",
        "DBPASS",
        "SMTP_PW",
        "ROOT_PASSWD",
        "SSH_PASSPHRASE",
        "SECRET",
        "CLIENT_SECRET",
        "CLIENTSECRET",
        "SECRET_KEY_BASE",
        "APP_SECRETS",
        "TOKEN",
        "GITHUB_TOKEN",
        "ACCESSTOKEN",
        "TOKEN_GITHUB",
        "API_TOKENS",
        "JWT_SECRET_1",
        "API_KEY",
        "APIKEY",
        "apiKey",
        "x-api-key",
        "KEY",
        "ENCRYPTION_KEYS",
        "SIGNING_KEY_V2",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "TLS_KEY_BASE64",
        "PRIVATE_KEY",
        "REDIS_AUTH",
        "BASIC_AUTH",
        "SENTRY_DSN",
        "MAIL_CREDS",
        "GOOGLE_CREDENTIALS",
        "spring.datasource.password",
        "dbPassword",
        "kafka-sasl-password",
    ] {
        assert!(is_secret_name(name), "{name}");
    }
}

#[test]
fn ordinary_names() {
    for name in [
        "",
        "_",
        "MARIADB_DATABASE",
        "POSTGRES_USER",
        "PATH",
        "PWD",
        "OLDPWD",
        "HOME",
        "LANG",
        "MONKEY",
        "KEYBOARD",
        "KEYSPACE",
        "KEYCLOAK_URL",
        "HOCKEY",
        "TURKEY",
        "AUTHOR",
        "AUTH_URL",
        "AUTH_HOST",
        "AUTHORITY",
        "OAUTH_ISSUER",
        "COMPASS",
        "BYPASS",
        "PASSENGER",
        "PASSIVE_MODE",
        "TOKENIZER",
        "MAX_TOKENS",
        "TOKEN_TTL",
        "TOKEN_EXPIRATION",
        "SECRETARY",
        "SPAWN",
        "DSNAME",
        "CACHE_KEY_PREFIX",
        "KEY_COUNT",
        "PRIMARY_KEY",
        "PARTITION_KEY",
        "JWT_PUBLIC_KEY",
        "DB_PASSWORD_FILE",
        "PASSWORD_MIN_LENGTH",
        "POSTGRES_HOST_AUTH_METHOD",
        "SSL_KEY_PATH",
        "DATABASE_URL",
        "JAVA_OPTS",
        "\u{e9}",
        "1",
        "ID",
    ] {
        assert!(!is_secret_name(name), "{name}");
    }
}

fn redacted(variables: &[(&str, &str)], text: &str) -> String {
    Redactor::new(variables.iter().copied()).redact(text)
}

#[test]
fn secrets_are_hidden_wherever_they_stand() {
    for (variables, text, expected) in [
        (
            &[("PASSWORD", "sea")][..],
            "ping -psea; seaside",
            "ping -p[hidden]; seaside",
        ),
        (&[("PASSWORD", "sea")], "nothing", "nothing"),
        (&[("PASSWORD", "sea")], "", ""),
        (&[], "sea", "sea"),
        (&[("PASSWORD", "")], "sea", "sea"),
        (&[("ALLOW_EMPTY_PASSWORD", "Yes")], "Yes, yes", "Yes, yes"),
        (&[("PASSWORD", "a")], "a bad day", "a bad day"),
        // One in another, overlapping, touching, repeated.
        (
            &[("PASSWORD", "sea1"), ("TOKEN", "sea1shell")],
            "sea1shell sea1",
            "[hidden] [hidden]",
        ),
        (
            &[("PASSWORD", "ab12"), ("TOKEN", "b12d")],
            "xab12dx",
            "x[hidden]x",
        ),
        (
            &[("PASSWORD", "a1a1")],
            "a1a1a1 ba1a1",
            "[hidden] b[hidden]",
        ),
        (
            &[("PASSWORD", "ab12"), ("TOKEN", "cd34")],
            "ab12cd34",
            "[hidden]",
        ),
        // Not ASCII.
        (
            &[("PASSWORD", "m\u{fc}sli\u{1f433}")],
            "\u{e9}m\u{fc}sli\u{1f433}\u{e9}",
            "\u{e9}[hidden]\u{e9}",
        ),
        // Spaces around it, escapes, lines.
        (&[("PASSWORD", " salty \n")], "is salty", "is [hidden]"),
        (
            &[("PASSWORD", "a\"b'c\\")],
            "{\"p\": \"a\\\"b'c\\\\\"}",
            "{\"p\": \"[hidden]\"}",
        ),
        (
            &[("PRIVATE_KEY", "-----\r\nMIIE\r\nabc\r\n")],
            "< MIIE > abc -----",
            "< [hidden] > abc [hidden]",
        ),
        (
            &[("PRIVATE_KEY", "line one\nline two")],
            "line one\nline two",
            "[hidden]",
        ),
        (
            &[("PRIVATE_KEY", "line one\nline two")],
            "line one\\nline two",
            "[hidden]",
        ),
    ] {
        assert_eq!(redacted(variables, text), expected, "{variables:?}");
    }
}

#[test]
fn a_value_that_looks_like_a_word_is_hidden_as_a_word() {
    for (value, text, expected) in [
        // Inside other words it is a part of them.
        (
            "port",
            "ports, export, port_1, PORT",
            "ports, export, port_1, PORT",
        ),
        ("sea", "seatrial.toml", "seatrial.toml"),
        ("postgres", "the postgresql server", "the postgresql server"),
        ("123", "after 1234 ms", "after 1234 ms"),
        ("12345", "of 1123456 bytes", "of 1123456 bytes"),
        // By itself it is hidden, whatever stands around it.
        ("port", "port", "[hidden]"),
        ("postgres", "user=postgres;", "user=[hidden];"),
        ("postgres", "\"postgres\"", "\"[hidden]\""),
        ("postgres", "//ann:postgres@db", "//ann:[hidden]@db"),
        ("12345", "code 12345.", "code [hidden]."),
        ("a!", "aa! a!a", "aa! [hidden]a"),
        // With a short option before it, but not with what only looks like one.
        (
            "sea",
            "-psea (-psea) --psea x-psea",
            "-p[hidden] (-p[hidden]) --psea x-psea",
        ),
        // Behind what ends in a letter or digit and is none.
        (
            "sea",
            "as\\nsea, as%20sea, as\\x1bsea",
            "as\\n[hidden], as%20[hidden], as\\x1b[hidden]",
        ),
        (
            "sea",
            "\u{1b}[31msea\u{1b}[0m",
            "\u{1b}[31m[hidden]\u{1b}[0m",
        ),
        ("sea", "as\\u001bsea", "as\\u001b[hidden]"),
        // One letter more, or a digit among them, and it is like no word.
        ("correcthorses", "xcorrecthorsesx", "x[hidden]x"),
        ("postgr3s", "xpostgr3sx", "x[hidden]x"),
        ("123456", "x123456x", "x[hidden]x"),
        ("a-b!", "xa-b!x", "x[hidden]x"),
    ] {
        assert_eq!(redacted(&[("PASSWORD", value)], text), expected, "{value}");
    }
}

#[test]
fn passwords_inside_values_are_hidden() {
    for (value, secret) in [
        ("mysql://root:salt@db/shop", "salt"),
        ("mysql://root:salt@db:3306", "salt"),
        ("redis://:salt@cache", "salt"),
        ("amqp://a:b@h1,amqp://c:salt@h2/v", "salt"),
        ("amqp://a:salt@h1,amqp://c:d@h2/v", "salt"),
        ("mongodb://root:salt@m1:27017,m2:27017/shop", "salt"),
        ("postgres://u:s@lt@db/x", "s@lt"),
        ("postgres://u:s%40lt@db/x", "s%40lt"),
        ("postgres://u:s%40lt@db/x", "s@lt"),
        ("connect to 'http://u:salt@h' now", "salt"),
        ("root:salt@tcp(db:3306)/shop", "salt"),
        ("host=db user=root password=salt dbname=shop", "salt"),
        ("Server=db;Uid=root;Pwd=salt;Database=shop", "salt"),
        ("jdbc:mysql://db/shop?user=root&password=salt", "salt"),
        ("-Xmx1g -Dspring.datasource.password='salt'", "salt"),
    ] {
        let text = format!("before {secret} behind");
        assert_eq!(
            redacted(&[("VALUE", value)], &text),
            "before [hidden] behind",
            "{value}"
        );
    }
    for value in [
        "https://example.com:8080/path?email=a:salt@example.com",
        "http://salt:8080/a@b",
        "redis://salt@cache",
        "salt=1 keys=salt",
        "a:salt@b",
        "://:@salt",
        "salt%",
    ] {
        assert_eq!(redacted(&[("VALUE", value)], "salt"), "salt", "{value}");
    }
}

#[test]
fn a_merged_redactor_hides_both() {
    let mut redactor = Redactor::new([("PASSWORD", "salt")]);
    redactor.merge(&Redactor::new([("PASSWORD", "pepper")]));
    redactor.merge(&redactor.clone());
    assert_eq!(redactor.redact("salt and pepper"), "[hidden] and [hidden]");
    let debug = format!("{redactor:?}");
    assert!(
        !debug.contains("salt") && !debug.contains("pepper"),
        "{debug}"
    );
}

proptest! {
    // Few letters, so that secrets meet; none of those in `HIDDEN`, so that its own are not taken for them. A digit, so that
    // none is like a word.
    #[test]
    fn no_secret_is_left(
        secrets in proptest::collection::vec("1[ab1\u{e9}\u{1f433}]{2,3}[ab\u{e9}\u{1f433}]", 0..5),
        text in "[ab1\u{e9}\u{1f433} ]{0,24}",
    ) {
        let redactor = Redactor::new(secrets.iter().map(|secret| ("PASSWORD", secret.as_str())));
        let out = redactor.redact(&text);
        for secret in &secrets {
            prop_assert!(!out.contains(secret.as_str()), "{} is in {}", secret, out);
        }
        prop_assert_eq!(redactor.redact(&out), out.clone());
        // What is shown was there, in that order.
        let mut rest = text.as_str();
        for shown in out.split(HIDDEN) {
            let at = rest.find(shown);
            prop_assert!(at.is_some(), "{} is not in {}", shown, text);
            rest = &rest[at.unwrap() + shown.len()..];
        }
    }

    #[test]
    fn a_text_without_secrets_stays(name in "\\PC{0,12}", text in "\\PC{0,24}") {
        let redactor = Redactor::new([(name.as_str(), "\u{0}\u{0}")]);
        prop_assert_eq!(redactor.redact(&text), text);
    }

    #[test]
    fn any_variable_and_text_are_taken(
        name in "[A-Za-z_.]{0,12}|\\PC{0,8}",
        value in "[a-z:/@%?=&;, \n\u{e9}]{0,24}|\\PC{0,24}",
        text in "\\PC{0,24}",
    ) {
        let redactor = Redactor::new([(name.as_str(), value.as_str())]);
        let out = redactor.redact(&format!("{text}{value}"));
        let shown = value.trim();
        let hides = is_secret_name(&name)
            && shown.chars().count() > 12
            && !HIDDEN.contains(shown);
        prop_assert!(!hides || !out.contains(shown), "{:?} is in {:?}", shown, out);
    }
}
