//! A plan in which every field of every kind of thing is set.

use std::collections::BTreeMap;
use std::time::Duration;

use seatrial_model::placeholder::{Declared, Names, RawTemplate};
use seatrial_model::{
    Artifact, Build, Check, CheckKind, EnvVar, File, FileContent, HostEntry, ImageTemplate, Job,
    Mount, MountMode, Origin, Plan, Port, Protocol, Pull, Scope, ServicePlan, Setup, SetupKind,
    Source, Template, Timing, Tmpfs, Ulimit, Volume,
};

pub(super) fn plan() -> Plan {
    let bin = |base, package| Origin::Bin {
        name: text("server"),
        binding: 0,
        base,
        package,
    };
    let build = Build {
        context: text("docker"),
        dockerfile: text("Dockerfile"),
        target: Some(text("server")),
        args: vec![EnvVar {
            name: text("VERSION"),
            value: template(),
        }],
    };
    let digest = format!("registry:5000/a/b@sha256:{}", "0123456789abcdef".repeat(4));
    Plan {
        name: text("Shop"),
        services: vec![
            service(Origin::Image(image(&digest)), true),
            service(bin(None, None), false),
            service(
                bin(Some(image("debian:{$RELEASE:-12}")), Some(text("shop"))),
                true,
            ),
            service(Origin::Build(build), true),
            ServicePlan::new("bare", Origin::Image(image("redis"))),
        ],
    }
}

pub(super) fn text(text: &str) -> String {
    text.to_owned()
}

fn image(reference: &str) -> ImageTemplate {
    reference.parse().expect("an image")
}

/// Text with every kind of placeholder.
fn template() -> Template {
    let ports = [Port {
        name: Some(text("metrics")),
        number: 9187,
    }];
    let declared = |field, ports| Declared { field, ports };
    let names = Names {
        services: &[declared("own", &[]), declared("db", &ports)],
        own: 0,
        own_allowed: false,
        source_mounted: true,
    };
    RawTemplate::parse("\u{e9} {{ {db} {db.host} {db.port.metrics} {source} {$LEVEL:-info} {$HOME}")
        .expect("a template")
        .resolve(names)
        .expect("its names are there")
}

/// A service that sets everything. Without `..`, so that a new field is not forgotten here.
fn service(origin: Origin, variant: bool) -> ServicePlan {
    let mode = if variant {
        MountMode::Rw
    } else {
        MountMode::Ro
    };
    let maybe = |value: &str| variant.then(|| text(value));
    let kinds = [
        CheckKind::Tcp {
            ports: vec![1, u16::MAX],
        },
        CheckKind::Log {
            text: text("ready"),
            times: u32::MAX,
        },
        CheckKind::Http {
            port: 80,
            path: text("/?q"),
            status: variant.then_some(204),
        },
        CheckKind::Protocol {
            protocol: Protocol::Postgres,
            port: 5432,
        },
        CheckKind::Exec {
            command: vec![template()],
        },
        CheckKind::Healthcheck,
        CheckKind::Running,
        CheckKind::Probe {
            image: image("alpine:3"),
            command: vec![template()],
        },
        CheckKind::Hook {
            binding: usize::MAX,
            name: text("crate::migrate"),
        },
    ];
    ServicePlan {
        field: text("user_db"),
        name: text("user-db"),
        origin,
        scope: if variant { Scope::Keep } else { Scope::Test },
        keep: variant.then_some(Duration::from_secs(7200)),
        ports: vec![Port {
            name: maybe("metrics"),
            number: u16::MAX,
        }],
        env: vec![EnvVar {
            name: text("URL"),
            value: template(),
        }],
        command: variant.then(|| vec![template(), Template::literal("")]),
        entrypoint: variant.then(Vec::new),
        user: maybe("1000:1000"),
        workdir: maybe("/w"),
        tmpfs: vec![Tmpfs {
            at: text("/t"),
            size: variant.then_some(u64::MAX),
        }],
        volumes: vec![Volume {
            name: maybe("data"),
            at: text("/v"),
        }],
        mounts: vec![Mount {
            from: text("m"),
            at: text("/m"),
            mode,
        }],
        files: vec![
            File {
                at: text("/f"),
                content: FileContent::Text(template()),
            },
            File {
                at: text("/g"),
                content: FileContent::Included(1),
            },
        ],
        labels: BTreeMap::from([(text("a"), text("b")), (text(""), text("\n\""))]),
        hosts: vec![HostEntry {
            name: text("h"),
            address: text("host-gateway"),
        }],
        memory: variant.then_some(1 << 40),
        shm_size: variant.then_some(0),
        ulimits: vec![Ulimit {
            name: text("nofile"),
            soft: -1,
            hard: i64::MAX,
        }],
        sysctls: BTreeMap::from([(text("net.core.somaxconn"), text("1024"))]),
        cap_add: vec![text("NET_ADMIN")],
        privileged: variant,
        platform: maybe("linux/amd64"),
        stop_signal: maybe("SIGINT"),
        pull: if variant { Pull::Always } else { Pull::Never },
        needs: vec![0, usize::MAX],
        ready: kinds.map(|kind| Check { kind }).into(),
        timing: Timing {
            timeout: variant.then_some(Duration::MAX),
            interval: variant.then_some(Duration::from_nanos(1)),
            delay: Duration::from_millis(1500),
            successes: 1,
            failures: variant.then_some(3),
        },
        setups: setups(),
        source: if variant {
            Source::Mounted {
                from: Some(text("src")),
                at: text("/workspace"),
                mode,
            }
        } else {
            Source::None
        },
        job: variant.then(|| Job {
            artifacts: vec![Artifact {
                from: text("/reports"),
                to: text("target/reports"),
            }],
        }),
    }
}

/// Every kind of setup.
fn setups() -> Vec<Setup> {
    let env = || {
        vec![EnvVar {
            name: text("PGPASSWORD"),
            value: template(),
        }]
    };
    let exec = SetupKind::Exec {
        command: vec![template()],
        env: env(),
    };
    let container = SetupKind::Container {
        image: image("sqlx:0.8"),
        command: vec![template()],
        env: env(),
    };
    let hook = SetupKind::Hook {
        binding: 3,
        name: text("migrate"),
    };
    let setup = |kind, key: Option<usize>| Setup {
        name: key.map(|_| text("schema")),
        kind,
        timeout: key.map(|_| Duration::from_secs(1)),
        key,
    };
    vec![
        setup(exec, Some(0)),
        setup(container, None),
        setup(hook, Some(1)),
    ]
}
