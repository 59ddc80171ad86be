//! One mistake gives one message: its consequences are not reported.

use proc_macro2::TokenStream;
use quote::quote;

use crate::environment::Environment;

fn one_message(fields: TokenStream) -> String {
    one_message_of(quote!(#[composition(source(none))] struct Shop { #fields }))
}

fn one_message_of(item: TokenStream) -> String {
    let messages = super::composition(item, &Environment::default())
        .map(drop)
        .expect_err("there is a mistake");
    match <[String; 1]>::try_from(messages) {
        Ok([message]) => message,
        Err(messages) => panic!("one mistake, and {messages:#?}"),
    }
}

#[test]
fn a_malformed_port_is_not_an_absent_port() {
    for port in [
        quote!(port = 0),
        quote!(port),
        quote!(port = ),
        quote!(prot = 80),
        quote!(ports(80, admin =)),
        quote!(ports(80, 80)),
    ] {
        one_message(quote! {
            #[service(image = "a", #port, ready(http = "/"))] a: Service,
            #[service(image = "b", env(A = "{a}", ADMIN = "{a.port.admin}"), ready(running))] b: Service,
        });
    }
}

#[test]
fn a_malformed_image_is_not_an_absent_image() {
    for image in [
        quote!(image),
        quote!(image = ),
        quote!(image = "A"),
        quote!(imgae = "a"),
        quote!(binary = "a"),
        quote!(bin = 1),
        quote!(bin(package)),
        quote!(bin(name = "a")),
        quote!(build = 1),
        quote!(build(target = "a")),
        quote!(dockerfile = "a"),
        quote!(image = "a", image = "b"),
        quote!(base = "a"),
    ] {
        one_message(quote!(#[service(port = 80, #image)] a: Service));
    }
}

#[test]
fn a_malformed_scope_is_not_a_shorter_one() {
    for scope in [
        quote!(scope = binry),
        quote!(scpoe = binary),
        quote!(scope = ),
        quote!(scope),
    ] {
        one_message(quote! {
            #[service(image = "a", #scope, ready(running))] a: Service,
            #[service(image = "b", scope = binary, needs(a), ready(running))] b: Service,
        });
    }
}

#[test]
fn a_malformed_scope_does_not_make_keep_a_mistake() {
    for (composition, service) in [
        (quote!(scope = kept), quote!()),
        (quote!(scpoe = keep), quote!()),
        (quote!(scope = ), quote!()),
        (quote!(), quote!(scope = kept)),
        (quote!(), quote!(scpoe = keep)),
        (quote!(keep = "2h"), quote!(scope = kept)),
        (quote!(scope = keep, keep = "2"), quote!()),
        (quote!(scope = keep), quote!(kep = "2h")),
    ] {
        one_message_of(quote! {
            #[composition(source(none), #composition)]
            struct Shop {
                #[service(image = "a", keep = "30m", ready(running), #service)] a: Service,
            }
        });
    }
    for item in [
        quote!(
            #[composition]
            struct Shop {
                #[service(image = "a", keep = "2h", ready(running))]
                a: Service,
            }
        ),
        quote!(
            #[composition(keep = "2h")]
            struct Shop {
                a: Service,
            }
        ),
        quote!(
            #[composition(keep = "2h")]
            struct Shop {
                #[service]
                a: Service,
            }
        ),
        quote!(
            #[composition(keep = "2h")]
            enum Shop {
                A,
            }
        ),
    ] {
        one_message_of(item);
    }
}

#[test]
fn a_malformed_service_exists() {
    for service in [
        quote!(),
        quote!(#[service]),
        quote!(#[service = "a"]),
        quote!(#[job(image = "a")]),
        quote!(#[compose]),
        quote!(#[service(image = "a", ready(running))] #[service(port = 80)]),
    ] {
        one_message(quote! {
            #service a: Service,
            #[service(image = "b", needs(a), env(A = "{a}"), ready(running))] b: Service,
        });
    }
}

#[test]
fn a_malformed_check_is_not_an_absent_check() {
    for ready in [
        quote!(htpp = "/", status = 200),
        quote!(http = "no path", status = 200),
        quote!(log = "", times = 2),
        quote!(image = "A", run = "true"),
        quote!(image = , run = "true"),
        quote!(tcp = 0),
        quote!(postgres = 0),
        quote!(postgres("5432")),
        quote!(postgresql, port = 80),
    ] {
        one_message(quote!(#[service(image = "a", port = 80, ready(#ready))] a: Service));
    }
}

#[test]
fn a_malformed_setup_is_not_an_absent_setup() {
    for setup in [
        quote!(setup),
        quote!(setup()),
        quote!(setup("psql")),
        quote!(setup(sql = "SELECT 1")),
        quote!(setup(exce = "psql", env(A = "1"))),
        quote!(setup(command = "psql", timeout = "1m")),
        quote!(setup(exec = )),
        quote!(setup(exec = "psql '")),
        quote!(setup(image = "A", run = "true")),
        quote!(setup(image = "a", run = [])),
        quote!(setup(image = "a")),
        quote!(setup(run = "true")),
        quote!(setup(run = "true", env(A = "1"))),
        quote!(setup(exec = "true", run = "true")),
        quote!(setup(with = |_| ())),
        quote!(setup(with = a::b, env(A = "1"))),
        quote!(setup(exec = "true", with = a::b, env(A = "1"))),
        quote!(setup(exec = "{x}", key = 1)),
    ] {
        one_message(quote!(#[service(image = "a", #setup, ready(running))] a: Service));
    }
}

#[test]
fn a_cycle_is_one_mistake() {
    let message = one_message(quote! {
        #[service(image = "a", port = 1, env(ONE = "{b}", TWO = "{b}"))] a: Service,
        #[service(image = "b", port = 1, needs(a), command = "{a}")] b: Service,
    });
    assert!(message.contains("a -> b -> a"), "{message}");
}

#[test]
fn a_planned_key_is_not_suggested() {
    let message =
        one_message(quote!(#[service(image = "a", xyzzy = 1, ready(running))] a: Service));
    assert!(message.contains("`image`, `bin`"), "{message}");
    assert!(!message.contains("`url`"), "{message}");
}

#[test]
fn a_size_of_zero_is_one_mistake() {
    for size in [
        quote!(tmpfs("/a" = "0")),
        quote!(memory = "0m"),
        quote!(shm_size = "0k"),
    ] {
        let found = one_message(quote!(#[service(image = "a", #size, ready(running))] a: Service));
        assert!(found.contains("engines treat 0 as no limit;"), "{found}");
    }
}

#[test]
fn each_malformed_value_has_its_own_reason() {
    for (settings, message) in [
        (
            quote!(labels("" = "shop")),
            "invalid label ``: expected a name, such as",
        ),
        (
            quote!(labels("dev.seatrial.run" = "1")),
            "invalid label `dev.seatrial.run`: the prefix `dev.seatrial.` is reserved;",
        ),
        (
            quote!(tmpfs("/a\0b")),
            "`: NUL is not supported; write the path without it",
        ),
        (
            quote!(tmpfs("/a/../b")),
            "invalid path `/a/../b`: `..` is not supported;",
        ),
    ] {
        let found =
            one_message(quote!(#[service(image = "a", #settings, ready(running))] a: Service));
        assert!(found.contains(message), "{found}");
    }
}

#[test]
fn a_file_below_a_mount_is_one_mistake() {
    for (message, targets) in [
        (
            "the file `/out/a` is below the mount at `/out`;",
            quote!(mount("m" = "/out"), files("/out/a" = "x")),
        ),
        (
            "the file `/out/in/a` is below the tmpfs at `/out/in`;",
            quote!(
                mount("m" = "/out"),
                tmpfs("/out/in"),
                files("//out/./in/a/" = "x")
            ),
        ),
        (
            "the file `/etc/app/app.conf` is below the tmpfs at `/etc/app`;",
            quote!(tmpfs("/etc/app"), files("/etc/app/app.conf" = "x")),
        ),
        (
            "the file `/dev/shm/a` is below `/dev`, where the engine mounts its own",
            quote!(files("/dev/shm/a" = "x")),
        ),
        (
            "the path `/out/a` is already used by a mount;",
            quote!(mount("m" = "/out", "n" = "/out/a/."), files("/out/a" = "x")),
        ),
        (
            "the volume at `/out/a` is below the file `/out`;",
            quote!(volume("/out/a"), files("/out" = "x")),
        ),
        (
            "it is the root of the container's file system;",
            quote!(tmpfs("/./")),
        ),
    ] {
        let found =
            one_message(quote!(#[service(image = "a", #targets, ready(running))] a: Service));
        assert!(found.contains(message), "{found}");
    }
}

#[test]
fn an_attribute_in_the_wrong_place_is_one_mistake() {
    for (part, item) in [
        (
            "write `#[composition(scope = binary)]` here instead",
            quote! {
                #[composition(source(none))]
                #[service(scope = binary)]
                struct Shop {
                    #[service(image = "a", ready(running))] a: Service,
                    #[service(image = "b", scope = binary, needs(a), ready(running))] b: Service,
                }
            },
        ),
        (
            "move it above the field of that service",
            quote! {
                #[composition(source(none))]
                #[service(image = "a", scope = binary, ready(running))]
                struct Shop { #[service(image = "a", ready(running))] a: Service }
            },
        ),
        (
            "`#[compose]` is not supported yet",
            quote! {
                #[composition(source(none))]
                #[compose]
                struct Shop { #[service(image = "a", ready(running))] a: Service }
            },
        ),
        (
            "write `scope = binary, keep = \"2h\"` in this field's `#[service(..)]`",
            quote! {
                #[composition(source(none))]
                struct Shop {
                    #[composition(scope = binary, keep = "2h")] #[service(image = "a", ready(running))] a: Service,
                    #[service(image = "b", scope = binary, needs(a), ready(running))] b: Service,
                }
            },
        ),
        (
            "write `#[service(image = \"name:tag\", scope = run)]` instead",
            quote! {
                #[composition(source(none))]
                struct Shop { #[composition(scope = run)] a: Service }
            },
        ),
        (
            "move it above the struct",
            quote! {
                #[composition(source(none))]
                struct Shop { #[composition(crate = trial)] #[service(image = "a", ready(running))] a: Service }
            },
        ),
    ] {
        let message = one_message_of(item);
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_service_declares_its_readiness() {
    for (service, name) in [
        (quote!(#[service(image = "a")] a: Service), "`a`"),
        (
            quote!(#[service(bin = "b", command = "b")] r#type: Service),
            "`type`",
        ),
        // A time-out is not a check.
        (
            quote!(#[service(image = "a", ready(timeout = "1m"))] c: Service),
            "`c`",
        ),
    ] {
        let message = one_message(service);
        assert!(
            message.starts_with(&format!("{name} has neither a port nor a readiness check;")),
            "{message}"
        );
        assert!(message.contains("`ready(running)`"), "{message}");
    }
    // A malformed key may have been meant as one.
    for part in [
        quote!(ready(runing)),
        quote!(raedy(log = "up")),
        quote!(prot = 80),
        quote!(ready(log = "")),
        quote!(80),
    ] {
        one_message(quote!(#[service(image = "a", #part)] a: Service));
    }
}
