//! The small grammars: durations, sizes, command lines, names, suggestions.

use std::time::Duration;

use proptest::prelude::*;
use seatrial_model::command::{split, words_or_shell};
use seatrial_model::suggest::{alternatives, did_you_mean, nearest};
use seatrial_model::{duration, name, size};

#[test]
fn durations() {
    for (text, expected) in [
        ("30s", Duration::from_secs(30)),
        ("500ms", Duration::from_millis(500)),
        ("2h", Duration::from_secs(7_200)),
        ("1d12h", Duration::from_secs(129_600)),
        ("1h2m3s4ms5us", Duration::from_micros(3_723_004_005)),
        ("1h1ms", Duration::from_micros(3_600_001_000)),
        ("0s", Duration::ZERO),
        (" 2m ", Duration::from_secs(120)),
        ("18446744073709551615us", Duration::from_micros(u64::MAX)),
    ] {
        assert_eq!(duration::parse(text), Ok(expected), "{text}");
    }
    for (text, reason) in [
        ("", "expected a number and a unit"),
        ("s", "expected a number and a unit"),
        ("-1s", "expected a number and a unit"),
        ("+1s", "expected a number and a unit"),
        ("1w", "expected a number and a unit"),
        ("1S", "expected a number and a unit"),
        ("1m 30s", "expected a number and a unit"),
        ("1\u{b5}s", "expected a number and a unit"),
        ("\u{664}s", "expected a number and a unit"),
        ("30", "write \"30s\" for seconds"),
        ("1m30", "missing unit"),
        ("1.5s", "whole numbers of smaller units"),
        ("1,5s", "whole numbers of smaller units"),
        ("30s1m", "largest first"),
        ("12h1d", "largest first"),
        ("1s1s", "each once"),
        ("18446744073709551616us", "too long"),
        ("9999999999h", "too long"),
        ("18446744073709551615s", "too long"),
    ] {
        let message = duration::parse(text).expect_err(text).to_string();
        assert!(message.contains(reason), "{text}: {message}");
    }
}

#[test]
fn sizes() {
    for (text, expected) in [
        ("0", 0),
        ("17", 17),
        ("17b", 17),
        ("1k", 1 << 10),
        ("1kb", 1 << 10),
        ("1KiB", 1 << 10),
        ("64m", 64 << 20),
        ("64 MB", 64 << 20),
        (" 2G ", 2 << 30),
        ("3TiB", 3 << 40),
        ("9223372036854775807", i64::MAX as u64),
    ] {
        assert_eq!(size::parse(text), Ok(expected), "{text}");
    }
    for (text, reason) in [
        ("", "expected a number and a unit"),
        ("m", "expected a number and a unit"),
        ("-1m", "expected a number and a unit"),
        ("1x", "expected a number and a unit"),
        ("1mm", "expected a number and a unit"),
        ("1bb", "expected a number and a unit"),
        ("0x10", "expected a number and a unit"),
        ("1.5g", "whole number of a smaller unit"),
        ("1,5g", "whole number of a smaller unit"),
        ("9223372036854775808", "too large"),
        ("8388608t", "too large"),
        ("99999999999999999999", "too large"),
    ] {
        let message = size::parse(text).expect_err(text).to_string();
        assert!(message.contains(reason), "{text}: {message}");
    }
}

#[test]
fn commands_without_shell_syntax_are_run_as_words() {
    for (text, words) in [
        ("pg_isready -U sea", &["pg_isready", "-U", "sea"][..]),
        ("  redis-cli\tping ", &["redis-cli", "ping"]),
        ("echo 'a && b; $c'", &["echo", "a && b; $c"]),
        ("echo \"a && b\" c\\ d", &["echo", "a && b", "c d"]),
        ("echo \\$HOME \\*", &["echo", "$HOME", "*"]),
        ("echo 'it'\\''s'", &["echo", "it's"]),
        ("grep a#b HEAD~1", &["grep", "a#b", "HEAD~1"]),
        ("java -Da=b --c=d", &["java", "-Da=b", "--c=d"]),
        ("./a=b c", &["./a=b", "c"]),
        (
            "nc -h {db.host} {db.port}",
            &["nc", "-h", "{db.host}", "{db.port}"],
        ),
        ("echo {$LEVEL:-a|b}", &["echo", "{$LEVEL:-a|b}"]),
        ("echo \"a {$LEVEL}\"", &["echo", "a {$LEVEL}"]),
        ("echo if while", &["echo", "if", "while"]),
        ("\u{e9}cho \u{2603}", &["\u{e9}cho", "\u{2603}"]),
    ] {
        assert_eq!(words_or_shell(text).unwrap(), words, "{text}");
    }
}

#[test]
fn a_backslash_at_the_end_of_a_line_continues_the_command() {
    for (text, words) in [
        (
            "server --one \\\n  --two",
            &["server", "--one", "--two"][..],
        ),
        ("server \\\n\\\n--two", &["server", "--two"]),
        ("ser\\\nver", &["server"]),
        ("echo \"a\\\nb\"", &["echo", "ab"]),
        ("echo 'a\\\nb'", &["echo", "a\\\nb"]),
        ("echo '\"' \\\n b", &["echo", "\"", "b"]),
        ("echo \\\\ \\'\\\n", &["echo", "\\", "'"]),
    ] {
        assert_eq!(split(text).unwrap(), words, "{text}");
        assert_eq!(words_or_shell(text).unwrap(), words, "{text}");
    }
    // An escaped backslash continues nothing, and neither does one in a comment.
    for (text, words) in [
        ("echo \\\\\nb", ["echo", "\\", "b"]),
        ("echo a # \\\nb", ["echo", "a", "b"]),
    ] {
        assert_eq!(split(text).unwrap(), words, "{text}");
        let run = words_or_shell(text).unwrap();
        assert_eq!(run, ["/bin/sh", "-c", text]);
    }
    assert!(
        split("\\\n")
            .unwrap_err()
            .to_string()
            .contains("empty command")
    );
}

#[test]
fn commands_with_shell_syntax_are_run_by_a_shell() {
    for text in [
        "a && b",
        "a | b",
        "a; b",
        "a > b",
        "a < b",
        "(a)",
        "a $B",
        "a \"$B\"",
        "a {{$B}}",
        "a {$B} $C",
        "a `b`",
        "a \"`b`\"",
        "a *.sql",
        "a ?",
        "[ -f /a ]",
        "a ~",
        "~/a",
        "a # comment",
        "a\nb",
        "A=b c",
        "PATH=/bin a",
        "! test -f /a",
        "exit 0",
        "cd /a",
        "command -v a",
        "if true\nthen a\nfi",
        "a 'b' && c",
    ] {
        assert_eq!(
            words_or_shell(text).unwrap(),
            ["/bin/sh", "-c", text],
            "{text}"
        );
    }
}

#[test]
fn what_is_not_a_command_is_refused_with_its_reason() {
    for (text, reason) in [
        ("", "empty command"),
        (" \t\n", "empty command"),
        ("# nothing", "empty command"),
        ("a 'b", "unclosed quote in `a 'b`"),
        ("a \"b", "unclosed quote"),
        ("a \"b\\", "unclosed quote"),
        ("a \\", "trailing backslash"),
    ] {
        for outcome in [split(text), words_or_shell(text)] {
            let message = outcome.expect_err(text).to_string();
            assert!(message.contains(reason), "{text}: {message}");
        }
    }
}

#[test]
fn names() {
    for (field, host) in [
        ("db", "db"),
        ("user_db", "user-db"),
        ("r#type", "type"),
        ("UserDb", "userdb"),
        ("_db_", "db"),
        ("_", ""),
    ] {
        assert_eq!(name::host_name(field), host);
    }
    let longest = "a".repeat(63);
    for valid in ["a", "a-b", "A1", "1a", "0xg", "0a", &longest] {
        assert!(
            name::is_host_name(valid) && name::is_domain_name(valid),
            "{valid}"
        );
    }
    let long = "a".repeat(64);
    for invalid in [
        "", "-a", "a-", "a_b", "a.b", "1", "\u{e9}", "a b", "0x7f", "0X", &long,
    ] {
        assert!(!name::is_host_name(invalid), "{invalid}");
    }
    assert!(name::is_domain_name("a.1.example"));
    let too_long = vec!["abcd"; 51].join(".");
    for invalid in [
        "", ".", "a.", ".a", "a..b", "10.0.0.1", "127.0x1", "a_b.c", &too_long,
    ] {
        assert!(!name::is_domain_name(invalid), "{invalid}");
    }
    for reserved in ["localhost", "LocalHost", "ip6-allnodes"] {
        assert!(name::is_reserved(reserved), "{reserved}");
    }
    for free in ["local", "host-gateway", "localhost-db", "ip6"] {
        assert!(!name::is_reserved(free), "{free}");
    }
    for valid in ["A", "_", "a.b-c", "%"] {
        assert!(name::is_env_name(valid), "{valid}");
    }
    for invalid in ["", "1A", "A=", "A B", "\u{c4}", "A\n", "A\0"] {
        assert!(!name::is_env_name(invalid), "{invalid}");
    }
}

#[test]
fn the_nearest_name_is_suggested_if_it_is_near() {
    let services = ["db", "cache", "user_db", "app"];
    for (wanted, suggestion) in [
        ("cahce", Some("cache")),
        ("Cache", Some("cache")),
        ("user-db", Some("user_db")),
        ("bd", Some("db")),
        ("d", Some("db")),
        ("queue", None),
        ("x", None),
        ("", None),
        ("\u{2603}", None),
    ] {
        assert_eq!(nearest(wanted, services), suggestion, "{wanted}");
    }
    assert_eq!(nearest("x", []), None);
    assert_eq!(nearest("http", ["tcp"]), None);
    assert_eq!(did_you_mean(Some("db"), &services), "did you mean `db`?");
    assert_eq!(
        did_you_mean(None, &["a", "b", "c"]),
        "write one of `a`, `b` or `c`"
    );
    assert_eq!(did_you_mean(None, &["a"]), "write `a`");
    assert_eq!(alternatives(std::iter::empty::<&str>()), "");
}

proptest! {
    #[test]
    fn durations_that_are_written_out_parse_back(micros in any::<u64>()) {
        let mut text = String::new();
        let mut rest = micros;
        for (unit, size) in
            [("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1000), ("us", 1)]
        {
            if rest >= size || (size == 1 && text.is_empty()) {
                text.push_str(&format!("{}{unit}", rest / size));
                rest %= size;
            }
        }
        prop_assert_eq!(duration::parse(&text), Ok(Duration::from_micros(micros)));
    }

    #[test]
    fn sizes_that_are_written_out_parse_back(number in 0_u64..1 << 20, unit in 0_usize..5) {
        let text = format!("{number}{}", ["", "k", "M", "gib", "TB"][unit]);
        prop_assert_eq!(size::parse(&text), Ok(number << (10 * unit)));
    }

    #[test]
    fn words_that_are_quoted_split_back(words in proptest::collection::vec("[^\0]{0,8}", 1..5)) {
        let text = shlex::try_join(words.iter().map(String::as_str)).unwrap();
        prop_assert_eq!(split(&text).unwrap(), words);
    }

    #[test]
    fn any_text_is_taken_or_refused(text in "[0-9a-z.'\"\\\\$ #é~=-]{0,12}|\\PC{0,16}") {
        let _ = duration::parse(&text);
        let _ = size::parse(&text);
        match (split(&text), words_or_shell(&text)) {
            (Ok(words), Ok(run)) => {
                prop_assert!(run == words || run == ["/bin/sh", "-c", text.as_str()]);
            }
            (Err(error), Err(same)) => prop_assert_eq!(error, same),
            (split, run) => prop_assert!(false, "{:?} but {:?}", split, run),
        }
        prop_assert!(!name::is_host_name(&text) || name::is_domain_name(&text));
        let suggestion = nearest(&text, ["db", "cache"]);
        prop_assert!(suggestion.is_none_or(|name| ["db", "cache"].contains(&name)));
    }
}
