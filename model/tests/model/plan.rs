//! Whole plans: JSON and back, and what their `Debug` form shows.

use std::time::Duration;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample;
use seatrial_model::placeholder::{Declared, Names, RawTemplate};
use seatrial_model::{
    Artifact, Build, Check, CheckKind, EnvVar, File, FileContent, HostEntry, ImageTemplate, Job,
    Mount, MountMode, Origin, Plan, Port, Protocol, Pull, Scope, ServicePlan, Setup, SetupKind,
    Source, Template, Timing, Tmpfs, Ulimit, Volume,
};

fn image() -> impl Strategy<Value = ImageTemplate> {
    let variables = ["a:{$TAG:-1}", "{$REGISTRY}/a", "a@{$DIGEST}"];
    let variables = prop::sample::select(variables.to_vec()).prop_map(str::to_owned);
    prop_oneof![crate::image::reference(), variables].prop_map(|text| text.parse().unwrap())
}

fn text() -> impl Strategy<Value = String> {
    "[a-z\u{e9}\"\\\\\n]{0,5}"
}

fn template() -> impl Strategy<Value = Template> {
    let part = prop_oneof![
        text(),
        Just("{db}".to_owned()),
        Just("{db.host}".to_owned()),
        Just("{db.port.1}".to_owned()),
        Just("{source}".to_owned()),
        Just("{$DB_PASSWORD:-salt}".to_owned()),
        Just("{$LEVEL}".to_owned()),
    ];
    vec(part, 0..3).prop_map(|parts| resolved(&parts.concat()))
}

/// `text` in a service beside `db`, which is at position 1 and serves port 1.
pub(crate) fn resolved(text: &str) -> Template {
    let ports = [Port {
        name: None,
        number: 1,
    }];
    let declared = |field, ports| Declared { field, ports };
    let names = Names {
        services: &[declared("own", &[]), declared("db", &ports)],
        own: 0,
        own_allowed: false,
        source_mounted: true,
    };
    RawTemplate::parse(text).unwrap().resolve(names).unwrap()
}

fn duration() -> impl Strategy<Value = Duration> {
    any::<Duration>()
}

fn mode() -> impl Strategy<Value = MountMode> {
    prop_oneof![Just(MountMode::Ro), Just(MountMode::Rw)]
}

fn check() -> impl Strategy<Value = Check> {
    prop_oneof![
        vec(any::<u16>(), 1..3).prop_map(|ports| CheckKind::Tcp { ports }),
        (text(), any::<u32>()).prop_map(|(text, times)| CheckKind::Log { text, times }),
        (any::<u16>(), text(), option::of(any::<u16>()))
            .prop_map(|(port, path, status)| CheckKind::Http { port, path, status }),
        (sample::select(&Protocol::ALL[..]), any::<u16>())
            .prop_map(|(protocol, port)| CheckKind::Protocol { protocol, port }),
        vec(template(), 1..3).prop_map(|command| CheckKind::Exec { command }),
        Just(CheckKind::Healthcheck),
        (image(), vec(template(), 1..3))
            .prop_map(|(image, command)| CheckKind::Probe { image, command }),
        (any::<usize>(), text()).prop_map(|(binding, name)| CheckKind::Hook { binding, name }),
    ]
    .prop_map(|kind| Check { kind })
}

fn env() -> impl Strategy<Value = Vec<EnvVar>> {
    vec(
        (text(), template()).prop_map(|(name, value)| EnvVar { name, value }),
        0..3,
    )
}

fn setup() -> impl Strategy<Value = Setup> {
    let command = || vec(template(), 1..3);
    let kind = prop_oneof![
        (command(), env()).prop_map(|(command, env)| SetupKind::Exec { command, env }),
        (image(), command(), env()).prop_map(|(image, command, env)| SetupKind::Container {
            image,
            command,
            env
        }),
        (any::<usize>(), text()).prop_map(|(binding, name)| SetupKind::Hook { binding, name }),
    ];
    let key = option::of(any::<usize>());
    (option::of(text()), kind, option::of(duration()), key).prop_map(
        |(name, kind, timeout, key)| Setup {
            name,
            kind,
            timeout,
            key,
        },
    )
}

fn timing() -> impl Strategy<Value = Timing> {
    (
        option::of(duration()),
        option::of(duration()),
        duration(),
        any::<u32>(),
        option::of(any::<u32>()),
    )
        .prop_map(|(timeout, interval, delay, successes, failures)| Timing {
            timeout,
            interval,
            delay,
            successes,
            failures,
        })
}

fn origin() -> impl Strategy<Value = Origin> {
    prop_oneof![
        image().prop_map(Origin::Image),
        (
            text(),
            any::<usize>(),
            option::of(image()),
            option::of(text())
        )
            .prop_map(|(name, binding, base, package)| Origin::Bin {
                name,
                binding,
                base,
                package,
            }),
        (text(), text(), option::of(text()), env()).prop_map(
            |(context, dockerfile, target, args)| {
                Origin::Build(Build {
                    context,
                    dockerfile,
                    target,
                    args,
                })
            }
        ),
    ]
}

fn source() -> impl Strategy<Value = Source> {
    prop_oneof![
        Just(Source::None),
        (option::of(text()), text(), mode()).prop_map(|(from, at, mode)| Source::Mounted {
            from,
            at,
            mode
        }),
    ]
}

/// Mounts of every kind.
fn storage() -> impl Strategy<Value = (Vec<Tmpfs>, Vec<Volume>, Vec<Mount>, Vec<File>)> {
    let tmpfs = (text(), option::of(any::<u64>())).prop_map(|(at, size)| Tmpfs { at, size });
    let volume = (option::of(text()), text()).prop_map(|(name, at)| Volume { name, at });
    let mount = (text(), text(), mode()).prop_map(|(from, at, mode)| Mount { from, at, mode });
    let content = prop_oneof![
        template().prop_map(FileContent::Text),
        any::<usize>().prop_map(FileContent::Included),
    ];
    let file = (text(), content).prop_map(|(at, content)| File { at, content });
    (
        vec(tmpfs, 0..2),
        vec(volume, 0..2),
        vec(mount, 0..2),
        vec(file, 0..2),
    )
}

fn service() -> impl Strategy<Value = ServicePlan> {
    let port = (option::of(text()), any::<u16>()).prop_map(|(name, number)| Port { name, number });
    let host = (text(), text()).prop_map(|(name, address)| HostEntry { name, address });
    let ulimit = (text(), any::<i64>(), any::<i64>()).prop_map(|(name, soft, hard)| Ulimit {
        name,
        soft,
        hard,
    });
    let words = || option::of(vec(template(), 0..3));
    let maybe = || option::of(text());
    let scope = prop::sample::select(Scope::ALL.to_vec());
    let artifact = (text(), text()).prop_map(|(from, to)| Artifact { from, to });
    let job = vec(artifact, 0..3).prop_map(|artifacts| Job { artifacts });
    let pull = prop_oneof![Just(Pull::Missing), Just(Pull::Always), Just(Pull::Never)];
    (
        (
            origin(),
            (scope, option::of(any::<Duration>())),
            pull,
            (source(), option::of(job)),
            timing(),
            storage(),
        ),
        (vec(port, 0..3), env(), vec(host, 0..2), vec(ulimit, 0..2)),
        (
            text(),
            words(),
            words(),
            vec(check(), 0..3),
            vec(setup(), 0..3),
            vec(any::<usize>(), 0..3),
        ),
        (
            maybe(),
            maybe(),
            maybe(),
            maybe(),
            vec(text(), 0..2),
            any::<bool>(),
        ),
        (
            btree_map(text(), text(), 0..3),
            btree_map(text(), text(), 0..3),
            option::of(any::<u64>()),
            option::of(any::<u64>()),
        ),
    )
        .prop_map(
            |(
                (
                    origin,
                    (scope, keep),
                    pull,
                    (source, job),
                    timing,
                    (tmpfs, volumes, mounts, files),
                ),
                (ports, env, hosts, ulimits),
                (field, command, entrypoint, ready, setups, needs),
                (user, workdir, platform, stop_signal, cap_add, privileged),
                (labels, sysctls, memory, shm_size),
            )| ServicePlan {
                name: field.clone(),
                field,
                origin,
                scope,
                keep,
                ports,
                env,
                command,
                entrypoint,
                user,
                workdir,
                tmpfs,
                volumes,
                mounts,
                files,
                labels,
                hosts,
                memory,
                shm_size,
                ulimits,
                sysctls,
                cap_add,
                privileged,
                platform,
                stop_signal,
                pull,
                needs,
                ready,
                timing,
                setups,
                source,
                job,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn plans_survive_json(services in vec(service(), 0..3), name in text()) {
        let plan = Plan { name, services };
        let json = serde_json::to_string(&plan).unwrap();
        prop_assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan.clone());
        // Whatever is in it, it can be shown.
        let shown = format!("{plan:?}{plan:#?}");
        prop_assert!(!shown.is_empty());
    }
}

/// A service with nothing but a name.
pub(crate) fn bare(name: &str) -> ServicePlan {
    ServicePlan {
        name: name.to_owned(),
        ..ServicePlan::new(name, Origin::Image("redis:7".parse().unwrap()))
    }
}

pub(crate) fn variable(name: &str, value: &str) -> EnvVar {
    EnvVar {
        name: name.to_owned(),
        value: resolved(value),
    }
}

#[test]
fn debug_shows_no_secret_of_the_environment() {
    let mut db = bare("database");
    db.env = vec![
        variable("MARIADB_ROOT_PASSWORD", "salt"),
        variable("MARIADB_DATABASE", "shop"),
        variable("API_KEY", "tricky\"\\quote"),
    ];
    db.ready = vec![Check {
        kind: CheckKind::Exec {
            command: vec![
                Template::literal("mariadb-admin"),
                Template::literal("-psalt"),
            ],
        },
    }];
    db.setups = vec![Setup {
        name: None,
        kind: SetupKind::Exec {
            command: vec![Template::literal("seed"), Template::literal("--as=cumin")],
            env: vec![variable("SEED_PASSWORD", "cumin")],
        },
        timeout: None,
        key: None,
    }];
    let mut app = bare("app");
    app.env = vec![
        variable("DATABASE_URL", "mysql://root:pepper@{db}/shop"),
        variable("CACHE", "redis://{db.host}:{db.port}"),
    ];
    app.command = Some(vec![
        Template::literal("--db-password=salt"),
        Template::literal("pepper"),
    ]);
    app.files = vec![File {
        at: "/etc/app.toml".to_owned(),
        content: FileContent::Text(Template::literal("key = tricky\"\\quote")),
    }];
    let plan = Plan {
        name: "Shop".to_owned(),
        services: vec![db.clone(), app.clone()],
    };
    for shown in [format!("{plan:?}"), format!("{plan:#?}")] {
        for secret in ["salt", "cumin", "pepper", "tricky", "quote"] {
            assert!(!shown.contains(secret), "{secret} is in {shown}");
        }
        for open in [
            "Shop",
            "database",
            "shop",
            "MARIADB_ROOT_PASSWORD",
            "/etc/app.toml",
            "{1.host}",
        ] {
            assert!(shown.contains(open), "{open} is not in {shown}");
        }
        assert!(shown.contains("mysql://root:[hidden]@{1}/shop"), "{shown}");
    }
    assert!(!format!("{db:?}").contains("salt"));
    assert!(!format!("{:?}", app.env).contains("pepper"));
    assert!(!format!("{:?}", db.env).contains("salt"));
}

#[test]
fn debug_shows_the_names_that_have_a_secrets_word() {
    let mut db = bare("postgres");
    db.origin = Origin::Image("postgres:17".parse().unwrap());
    db.env = vec![EnvVar {
        name: "POSTGRES_PASSWORD".to_owned(),
        value: Template::literal("postgres"),
    }];
    db.command = Some(vec![Template::literal("-c postgres -ppostgres")]);
    let plan = Plan {
        name: "postgres".to_owned(),
        services: vec![db],
    };
    for shown in [format!("{plan:?}"), format!("{plan:#?}")] {
        assert!(shown.contains("path: \"postgres\""), "{shown}");
        assert!(shown.contains("name: \"postgres\""), "{shown}");
        assert!(shown.contains("-c [hidden] -p[hidden]"), "{shown}");
        assert!(shown.contains("POSTGRES_PASSWORD=[hidden]"), "{shown}");
    }
}

#[test]
fn templates_are_shown_with_positions() {
    assert_eq!(format!("{:?}", resolved("a {db}\n")), "\"a {1}\\n\"");
}

#[test]
fn a_longer_life_is_greater() {
    assert!(Scope::Binary > Scope::Test);
    assert!(Scope::Run > Scope::Binary);
    assert!(Scope::Keep > Scope::Run);
    assert!(Scope::ALL.is_sorted());
    assert_eq!(Scope::default(), Scope::Test);
}

#[test]
fn a_scope_has_one_word_everywhere() {
    assert_eq!(
        Scope::ALL.map(Scope::as_str),
        ["test", "binary", "run", "keep"]
    );
    for scope in Scope::ALL {
        let json = serde_json::to_value(scope).unwrap();
        assert_eq!(json, scope.as_str());
        assert_eq!(serde_json::from_value::<Scope>(json).unwrap(), scope);
    }
}
