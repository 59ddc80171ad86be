//! No stage panics, whatever an attribute has in it, and the output is Rust.

use proc_macro2::TokenStream;
use proptest::prelude::*;
use quote::quote;

use crate::environment::Environment;
use crate::pipeline;

/// Tokens of attributes, right and wrong ones, nested as parentheses allow.
fn tokens() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "image",
        "bin",
        "package",
        "base",
        "build",
        "context",
        "dockerfile",
        "target",
        "args",
        "port",
        "ports",
        "env",
        "command",
        "entrypoint",
        "ready",
        "setup",
        "name",
        "key",
        "needs",
        "files",
        "source",
        "scope",
        "keep",
        "user",
        "workdir",
        "tmpfs",
        "volume",
        "mount",
        "labels",
        "hosts",
        "memory",
        "ulimits",
        "sysctls",
        "cap_add",
        "privileged",
        "platform",
        "pull",
        "stop_signal",
        "tcp",
        "log",
        "times",
        "http",
        "status",
        "exec",
        "run",
        "with",
        "timeout",
        "interval",
        "successes",
        "mode",
        "rw",
        "none",
        "path",
        "at",
        "binary",
        "db",
        "app",
        "include_file!",
        "crate",
        "runtime",
        "r#type",
        "true",
        "=",
        "=",
        "=",
        "=",
        ",",
        ",",
        ",",
        "::",
        "-",
        "<",
        ">",
        "#",
        "!",
        "'a",
        "@",
    ]);
    let value = prop::sample::select(vec![
        "\"redis:7\"",
        "\"Redis\"",
        "\"\"",
        "\"{db}\"",
        "\"{app.port.x}\"",
        "\"{\"",
        "\"/data\"",
        "\"a 'b\"",
        "\"30s\"",
        "\"64m\"",
        "80",
        "0",
        "70000",
        "99999999999999999999",
        "1.5",
        "'c'",
        "b\"x\"",
        "[]",
        "[\"a\", 1]",
        "\"\u{0}\"",
        "\"ü\"",
    ]);
    let flat = prop_oneof![3 => word, 2 => value].prop_map(str::to_owned);
    let nested = flat.prop_recursive(4, 48, 8, |inner| {
        prop::collection::vec(inner, 0..8).prop_map(|parts| format!("({})", parts.join(" ")))
    });
    prop::collection::vec(nested, 0..16).prop_map(|parts| parts.join(" "))
}

/// Arguments that are mostly well formed, so that the later stages have something to do.
fn arguments() -> impl Strategy<Value = String> {
    let argument = prop::sample::select(vec![
        "image = \"redis:7\"",
        "bin = \"shop\"",
        "port = 80",
        "ports(80, metrics = 9187)",
        "env(A = \"{db}\", B = \"{app.port.metrics}\")",
        "needs(db)",
        "needs(app)",
        "command = \"serve {app.host}\"",
        "ready(tcp)",
        "ready(http = \"/\")",
        "scope = binary",
        "scope = test",
        "scope = keep",
        "keep = \"2h\"",
        "ready(exec = \"ping {self}\", image = \"a\", run = \"{db}\")",
        "ready(with = a::b)",
        "setup(exec = \"seed {self}\", env(A = \"{db}\"), key = if a { B } else { c!() })",
        "setup(image = \"a\", run = \"{app.host}\", name = \"n\", timeout = \"1m\")",
        "setup(with = a::b, key = KEY)",
        "files(\"/a\" = \"{db}\", \"/b\" = include_file!(\"b\"))",
        "source(none)",
        "env(S = \"{source}\")",
        "volume(\"/a\")",
        "tmpfs(\"/a\")",
        "mount(\"/a\" = \"/a\")",
    ]);
    prop::collection::vec(argument, 0..6).prop_map(|parts| parts.join(", "))
}

fn attribute() -> impl Strategy<Value = TokenStream> {
    prop_oneof![tokens(), arguments()]
        .prop_filter_map("these are no tokens", |text| text.parse().ok())
}

/// The compiler's, or an editor's, which also gets what half an attribute has.
fn environment() -> impl Strategy<Value = Environment> {
    any::<bool>().prop_map(|is_editor| Environment {
        is_editor,
        ..Environment::default()
    })
}

proptest! {
    #[test]
    fn a_composition_is_expanded_or_refused(db in attribute(), app in attribute(), own in attribute(), environment in environment()) {
        let item = quote! {
            #[composition(#own)]
            struct Shop {
                #[service(#db)] db: Service,
                #[service(#app)] app: Service,
            }
        };
        let expansion = pipeline::composition(item, &environment);
        prop_assert!(syn::parse2::<syn::File>(expansion).is_ok());
    }

    #[test]
    fn a_test_is_expanded_or_refused(own in attribute(), db in attribute(), app in attribute(), shop in attribute(), environment in environment()) {
        let item = quote! {
            async fn test(#[service(#db)] db: Service, #[service(#app)] app: Service, #[composition(#shop)] shop: Shop) {}
        };
        let expansion = pipeline::test(own, item, &environment);
        // Instances of its own are never forgotten without a word.
        let text = expansion.to_string();
        prop_assert!(text.contains("own_composition") || text.contains("compile_error"));
        prop_assert!(syn::parse2::<syn::File>(expansion).is_ok());
    }

    #[test]
    fn whatever_is_under_the_attribute_is_kept(item in tokens()) {
        let Ok(item) = item.parse::<TokenStream>() else { return Ok(()); };
        let expansion = pipeline::test(TokenStream::new(), item.clone(), &Environment::default());
        prop_assert!(expansion.to_string().ends_with(&item.to_string()));
    }
}
