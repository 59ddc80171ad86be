//! The plan of a declaration.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::quote;
use seatrial_model::{CheckKind, Origin, Protocol, Scope, SetupKind, Source};

use super::plan_of;

#[test]
fn placeholders_and_needs_are_edges_once_each_and_ascending() {
    let plan = plan_of(quote! {
        #[service(image = "a", ready(running))] a: Service,
        #[service(image = "b", port = 80)] b: Service,
        #[service(
            image = "c",
            needs(b),
            env(B = "{b}", AGAIN = "http://{b}/"),
            command = "serve --for {a.host}",
            ready(running),
        )]
        c: Service,
        #[service(image = "d", port = 1, ready(exec = "probe {self} {c.host}"))] d: Service,
    })
    .expect("it is well formed");
    let needs: Vec<&[usize]> = plan
        .services
        .iter()
        .map(|service| &service.needs[..])
        .collect();
    assert_eq!(needs, [&[][..], &[], &[0, 1], &[2]]);
}

#[test]
fn a_service_has_the_defaults_of_its_composition() {
    let plan = super::composition(
        quote! {
            #[composition(scope = binary, source(none))]
            struct Shop {
                #[service(image = "a", ready(running))] a: Service,
                #[service(image = "b", scope = test, source(at = "/src", mode = rw), ready(running))] user_db: Service,
            }
        },
        &crate::environment::Environment::default(),
    )
    .expect("it is well formed");
    let [a, b] = &plan.services[..] else {
        panic!("two services");
    };
    assert_eq!((a.scope, &a.source), (Scope::Binary, &Source::None));
    assert_eq!(b.scope, Scope::Test);
    assert!(matches!(&b.source, Source::Mounted { at, .. } if at == "/src"));
    assert_eq!((plan.name.as_str(), b.name.as_str()), ("Shop", "user-db"));
}

#[test]
fn ready_takes_several_kinds_and_one_timing() {
    let plan = plan_of(quote! {
        #[service(
            image = "a",
            ports(80, metrics = 9187),
            ready(
                tcp,
                http = "/health", port = metrics, status = 204,
                log = "started", times = 2,
                exec = "a && b",
                image = "probe:1", run = ["probe", "{self.host}"],
                with = hooks::seeded,
                healthcheck,
                timeout = "1m", interval = "10ms", delay = "5ms", successes = 3, failures = 4,
            ),
        )]
        a: Service,
    })
    .expect("it is well formed");
    let service = &plan.services[0];
    let kinds: Vec<&CheckKind> = service.ready.iter().map(|check| &check.kind).collect();
    assert_eq!(
        kinds[0],
        &CheckKind::Tcp {
            ports: vec![80, 9187]
        }
    );
    assert_eq!(
        kinds[1],
        &CheckKind::Log {
            text: "started".to_owned(),
            times: 2
        }
    );
    let http = CheckKind::Http {
        port: 9187,
        path: "/health".to_owned(),
        status: Some(204),
    };
    assert_eq!(kinds[2], &http);
    assert!(matches!(kinds[3], CheckKind::Exec { command } if command.len() == 3));
    assert_eq!(kinds[4], &CheckKind::Healthcheck);
    assert!(matches!(kinds[5], CheckKind::Probe { command, .. } if command.len() == 2));
    let hook = CheckKind::Hook {
        binding: 0,
        name: "hooks::seeded".to_owned(),
    };
    assert_eq!(kinds[6], &hook);
    assert_eq!(service.timing.timeout, Some(Duration::from_secs(60)));
    assert_eq!(service.timing.delay, Duration::from_millis(5));
    assert_eq!(
        (service.timing.successes, service.timing.failures),
        (3, Some(4))
    );
}

/// The checks of a service that is declared so.
fn checks(service: &TokenStream) -> Vec<CheckKind> {
    let plan = plan_of(quote!(#[service(#service)] a: Service));
    let plan = plan.unwrap_or_else(|messages| panic!("{service}: {messages:?}"));
    let [service] = plan.services.try_into().expect("one service");
    service.ready.into_iter().map(|check| check.kind).collect()
}

fn spoken(protocol: Protocol, port: u16) -> CheckKind {
    CheckKind::Protocol { protocol, port }
}

#[test]
fn a_protocol_check_uses_the_named_port_or_its_own_or_the_only_one() {
    for (ports, check, port) in [
        (quote!(port = 5432), quote!(postgres), 5432),
        (quote!(port = 4000), quote!(postgres), 4000),
        (quote!(ports(4000, 5432)), quote!(postgres), 5432),
        (quote!(ports(4000, 5432)), quote!(postgres = 4000), 4000),
        (
            quote!(ports(4000, sql = 4001)),
            quote!(postgres = sql),
            4001,
        ),
        (
            quote!(ports(4000, sql = 4001)),
            quote!(postgres = "sql"),
            4001,
        ),
    ] {
        let found = checks(&quote!(image = "a", #ports, ready(#check)));
        assert_eq!(found, [spoken(Protocol::Postgres, port)], "{ports} {check}");
    }
    let several = quote!(
        image = "a",
        ports(4222, 5672),
        ready(amqp, nats, http = "/", port = 4222)
    );
    let found = checks(&several);
    assert_eq!(
        found[1..],
        [spoken(Protocol::Amqp, 5672), spoken(Protocol::Nats, 4222)]
    );
}

#[test]
fn a_known_image_is_checked_in_its_protocol_unless_ready_overrides_it() {
    for protocol in Protocol::ALL {
        let port = protocol.port();
        for image in protocol.images() {
            let image = format!("registry.example/team/{image}:1");
            let found = checks(&quote!(image = #image, port = #port));
            assert_eq!(found, [spoken(protocol, port)], "{image}");
        }
    }
    let redis = [spoken(Protocol::Redis, 6379)];
    for by_default in [
        quote!(ports(6379, metrics = 9121)),
        quote!(
            port = 6379,
            ready(timeout = "2m", interval = "10ms", failures = 3)
        ),
        quote!(port = 6379, command = "--save ''"),
    ] {
        assert_eq!(
            checks(&quote!(image = "redis:7", #by_default)),
            redis,
            "{by_default}"
        );
    }
    for without in [
        quote!(image = "redis:7", port = 6380),
        quote!(image = "redis:7", ports(6380, 9121)),
        quote!(image = "debian:bookworm-slim", port = 6379),
        quote!(bin = "redis", base = "redis:7", port = 6379),
    ] {
        assert_eq!(checks(&without), [], "{without}");
    }
    let tcp = [CheckKind::Tcp { ports: vec![6379] }];
    assert_eq!(
        checks(&quote!(image = "redis:7", port = 6379, ready(tcp))),
        tcp
    );
    let running = [CheckKind::Running];
    assert_eq!(
        checks(&quote!(image = "redis:7", port = 6379, ready(running))),
        running
    );
}

/// The documentation's table is that of the code.
#[test]
fn known_images_are_documented() {
    let documentation = include_str!("../../docs/composition.md");
    for protocol in Protocol::ALL {
        let images: Vec<String> = protocol
            .images()
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        let row = format!(
            "| `{}` | {} | {} |",
            protocol.as_str(),
            protocol.port(),
            images.join(", ")
        );
        assert!(documentation.contains(&row), "missing: {row}");
    }
}

#[test]
fn setups_keep_their_order_and_each_may_have_a_key() {
    let plan = plan_of(quote! {
        #[service(
            image = "a",
            port = 80,
            ready(with = hooks::seeded),
            setup(exec = "psql -f /x.sql && true", env(A = "{self}", B = "{b.host}"), name = "schema"),
            setup(with = hooks::migrate, key = include_str!("migrations.sql")),
            setup(image = "flyway:10", run = ["flyway", "-url={self.host}"], timeout = "2m", key = KEY),
        )]
        a: Service,
        #[service(image = "b", setup(exec = ["seed"], key = "v1"), setup(with = seed), ready(running))] b: Service,
    })
    .expect("it is well formed");
    let [first, second, third] = &plan.services[0].setups[..] else {
        panic!("three setups");
    };
    let SetupKind::Exec { command, env } = &first.kind else {
        panic!("{first:?} is not a command");
    };
    assert_eq!(command.len(), 3, "{command:?}");
    let names: Vec<&str> = env.iter().map(|variable| variable.name.as_str()).collect();
    assert_eq!(names, ["A", "B"]);
    assert_eq!((first.name.as_deref(), first.key), (Some("schema"), None));
    let hook = SetupKind::Hook {
        binding: 1,
        name: "hooks::migrate".to_owned(),
    };
    assert_eq!((&second.kind, second.key), (&hook, Some(0)));
    assert!(matches!(&third.kind, SetupKind::Container { command, .. } if command.len() == 2));
    assert_eq!(third.timeout, Some(Duration::from_secs(120)));
    assert_eq!((&third.name, third.key), (&None, Some(1)));
    let of_b = &plan.services[1].setups;
    assert_eq!((of_b[0].key, of_b[1].key), (Some(2), None));
    assert!(matches!(of_b[1].kind, SetupKind::Hook { binding: 2, .. }));
}

#[test]
fn a_service_that_a_setup_names_is_needed() {
    let plan = plan_of(quote! {
        #[service(image = "a", port = 1)] a: Service,
        #[service(image = "b", port = 1, setup(exec = "seed --from {a} {self}"))] b: Service,
        #[service(image = "c", setup(image = "x", run = "seed {b}"), setup(exec = "x", env(A = "{a}")), ready(running))]
        c: Service,
        #[service(image = "d", setup(with = seed), ready(running))] d: Service,
    })
    .expect("it is well formed");
    let services = plan.services.iter();
    let needs: Vec<&[usize]> = services.map(|service| &service.needs[..]).collect();
    assert_eq!(needs, [&[][..], &[0], &[0, 1], &[]]);
}

#[test]
fn a_binary_is_bound_once_however_many_services_run_it() {
    let plan = plan_of(quote! {
        #[service(bin = "shop", ready(running))] a: Service,
        #[service(bin = "worker", base = "debian:12", ready(running))] b: Service,
        #[service(bin = "shop", ready(running))] c: Service,
        #[service(bin(package = "shop"), ready(running))] d: Service,
        #[service(bin(package = "shop", name = "worker"), base = "debian:12", ready(running))] e: Service,
        #[service(bin(package = "shop", name = "shop"), ready(running))] f: Service,
    })
    .expect("it is well formed");
    let bound: Vec<(usize, Option<&str>, &str)> = plan
        .services
        .iter()
        .map(|service| match &service.origin {
            Origin::Bin {
                binding,
                package,
                name,
                ..
            } => (*binding, package.as_deref(), &**name),
            other => panic!("{other:?} is not a binary"),
        })
        .collect();
    assert_eq!(
        bound,
        [
            (0, None, "shop"),
            (1, None, "worker"),
            (0, None, "shop"),
            (2, Some("shop"), "shop"),
            (3, Some("shop"), "worker"),
            (2, Some("shop"), "shop"),
        ]
    );
}

#[test]
fn the_plan_of_a_binary_of_this_package_has_no_package() {
    let plan = plan_of(quote!(#[service(bin = "shop", ready(running))] a: Service));
    let plan = serde_json::to_string(&plan.expect("it is well formed")).expect("it is data");
    let origin = r#""origin":{"bin":{"name":"shop","binding":0,"base":null}}"#;
    assert!(plan.contains(origin), "{plan}");
}

#[test]
fn files_may_be_in_volumes_and_mounts_in_mounts() {
    let plan = super::composition(
        quote! {
            #[composition(source(none))]
            struct Shop {
                #[service(
                    image = "a",
                    mount("m" = "/out", "n" = "/out/in"),
                    tmpfs("/out/in/tmp"),
                    volume("/out/in/tmp/own", shared = "/shared"),
                    files("/out/in/tmp/own/a" = "x", "/shared//b/" = "x", "/workspace/c" = "x"),
                    ready(running),
                )]
                a: Service,
            }
        },
        &crate::environment::Environment::default(),
    )
    .expect("it is well formed");
    let files = plan.services[0].files.iter();
    let paths: Vec<&str> = files.map(|file| file.at.as_str()).collect();
    assert_eq!(paths, ["/out/in/tmp/own/a", "/shared/b", "/workspace/c"]);
}
