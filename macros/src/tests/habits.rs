//! Each key and form of other tools gives one message with what to write instead.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::environment::Environment;
use crate::parse::{self, Habit};
use crate::report::Report;

fn of_struct(item: TokenStream) -> Vec<String> {
    super::composition(item, &Environment::default())
        .map(drop)
        .expect_err("there is a mistake")
}

fn of_test(attribute: TokenStream) -> Vec<String> {
    let mut report = Report::new();
    let function = quote!(
        fn test() {}
    );
    let read = parse::function(attribute, function, &mut report);
    assert!(read.is_some(), "it is a function");
    report.finish().expect_err("there is a mistake").messages()
}

/// Each name gives its answer and nothing else. A name that is a key, or that two habits have, would not.
fn answers(habits: &[Habit], messages: impl Fn(&Habit, Ident) -> Vec<String>) {
    let mut seen = HashSet::new();
    for habit in habits {
        for name in habit.names {
            assert!(seen.insert(name), "`{name}` is in two places");
            let found = messages(habit, Ident::new(name, Span::call_site()));
            assert_eq!(found.len(), 1, "{name}: {found:?}");
            assert!(found[0].ends_with(habit.instead), "{name}: {found:?}");
        }
    }
}

#[test]
fn keys_of_other_tools_are_answered() {
    answers(parse::OF_SERVICES, |habit, name| {
        let image = (habit.meant != Some("image")).then(|| quote!(image = "a",));
        of_struct(quote! {
            #[composition(source(none))]
            struct Shop {
                #[service(#image #name = "x")] a: Service,
                #[service(image = "b", scope = test, needs(a), ready(running))] b: Service,
            }
        })
    });
    answers(parse::OF_JOBS, |_, name| {
        of_struct(quote! {
            #[composition(source(none))]
            struct Shop {
                #[job(image = "a", #name = "x")] a: Job,
                #[service(image = "b", needs(a), ready(running))] b: Service,
            }
        })
    });
    answers(parse::OF_READINESS, |_, name| {
        of_struct(quote! {
            #[composition(source(none))]
            struct Shop { #[service(image = "a", ready(#name = "x"))] a: Service }
        })
    });
    answers(parse::OF_COMPOSITIONS, |_, name| {
        of_struct(quote! {
            #[composition(source(none), #name = "x")]
            struct Shop { #[service(image = "a", ready(running))] a: Service }
        })
    });
    answers(parse::OF_TESTS, |_, name| of_test(quote!(#name = 1)));
}

fn port(port: &TokenStream) -> String {
    let item = quote! {
        #[composition(source(none))]
        struct Shop {
            #[service(image = "a", #port, ready(http = "/"))] a: Service,
            #[service(image = "b", env(A = "{a}"), ready(running))] b: Service,
        }
    };
    let found = of_struct(item);
    assert_eq!(found.len(), 1, "{port}: {found:?}");
    found.concat()
}

#[test]
fn ports_of_other_tools_are_answered() {
    for (written, part) in [
        (
            quote!(port = "80"),
            "expected a number, found the string `\"80\"`; remove the quotes: `80`",
        ),
        (quote!(port = "80/tcp"), "write `80`"),
        (
            quote!(port = "53/udp"),
            "`udp` is not supported yet for tests",
        ),
        (quote!(port = 53 / udp), "invalid port `53/udp`: "),
        (quote!(ports("53/UDP")), "invalid port `53/UDP`: "),
        (quote!(port = "5433:5432"), "write `5432`, which"),
        (quote!(ports("127.0.0.1:80:8080/tcp")), "`db.port(8080)`"),
        (
            quote!(port = "7000-7002"),
            "write each port: `ports(7000, 7001, 7002)`",
        ),
        (quote!(port = 7000 - 7002), "`ports(7000, 7001, 7002)`"),
        (quote!(ports(7000..=7001)), "`ports(7000, 7001)`"),
        (quote!(ports(any = "7000-7009")), "7006, 7007, ..)`"),
        (
            quote!(ports("http")),
            "invalid entry in `ports(..)`: expected",
        ),
        (quote!(port = "7-6"), "invalid `port`: expected"),
        (quote!(port = "0"), "invalid `port`: expected"),
    ] {
        let message = port(&written);
        assert!(message.contains(part), "{written}: {message}");
    }
    for check in [
        quote!(tcp = "80"),
        quote!(tcp("80")),
        quote!(http = "/", port = "80"),
    ] {
        let item = quote! {
            #[composition(source(none))]
            struct Shop { #[service(image = "a", port = 80, ready(#check))] a: Service }
        };
        let found = of_struct(item);
        assert_eq!(
            found,
            ["expected a number, found the string `\"80\"`; remove the quotes: `80`"],
            "{check}"
        );
    }
}

#[test]
fn mounts_of_other_tools_are_answered() {
    for (written, part) in [
        (
            quote!(volume("data:/var/lib/data")),
            "write `volume(data = \"/var/lib/data\")`",
        ),
        (
            quote!(volume = "/srv:/data:ro"),
            "write `mount(\"path/in/package\" = \"/data\")`",
        ),
        (
            quote!(volume("./fixtures:/data")),
            "write `mount(\"path/in/package\" = \"/data\")`",
        ),
        (
            quote!(tmpfs = "/tmp:rw,size=32m"),
            "write `tmpfs(\"/tmp\" = \"32m\")`",
        ),
        (
            quote!(tmpfs("/tmp:exec")),
            "write `tmpfs(\"/tmp\" = \"64m\")`",
        ),
        (
            quote!(mount("a" = "/b:rw")),
            "write `mount(\"a\" = \"/b\", mode = rw)`",
        ),
        (
            quote!(mount("a" = "/b:ro")),
            "write `mount(\"a\" = \"/b\")`",
        ),
        (
            quote!(mount("./a:/b")),
            "expected `\"path/in/package\" = \"/path/in/container\"`",
        ),
    ] {
        let item = quote! {
            #[composition(source(none))]
            struct Shop { #[service(image = "a", #written, ready(running))] a: Service }
        };
        let found = of_struct(item);
        assert_eq!(found.len(), 1, "{written}: {found:?}");
        assert!(found[0].contains(part), "{written}: {found:?}");
    }
}

#[test]
fn a_quoted_word_is_read_without_its_quotes() {
    for (written, word) in [
        (quote!(scope = "binary"), "binary"),
        (quote!(scope = binary, pull = "always"), "always"),
        (quote!(scope = binary, source(mode = "rw")), "rw"),
        (quote!(scope = binary, mount("a" = "/b", mode = "rw")), "rw"),
        (quote!(scope = binary, needs("c")), "c"),
    ] {
        let found = of_struct(quote! {
            #[composition(source(none))]
            struct Shop {
                #[service(image = "a", #written, ready(running))] a: Service,
                #[service(image = "b", scope = binary, needs(a), ready(running))] b: Service,
                #[service(image = "c", scope = binary, ready(running))] c: Service,
            }
        });
        let expected = crate::message::quoted_word(word);
        assert_eq!(found, [expected], "{written}");
    }
}

#[test]
fn constants_and_macros_are_to_be_written_out() {
    for written in [
        quote!(image = IMAGE),
        quote!(image = images::REDIS_7),
        quote!(image = concat!("redis:", "7")),
        quote!(image = "a", port = PORT),
        quote!(image = "a", ready(running), workdir = env!("HOME")),
        quote!(image = "a", ready(running), env(A = VALUE)),
    ] {
        let found = of_struct(quote! {
            #[composition(source(none))]
            struct Shop { #[service(#written)] a: Service }
        });
        assert_eq!(found.len(), 1, "{written}: {found:?}");
        let part = "must be a literal, as the macro reads it before constants and macros are evaluated; write `";
        assert!(found[0].contains(part), "{written}: {found:?}");
    }
}

#[test]
fn a_message_about_a_constant_offers_variables_where_they_work() {
    let variable = "with `{$NAME:-default}` for the value of an environment variable";
    for (written, is_text) in [
        (quote!(image = env!("IMAGE"), ready(running)), true),
        (quote!(bin = "shop", base = IMAGE, ready(running)), true),
        (quote!(image = "a", ready(running), command = COMMAND), true),
        (
            quote!(
                image = "a",
                ready(running),
                command = ["server", env!("LEVEL")]
            ),
            true,
        ),
        (
            quote!(image = "a", ready(running), env(A = option_env!("A"))),
            true,
        ),
        (
            quote!(image = "a", ready(running), files("/a" = CONTENT)),
            true,
        ),
        (
            quote!(image = "a", port = 1, ready(image = IMAGE, run = "true")),
            true,
        ),
        (
            quote!(
                image = "a",
                ready(running),
                setup(image = IMAGE, run = "true")
            ),
            true,
        ),
        (quote!(image = "a", port = PORT), false),
        (
            quote!(image = "a", ready(running), workdir = env!("HOME")),
            false,
        ),
    ] {
        let found = of_struct(quote! {
            #[composition(source(none))]
            struct Shop { #[service(#written)] a: Service }
        });
        assert_eq!(found.len(), 1, "{written}: {found:?}");
        assert!(found[0].contains("must be a literal"), "{found:?}");
        assert_eq!(found[0].contains(variable), is_text, "{written}: {found:?}");
    }
}

fn of_service(arguments: &TokenStream) -> Vec<String> {
    of_struct(quote! {
        #[composition(source(none))]
        struct Shop { #[service(image = "a", ready(running), #arguments)] a: Service }
    })
}

#[test]
fn a_typo_in_a_name_of_another_tool_has_the_same_answer() {
    for (typo, part) in [
        (
            quote!(enviroment(A = 1)),
            "`enviroment` in `#[service(..)]`; write `env(A = 1)` instead",
        ),
        (quote!(dependsOn(b)), "write `needs(b)` instead"),
        (quote!(conatiner_name = "b"), "rename the field"),
        (
            quote!(security_ops("a" = "b")),
            "`security_opt` is not supported yet;",
        ),
        // A key comes before a name of another tool, and short names are not near to anything.
        (quote!(prot = 80), "did you mean `port`?"),
        (quote!(udt = 80), "write one of `image`, `bin`"),
    ] {
        let found = of_service(&typo);
        assert_eq!(found.len(), 1, "{typo}: {found:?}");
        assert!(found[0].contains(part), "{typo}: {found:?}");
    }
}

#[test]
fn a_renamed_key_keeps_its_arguments_where_they_are_valid() {
    let long = "x".repeat(100);
    for (written, instead) in [
        (
            quote!(wait_for(log = "x", times = 2)),
            "ready(log = \"x\", times = 2)",
        ),
        (quote!(wait_for(http)), "ready(http)"),
        (quote!(wait_for = 30), "ready(tcp, timeout = \"30s\")"),
        (quote!(wait_for(30)), "ready(tcp, timeout = \"30s\")"),
        (
            quote!(wait_for(log = #long)),
            "ready(tcp, timeout = \"30s\")",
        ),
        (quote!(cmd = "serve"), "command = \"serve\""),
        (quote!(expose(80, metrics = 90)), "ports(80, metrics = 90)"),
        (quote!(expose("80/tcp")), "ports(5432, metrics = 9187)"),
        (quote!(depends_on = [b]), "needs(db, cache)"),
    ] {
        let found = of_service(&written);
        assert_eq!(found.len(), 1, "{written}: {found:?}");
        let end = format!("; write `{instead}` instead");
        assert!(found[0].ends_with(&end), "{written}: {found:?}");
    }
}

#[test]
fn a_colon_is_one_mistake() {
    for (written, message) in [
        (
            quote!(user: "1000"),
            "expected `=`, found `:`; write `user = ..`",
        ),
        (
            quote!(env(A: "1")),
            "expected `=`, found `:`; write `A = ..`",
        ),
        (
            quote!(labels("a.b": "c")),
            "expected `=`, found `:`; write `\"a.b\" = ..`",
        ),
        (
            quote!(needs: [b]),
            "expected `=` or `(`, found `:`; write `needs = [..]` or `needs(..)`",
        ),
        (
            quote!(command:),
            "expected `=`, found `:`; write `command = ..`",
        ),
        (
            quote!(port: , user = "1"),
            "expected `=`, found `:`; write `port = ..`",
        ),
        (
            quote!(setup(with: a::b)),
            "expected `=`, found `:`; write `with = ..`",
        ),
    ] {
        assert_eq!(of_service(&written), [message], "{written}");
    }
    // The value's own mistake is found in the same pass.
    assert_eq!(of_service(&quote!(memory: "lots")).len(), 2);
}
