//! Placeholders: syntax, meaning, messages.

use proptest::prelude::*;
use seatrial_model::placeholder::{Declared, Names, RawTemplate, Reference, Segment};
use seatrial_model::{Port, Template};

fn port(name: Option<&str>, number: u16) -> Port {
    Port {
        name: name.map(str::to_owned),
        number,
    }
}

/// What `text` means in service 0 of: `app` (8080), `db` (3306), `r#type` (none), `broker` (5672, admin = 15672).
fn resolve_in_app(text: &str, own_allowed: bool) -> Result<Template, Vec<String>> {
    let app = [port(None, 8080)];
    let db = [port(None, 3306)];
    let broker = [port(None, 5672), port(Some("admin"), 15672)];
    let services = [
        Declared {
            field: "app",
            ports: &app,
        },
        Declared {
            field: "db",
            ports: &db,
        },
        Declared {
            field: "r#type",
            ports: &[],
        },
        Declared {
            field: "broker",
            ports: &broker,
        },
    ];
    let names = Names {
        services: &services,
        own: 0,
        own_allowed,
        source_mounted: own_allowed,
    };
    RawTemplate::parse(text)
        .map_err(|error| vec![error.to_string()])?
        .resolve(names)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

fn shown(text: &str) -> String {
    let template = resolve_in_app(text, true).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    template.render(|reference| reference.to_string())
}

#[test]
fn placeholders_mean_positions_and_ports() {
    for (text, expected) in [
        ("", ""),
        ("plain \u{2603}", "plain \u{2603}"),
        ("mysql://root:sea@{db}/shop", "mysql://root:sea@{1}/shop"),
        ("{db}{db.host}{db.port}", "{1}{1.host}{1.port.3306}"),
        ("{db.port.3306}", "{1.port.3306}"),
        ("{broker.port.admin}", "{3.port.15672}"),
        ("{broker.port.5672}", "{3.port.5672}"),
        ("{type.host}", "{2.host}"),
        ("{self} {app}", "{0} {0}"),
        ("{source}/a", "{source}/a"),
        ("{ db }{ db . host }", "{1}{1.host}"),
        (
            "\u{e9}{db}\u{1f433}{db}\u{e9}",
            "\u{e9}{1}\u{1f433}{1}\u{e9}",
        ),
        ("{{db}}", "{db}"),
        ("{{{db}}}", "{{1}}"),
        ("}}{{", "}{"),
        ("{{\"a\": \"{db}\"}}", "{\"a\": \"{1}\"}"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
    assert_eq!(resolve_in_app("", false), Ok(Template::literal("")));
    assert_eq!(resolve_in_app("a", false), Ok(Template::literal("a")));
    let both = resolve_in_app("{db} {broker.host} {db}", false).unwrap();
    assert_eq!(both.services().collect::<Vec<_>>(), [1, 3, 1]);
}

#[test]
fn a_variable_is_a_placeholder_with_a_dollar() {
    for (text, name, default) in [
        ("{$TAG}", "TAG", None),
        ("{ $TAG }", "TAG", None),
        ("{$_x1:-}", "_x1", Some("")),
        ("{$TAG:-a b:-c.d $X}", "TAG", Some("a b:-c.d $X")),
        ("{{{$TAG}}}", "TAG", None),
    ] {
        let template = resolve_in_app(text, false).unwrap_or_else(|it| panic!("{text}: {it:?}"));
        let variables: Vec<_> = template.variables().collect();
        assert_eq!(variables.len(), 1, "{text}");
        assert_eq!(variables[0].name(), name);
        assert_eq!(variables[0].default(), default);
        assert_eq!(variables[0].value(), None);
    }
    // What a shell is to read stays.
    for (text, shown) in [
        ("$TAG", "$TAG"),
        ("{{$TAG}}", "{$TAG}"),
        ("${{TAG}}", "${TAG}"),
        ("${{TAG:-17}}", "${TAG:-17}"),
    ] {
        let template = resolve_in_app(text, false).unwrap_or_else(|it| panic!("{text}: {it:?}"));
        assert_eq!(template, Template::literal(shown));
    }
}

#[test]
fn malformed_variables_are_refused_with_what_to_write() {
    for (text, reason, instead) in [
        ("{$1X}", "invalid variable `{$1X}`", "as in `{$TAG}`"),
        ("{$}", "invalid variable `{$}`", "`{$TAG:-17}`"),
        ("{$X Y}", "invalid variable", "letters, digits and `_`"),
        ("{$X-17}", "invalid variable", "`{$TAG:-17}`"),
        ("{$X:?unset}", "invalid variable", "`{$TAG:-17}`"),
        ("{$X:=17}", "invalid variable", "`{$TAG:-17}`"),
        ("{$X", "unclosed placeholder", "close it with `}`"),
        ("{$X:-17", "unclosed placeholder", "close it with `}`"),
        ("{$X:-{db}}", "braces are not supported", "plain text"),
        ("${db:-1}", "`${db:-1}` is shell syntax", "write `{$db:-1}`"),
        (
            "${db:-1}",
            "`${db:-1}` is shell syntax",
            "`${{db:-1}}` to leave it",
        ),
        ("${HOME}", "unknown service `HOME`", "write `{$HOME}`"),
        (
            "${HOME}",
            "unknown service `HOME`",
            "`${{HOME}}` to leave it",
        ),
    ] {
        let errors = resolve_in_app(text, true).expect_err(text);
        assert_eq!(errors.len(), 1, "{text}: {errors:?}");
        assert!(errors[0].contains(reason), "{text}: {errors:?}");
        assert!(errors[0].contains(instead), "{text}: {errors:?}");
    }
}

#[test]
fn braces_that_are_not_a_placeholder_are_refused() {
    for (text, reason) in [
        ("{", "unclosed placeholder at `{`"),
        ("a{db", "unclosed placeholder at `{db`"),
        ("{a{db}}", "unclosed placeholder"),
        ("{{{", "unclosed placeholder"),
        ("}", "unmatched `}`"),
        ("{db}}", "unmatched `}`"),
        ("{}", "missing name"),
        ("{ }", "missing name"),
        ("{db.}", "missing name"),
        ("{.host}", "missing name"),
        ("{db..host}", "missing name"),
        ("{\"a\": 1}", "invalid placeholder"),
        ("{db:3306}", "invalid placeholder"),
        ("{a b}", "invalid placeholder"),
        ("{\u{1f433}}", "invalid placeholder"),
        ("{\u{e9}", "unclosed placeholder"),
    ] {
        let errors = resolve_in_app(text, true).expect_err(text);
        assert!(
            errors.len() == 1 && errors[0].contains(reason),
            "{text}: {errors:?}"
        );
        assert!(errors[0].contains("literal brace"), "{text}: {errors:?}");
    }
    let long = format!("{{{}", "\u{2603}".repeat(100));
    let error = RawTemplate::parse(&long).unwrap_err().to_string();
    assert!(error.chars().count() < 150, "{error}");
}

#[test]
fn unknown_names_are_refused_with_what_to_write() {
    for (text, message) in [
        ("{bd}", "unknown service `bd`; did you mean `db`?"),
        (
            "{queue}",
            "unknown service `queue`; declare it, or write a declared one: `db`, `type` or `broker`",
        ),
        (
            "{ap}",
            "unknown service `ap`; declare it, or write a declared one: `db`, `type` or `broker`",
        ),
        ("{app}", "`app` cannot depend on itself: `{app}` names it"),
        ("{app.host}", "write `localhost` inside its own container"),
        ("{self}", "`app` cannot depend on itself: `{self}` names it"),
        (
            "{type}",
            "declare one with `port = ..`, or write `{type.host}`",
        ),
        (
            "{type.port}",
            "`{type.port}` needs a port, but `type` declares none",
        ),
        (
            "{type.port.admin}",
            "`type` declares no port `admin`; declare it with",
        ),
        (
            "{broker}",
            "write `{broker.host}:{broker.port.5672}` or `{broker.host}:{broker.port.admin}`",
        ),
        (
            "{broker.port}",
            "write `{broker.port.5672}` or `{broker.port.admin}`",
        ),
        ("{broker.port.http}", "or write `5672` or `admin`"),
        (
            "{db.name}",
            "write `{db}`, `{db.host}`, `{db.port}` or `{db.port.NAME}`",
        ),
        ("{db.host.name}", "unknown placeholder"),
        ("{db.port.3306.x}", "unknown placeholder"),
        ("{db.url}", "write the URL out with `{db}`"),
        ("{source}", "remove `source(none)`"),
        ("{source.path}", "write `{source}`"),
    ] {
        let errors = resolve_in_app(text, false).expect_err(text);
        assert!(
            errors.len() == 1 && errors[0].contains(message),
            "{text}: {errors:?}"
        );
    }
}

#[test]
fn a_service_on_its_own_is_not_suggested_to_itself() {
    let services = [Declared {
        field: "db",
        ports: &[],
    }];
    let names = Names {
        services: &services,
        own: 0,
        own_allowed: false,
        source_mounted: true,
    };
    let errors = RawTemplate::parse("{bd}")
        .unwrap()
        .resolve(names)
        .unwrap_err();
    assert!(
        errors[0]
            .to_string()
            .contains("no other service is declared; declare it"),
        "{}",
        errors[0]
    );
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let errors = resolve_in_app("{a} {db} {broker} {db.x}", false).unwrap_err();
    assert_eq!(errors.len(), 3, "{errors:?}");
}

/// A segment as text, and as what it means in `app`.
fn segment() -> impl Strategy<Value = (String, Option<Reference>, String)> {
    let placeholder = |text: &str, reference| (text.to_owned(), Some(reference), String::new());
    prop_oneof![
        "[a-z{}. \u{e9}\u{1f433}\n]{1,6}".prop_map(|text| {
            let escaped = text.replace('{', "{{").replace('}', "}}");
            (escaped, None, text)
        }),
        Just(placeholder(
            "{db}",
            Reference::Address {
                service: 1,
                port: 3306
            }
        )),
        Just(placeholder("{ type.host }", Reference::Host(2))),
        Just(placeholder(
            "{broker.port.admin}",
            Reference::Port {
                service: 3,
                port: 15672
            }
        )),
        Just(placeholder("{source}", Reference::Source)),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_meant(segments in proptest::collection::vec(segment(), 0..8)) {
        let text: String = segments.iter().map(|(text, ..)| text.as_str()).collect();
        let mut expected: Vec<Segment> = Vec::new();
        for (_, reference, literal) in segments {
            match (reference, expected.last_mut()) {
                (Some(reference), _) => expected.push(Segment::Reference(reference)),
                (None, Some(Segment::Text(last))) => last.push_str(&literal),
                (None, _) => expected.push(Segment::Text(literal)),
            }
        }
        let template = resolve_in_app(&text, true).unwrap();
        prop_assert_eq!(template.segments(), expected);
        let json = serde_json::to_string(&template).unwrap();
        prop_assert_eq!(serde_json::from_str::<Template>(&json).unwrap(), template);
    }

    #[test]
    fn any_text_is_taken_or_refused_with_what_to_write(text in "[{}a-z. \u{e9}\"]{0,16}|\\PC{0,20}") {
        if let Err(errors) = resolve_in_app(&text, false) {
            prop_assert!(!errors.is_empty());
            for error in errors {
                let instead = ["; write", ": expected", "; close", "; declare", "; did you mean", "or write", "; remove"];
                prop_assert!(instead.iter().any(|instead| error.contains(instead)), "{}", error);
            }
        }
    }
}
