//! Image references, by the distribution project's grammar and the engines' rules on top of it.

use proptest::prelude::*;
use seatrial_model::{ImageRef, ImageTemplate};

fn parse(text: &str) -> Result<ImageRef, String> {
    text.parse::<ImageRef>().map_err(|error| error.to_string())
}

/// Registry, path, tag and digest of a reference that must parse and display as it was written.
fn parts(text: &str) -> (Option<String>, String, Option<String>, Option<String>) {
    let image = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(image.to_string(), text);
    let owned = |part: Option<&str>| part.map(str::to_owned);
    (
        owned(image.registry()),
        image.path().to_owned(),
        owned(image.tag()),
        owned(image.digest()),
    )
}

#[test]
fn references_are_taken_apart() {
    let sha256 = format!("sha256:{}", "0f".repeat(32));
    let sha512 = format!("sha512:{}", "0f".repeat(64));
    let cases: &[(&str, Option<&str>, &str, Option<&str>)] = &[
        ("redis", None, "redis", None),
        ("redis:7", None, "redis", Some("7")),
        ("redis:7.2-Alpine_3", None, "redis", Some("7.2-Alpine_3")),
        ("redis:_", None, "redis", Some("_")),
        ("library/redis", None, "library/redis", None),
        ("a/b/c", None, "a/b/c", None),
        ("a.b/c", Some("a.b"), "c", None),
        ("host", None, "host", None),
        ("host:5000", None, "host", Some("5000")),
        ("host:5000/x", Some("host:5000"), "x", None),
        ("host:5000/x:5050", Some("host:5000"), "x", Some("5050")),
        ("host:65535/x", Some("host:65535"), "x", None),
        ("Host/x", Some("Host"), "x", None),
        ("Host:5000/x", Some("Host:5000"), "x", None),
        ("localhost", None, "localhost", None),
        ("localhost/x", Some("localhost"), "x", None),
        (
            "localhost:5000/a/b:t",
            Some("localhost:5000"),
            "a/b",
            Some("t"),
        ),
        ("localhosts/x", None, "localhosts/x", None),
        ("registry.example", None, "registry.example", None),
        (
            "registry.example:5000",
            None,
            "registry.example",
            Some("5000"),
        ),
        (
            "docker.io/library/redis",
            Some("docker.io"),
            "library/redis",
            None,
        ),
        ("10.0.0.1", None, "10.0.0.1", None),
        ("10.0.0.1:5000", None, "10.0.0.1", Some("5000")),
        ("10.0.0.1:5000/x:1", Some("10.0.0.1:5000"), "x", Some("1")),
        ("[::1]/x", Some("[::1]"), "x", None),
        ("[::1]:5000/x:1", Some("[::1]:5000"), "x", Some("1")),
        (
            "[fd00:1:2:3:4:5:6:7]/a/b",
            Some("[fd00:1:2:3:4:5:6:7]"),
            "a/b",
            None,
        ),
        ("[FD00::]:5000/x", Some("[FD00::]:5000"), "x", None),
        (
            "xn--bcher-kva.example/x",
            Some("xn--bcher-kva.example"),
            "x",
            None,
        ),
        (
            "team_a/app__b/c-d/e---f/g.h",
            None,
            "team_a/app__b/c-d/e---f/g.h",
            None,
        ),
        ("team_a.b:80", None, "team_a.b", Some("80")),
        ("0/1", None, "0/1", None),
    ];
    for &(text, registry, path, tag) in cases {
        let owned = |part: Option<&str>| part.map(str::to_owned);
        let expected = (owned(registry), path.to_owned(), owned(tag), None);
        assert_eq!(parts(text), expected, "{text}");
        for digest in [&sha256, &sha512] {
            let expected = (
                owned(registry),
                path.to_owned(),
                owned(tag),
                Some(digest.clone()),
            );
            assert_eq!(
                parts(&format!("{text}@{digest}")),
                expected,
                "{text}@{digest}"
            );
        }
    }
}

#[test]
fn what_is_not_a_reference_is_refused_with_its_reason() {
    let hex = "0f".repeat(32);
    let cases = [
        ("", "empty image reference"),
        ("https://registry.example/x", "a scheme is not supported"),
        ("docker://redis:7", "a scheme is not supported"),
        (":tag", "missing name"),
        ("/", "expected lower-case letters"),
        ("localhost:5000/", "missing name"),
        ("[::1]", "missing name"),
        ("[::1]:5000", "missing name"),
        ("[fe80::1%eth0]:5000/x", "not a valid host name"),
        ("[::ffff:10.0.0.1]/x", "not a valid host name"),
        ("[::1/x", "not a valid host name"),
        ("[::1]x/y", "not a valid host name"),
        ("[::1]:/y", "not a valid host name"),
        ("-host.example/x", "not a valid host name"),
        ("host-.example/x", "not a valid host name"),
        ("host..example/x", "not a valid host name"),
        ("host_a.example/x", "not a valid host name"),
        ("host:/x", "not a valid host name"),
        ("host:0/x", "not a valid host name"),
        ("host:65536/x", "not a valid host name"),
        ("host:+80/x", "not a valid host name"),
        ("host:5000:5000/x", "not a valid host name"),
        ("a//b", "expected lower-case letters"),
        ("/a", "expected lower-case letters"),
        ("a/", "expected lower-case letters"),
        ("a_/b", "expected lower-case letters"),
        ("_a", "expected lower-case letters"),
        ("a..b", "expected lower-case letters"),
        ("a___b", "expected lower-case letters"),
        ("a._b", "expected lower-case letters"),
        ("a-_b", "expected lower-case letters"),
        ("redis 7", "expected lower-case letters"),
        (" redis", "expected lower-case letters"),
        ("redis\n", "expected lower-case letters"),
        ("r\u{e9}dis", "expected lower-case letters"),
        ("aa/as$$^/aa", "expected lower-case letters"),
        ("redis:", "tag"),
        ("redis:-7", "tag"),
        ("redis:.7", "tag"),
        ("redis:7:7", "tag"),
        ("redis:7 ", "tag"),
        ("redis:{version}", "tag"),
        ("redis@", "digest"),
        ("redis@sha256", "digest"),
        ("redis@sha256:", "digest"),
        ("redis@sha256:0f0f", "digest"),
        (
            "redis@sha1:0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f",
            "digest",
        ),
        ("a@b@c", "digest"),
    ];
    for (text, reason) in cases {
        let message = parse(text).expect_err(text);
        assert!(message.contains(reason), "{text}: {message}");
        assert!(
            ["; write ", ": expected "]
                .iter()
                .any(|instead| message.contains(instead)),
            "{text}: {message}"
        );
    }
    for text in [
        format!("x@sha256:{}", hex.to_uppercase()),
        format!("x@md5:{hex}"),
    ] {
        assert!(parse(&text).expect_err(&text).contains("digest"));
    }
    assert!(
        parse(&format!("@sha256:{hex}"))
            .unwrap_err()
            .contains("missing name")
    );
    assert!(parse(&hex).unwrap_err().contains("an image id"));
    parse(&format!("localhost/{hex}")).unwrap();
}

#[test]
fn upper_case_is_corrected_in_the_name_only() {
    for (text, corrected) in [
        ("Redis", "redis"),
        ("Redis:7-Alpine", "redis:7-Alpine"),
        ("Host/Team/App:V1", "Host/team/app:V1"),
        ("Host.example:5000/App", "Host.example:5000/app"),
    ] {
        let message = parse(text).unwrap_err();
        assert!(
            message.contains(&format!("write \"{corrected}\"")),
            "{message}"
        );
        parse(corrected).unwrap();
    }
}

#[test]
fn lengths_are_bounded() {
    let name = "a".repeat(255);
    let tag = "t".repeat(128);
    assert_eq!(parts(&format!("{name}:{tag}")).0, None);
    assert!(parse(&format!("{name}a")).unwrap_err().contains("too long"));
    assert!(
        parse(&format!("a.b/{}", &name[3..]))
            .unwrap_err()
            .contains("too long")
    );
    assert!(
        parse(&format!("a:{tag}t"))
            .unwrap_err()
            .contains("1 to 128")
    );
}

#[test]
fn the_tag_latest_is_added_only_where_nothing_is_named() {
    let hex = "0f".repeat(32);
    for (text, expected) in [
        ("redis".to_owned(), "redis:latest".to_owned()),
        ("h:1/redis".to_owned(), "h:1/redis:latest".to_owned()),
        ("redis:7".to_owned(), "redis:7".to_owned()),
        (format!("redis@sha256:{hex}"), format!("redis@sha256:{hex}")),
    ] {
        assert_eq!(
            parse(&text).unwrap().with_default_tag().to_string(),
            expected
        );
    }
}

#[test]
fn another_registry_takes_the_whole_rest() {
    for (text, registry, expected) in [
        (
            "redis:7",
            "mirror.example",
            "mirror.example/library/redis:7",
        ),
        ("redis", "mirror:5000/hub/", "mirror:5000/hub/library/redis"),
        ("docker.io/redis", "localhost", "localhost/library/redis"),
        ("team/app:1", "m.example", "m.example/team/app:1"),
        ("quay.io/app:1", "[::1]:5000", "[::1]:5000/app:1"),
    ] {
        let image = parse(text).unwrap().in_registry(registry).unwrap();
        assert_eq!(image.to_string(), expected);
    }
    let redis = parse("redis").unwrap();
    let error = redis.in_registry("mirror").unwrap_err().to_string();
    assert!(error.contains("reads as a path"), "{error}");
    for registry in [
        "",
        "/",
        "https://mirror.example",
        "mirror.example/Hub",
        "m.example:x",
    ] {
        redis.in_registry(registry).unwrap_err();
    }
}

#[test]
fn json_holds_the_text() {
    let image = parse("redis:7").unwrap();
    assert_eq!(serde_json::to_string(&image).unwrap(), "\"redis:7\"");
    let error = serde_json::from_str::<ImageRef>("\"redis:\"").unwrap_err();
    assert!(error.to_string().contains("tag"), "{error}");
}

/// Text of a reference, each of its parts any that the grammar allows.
pub(crate) fn reference() -> impl Strategy<Value = String> {
    let host = prop_oneof![
        "[a-z0-9]([a-z0-9-]{0,3}[a-z0-9])?(\\.[A-Za-z0-9]{1,4}){1,2}",
        "[A-Z][a-z0-9]{0,5}",
        Just("localhost".to_owned()),
        any::<std::net::Ipv6Addr>()
            .prop_map(|address| format!("[{address}]"))
            .prop_filter("no dotted quads", |text| !text.contains('.')),
    ];
    let port = proptest::option::of(1..=u16::MAX);
    let registry = proptest::option::of((host, port)).prop_map(|registry| match registry {
        Some((host, Some(port))) => format!("{host}:{port}/"),
        Some((host, None)) => format!("{host}/"),
        None => String::new(),
    });
    let component = "[a-z0-9]{1,6}((\\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}";
    // The first part of a path without a registry has no dot: it would be one.
    let path = (
        "[a-z][a-z0-9]{0,8}",
        proptest::collection::vec(component, 0..3),
    )
        .prop_map(|(first, rest)| {
            std::iter::once(first)
                .chain(rest)
                .collect::<Vec<_>>()
                .join("/")
        })
        .prop_filter("a registry", |path| !path.starts_with("localhost/"));
    let tag = proptest::option::of("[A-Za-z0-9_][A-Za-z0-9_.-]{0,10}");
    let digest = proptest::option::of("[0-9a-f]{64}");
    (registry, path, tag, digest).prop_map(|(registry, path, tag, digest)| {
        let tag = tag.map(|tag| format!(":{tag}")).unwrap_or_default();
        let digest = digest
            .map(|hex| format!("@sha256:{hex}"))
            .unwrap_or_default();
        format!("{registry}{path}{tag}{digest}")
    })
}

proptest! {
    #[test]
    fn what_the_grammar_makes_parses_and_displays_alike(text in reference()) {
        let image: ImageRef = text.parse().unwrap();
        prop_assert_eq!(image.to_string(), text);
        let json = serde_json::to_string(&image).unwrap();
        prop_assert_eq!(serde_json::from_str::<ImageRef>(&json).unwrap(), image);
    }

    #[test]
    fn what_parses_displays_as_written(text in "[aA0.:/@_\\[\\]é-]{0,12}|\\PC{0,20}") {
        if let Ok(image) = text.parse::<ImageRef>() {
            prop_assert_eq!(image.to_string(), text);
        }
    }

    #[test]
    fn another_registry_is_where_it_then_is(text in reference()) {
        let image: ImageRef = text.parse().unwrap();
        let moved = image.in_registry("mirror.example:5000").unwrap();
        prop_assert_eq!(moved.registry(), Some("mirror.example:5000"));
        prop_assert!(moved.path().ends_with(image.path()));
        prop_assert_eq!((moved.tag(), moved.digest()), (image.tag(), image.digest()));
    }
}

fn template(text: &str) -> ImageTemplate {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn variables_may_stand_anywhere_in_an_image() {
    for (text, with_defaults, repository) in [
        ("redis:7", "redis:7", Some("redis")),
        ("postgres:{$V:-17}", "postgres:17", Some("postgres")),
        (
            "postgres:{$V:-17}-{$BASE:-alpine}",
            "postgres:17-alpine",
            Some("postgres"),
        ),
        (
            "reg.example:5000/a/b:{$V:-1}",
            "reg.example:5000/a/b:1",
            Some("reg.example:5000/a/b"),
        ),
        ("{$REGISTRY:-reg.example}/a:1", "reg.example/a:1", None),
        ("reg.example:{$PORT:-5000}/a", "reg.example:5000/a", None),
        ("{$PREFIX:-}redis:7", "redis:7", None),
        ("redis{$SUFFIX:-}", "redis", None),
        ("{$IMAGE:-redis:7}", "redis:7", None),
    ] {
        let image = template(text);
        assert_eq!(image.reference().to_string(), with_defaults);
        assert_eq!(image.literal_repository().as_deref(), repository, "{text}");
        assert_eq!(image.to_string(), text);
    }
    // Whatever a variable without a default may be.
    for text in [
        "{$IMAGE}",
        "a:{$TAG}",
        "reg.example:{$PORT}/a",
        "a@{$DIGEST}",
        "a:1@sha256:{$HEX}",
        "{$REGISTRY}/{$NAME}:{$TAG:-1}",
    ] {
        template(text);
    }
}

#[test]
fn images_that_no_value_makes_valid_are_refused_with_what_to_write() {
    for (text, reason, instead) in [
        (
            "a:{$X:-a b}",
            "`a:a b`: the tag is malformed",
            "write 1 to 128",
        ),
        (
            "A{$X}",
            "no values of its variables",
            "\"postgres:{$POSTGRES_VERSION:-17}\"",
        ),
        (
            "a:{db}",
            "`{db}` is not valid in an image",
            "{$POSTGRES_VERSION:-17}",
        ),
        (
            "a:{db.port}",
            "`{db.port}` is not valid in an image",
            "{$POSTGRES_VERSION:-17}",
        ),
        (
            "a:{}",
            "`{}` is not valid in an image",
            "{$POSTGRES_VERSION:-17}",
        ),
        ("a:{$1X}", "invalid variable `{$1X}`", "`{$TAG:-17}`"),
        ("a:{$X", "unclosed placeholder", "close it with `}`"),
        ("a:$TAG", "shell syntax is not supported", "write `{$TAG}`"),
        (
            "a:${TAG}",
            "shell syntax is not supported",
            "write `{$TAG}`",
        ),
        (
            "a:${TAG:-17}",
            "shell syntax is not supported",
            "write `{$TAG:-17}`",
        ),
        (
            "a:{{$TAG}}",
            "`a:{$TAG}`: the tag is malformed",
            "write 1 to 128",
        ),
    ] {
        let error = text.parse::<ImageTemplate>().expect_err(text).to_string();
        assert!(error.contains(reason), "{text}: {error}");
        assert!(error.contains(instead), "{text}: {error}");
    }
}
