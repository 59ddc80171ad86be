//! `#[service(..)]`: the table of all its keys, and the readers of those for the origin, wiring and lifetime of a service or job.
//! The readers of those for its container are in `container.rs`.

use proc_macro2::Span;
use seatrial_model::{Port, command};
use syn::ext::IdentExt;
use syn::{Expr, Ident};

use super::arguments::{Argument, Name, Value};
use super::keys::{Key, Table, read_entries};
use super::{bin, build, container, habits, ports, ready, settings, setup, values, variables};
use crate::message;
use crate::report::Report;
use crate::syntax::{FileContentSyntax, FileSyntax, OriginSyntax, ScopeSyntax, Service, Spanned};

pub(super) const TABLE: Table<Service> = Table {
    place: "`#[service(..)]`",
    keys: KEYS,
    habits: habits::OF_SERVICES,
};

/// The form of `#[service]` in messages.
pub(super) const FORM: &str = "#[service(image = \"redis:7\", port = 6379)]";

// The rows that `#[job(..)]` has, too.
pub(super) const IMAGE: Key<Service> =
    Key::once("image", "image = \"redis:7\"", image).with_variables();
pub(super) const BIN: Key<Service> = Key::once("bin", bin::FORM, bin::bin).known_as(&["binary"]);
pub(super) const BASE: Key<Service> =
    Key::once("base", "base = \"debian:bookworm-slim\"", base).with_variables();
pub(super) const BUILD: Key<Service> = Key::once("build", build::FORM, build::build);
pub(super) const SCOPE: Key<Service> = Key::once("scope", "scope = binary", scope);
pub(super) const ENV: Key<Service> =
    Key::once("env", variables::FORM, env).known_as(variables::ALIASES);
pub(super) const ENTRYPOINT: Key<Service> =
    Key::once("entrypoint", "entrypoint = [\"/bin/server\"]", entrypoint);
pub(super) const NEEDS: Key<Service> = Key::once("needs", "needs(db, cache)", needs).known_as(&[
    "depends_on",
    "depends",
    "requires",
    "after",
    "links",
]);
pub(super) const FILES: Key<Service> =
    Key::once("files", "files(\"/etc/app.conf\" = \"content\")", files);
pub(super) const SOURCE: Key<Service> = Key::once("source", settings::SOURCE_FORM, source);
pub(super) const USER: Key<Service> = Key::once("user", "user = \"1000:1000\"", container::user);
pub(super) const WORKDIR: Key<Service> =
    Key::once("workdir", "workdir = \"/app\"", container::workdir).known_as(&[
        "working_dir",
        "work_dir",
        "working_directory",
        "cwd",
    ]);
pub(super) const TMPFS: Key<Service> = Key::once(
    "tmpfs",
    "tmpfs(\"/tmp\", \"/data\" = \"64m\")",
    container::tmpfs,
);
pub(super) const VOLUME: Key<Service> = Key::once(
    "volume",
    "volume(\"/cache\", data = \"/data\")",
    container::volume,
);
pub(super) const MOUNT: Key<Service> = Key::once("mount", container::MOUNT_FORM, container::mount)
    .known_as(&["mounts", "bind", "binds"])
    .repeating();
pub(super) const LABELS: Key<Service> = Key::once(
    "labels",
    "labels(\"com.example.team\" = \"shop\")",
    container::labels,
);
pub(super) const HOSTS: Key<Service> =
    Key::once("hosts", "hosts(\"name\" = \"192.0.2.1\")", container::hosts).known_as(&[
        "extra_hosts",
        "extra_host",
        "add_host",
    ]);
pub(super) const MEMORY: Key<Service> = Key::once("memory", "memory = \"512m\"", container::memory);
pub(super) const SHM_SIZE: Key<Service> =
    Key::once("shm_size", "shm_size = \"256m\"", container::shm_size);
pub(super) const ULIMITS: Key<Service> = Key::once(
    "ulimits",
    "ulimits(nofile = 1024, nproc = \"1024:2048\")",
    container::ulimits,
);
pub(super) const SYSCTLS: Key<Service> = Key::once(
    "sysctls",
    "sysctls(\"net.core.somaxconn\" = 1024)",
    container::sysctls,
)
.known_as(&["sysctl"]);
pub(super) const CAP_ADD: Key<Service> =
    Key::once("cap_add", "cap_add(\"NET_ADMIN\")", container::cap_add);
pub(super) const PRIVILEGED: Key<Service> = Key::once(
    "privileged",
    "privileged` or `privileged = true",
    container::privileged,
);
pub(super) const PLATFORM: Key<Service> = Key::once(
    "platform",
    "platform = \"linux/amd64\"",
    container::platform,
);
pub(super) const PULL: Key<Service> =
    Key::once("pull", "pull = missing", container::pull).known_as(&["pull_policy"]);

const KEYS: &[Key<Service>] = &[
    IMAGE,
    BIN,
    BASE,
    BUILD,
    SCOPE,
    Key::once("keep", settings::KEEP_FORM, keep),
    Key::once("port", "port = 6379", port),
    Key::once("ports", "ports(5432, metrics = 9187)", several_ports).known_as(&[
        "expose",
        "exposed_port",
        "exposed_ports",
    ]),
    ENV,
    Key::once("command", "command = \"server --flag\"", command_line)
        .known_as(&["cmd", "args", "run"]),
    ENTRYPOINT,
    NEEDS,
    Key::once("ready", "ready(tcp, timeout = \"30s\")", ready::ready).known_as(&[
        "readiness",
        "wait_for",
        "wait",
        "wait_strategy",
        "ready_conditions",
    ]),
    FILES,
    SOURCE,
    Key::once("setup", "setup(exec = \"..\")", setup::setup).repeating(),
    Key::once("url", "env(..)", url).planned(),
    USER,
    WORKDIR,
    TMPFS,
    VOLUME,
    MOUNT,
    LABELS,
    HOSTS,
    MEMORY,
    SHM_SIZE,
    ULIMITS,
    SYSCTLS,
    CAP_ADD,
    PRIVILEGED,
    PLATFORM,
    Key::once(
        "stop_signal",
        "stop_signal = \"SIGINT\"",
        container::stop_signal,
    ),
    PULL,
];

fn image(service: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    let literal = argument.expr().and_then(values::string);
    let origin = literal
        .and_then(|literal| values::image(literal, report))
        .map_or(OriginSyntax::Unreadable, OriginSyntax::Image);
    service.origins.push(Spanned::new(origin, argument.span()));
    literal.map(drop)
}

fn base(service: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    let literal = argument.expr().and_then(values::string);
    let image = literal.and_then(|literal| values::image(literal, report));
    service.base = Some(Spanned::new(image, argument.span()));
    literal.map(drop)
}

fn url(_: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    report.error(
        argument.span(),
        message::unsupported(
            "`url`",
            "write the URL out where it is used, such as `env(DATABASE_URL = \"mysql://{db}/shop\")`",
        ),
    );
    Some(())
}

fn scope(service: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    service.scope = ScopeSyntax::Unreadable;
    let word = values::word_or_quoted(argument.expr()?, report)?;
    service.scope = values::scope(&word, report);
    Some(())
}

fn keep(service: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    service.keep = settings::time_to_live(argument, report)?;
    Some(())
}

fn port(service: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    let Some(number) = argument.expr().and_then(values::integer) else {
        service.ports_unknown = true;
        return argument.expr().and_then(|expr| ports::refuse(expr, report));
    };
    add_port(service, None, number, number.span(), report);
    Some(())
}

fn several_ports(service: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    let mut read = |entry: &Argument, report: &mut Report| {
        let (name, expr) = match (&entry.name, &entry.value) {
            (Name::Bare(expr), Value::None) => (None, expr),
            (Name::Word(word), Value::Expr(expr)) => (Some(word.unraw().to_string()), &**expr),
            (Name::Text(text), Value::None) => {
                service.ports_unknown = true;
                return ports::refuse_text(&text.value(), text.span(), report);
            }
            _ => return None,
        };
        match values::integer(expr) {
            Some(number) => add_port(service, name, number, entry.span(), report),
            None => {
                service.ports_unknown = true;
                ports::refuse(expr, report)?;
            }
        }
        Some(())
    };
    let mut complete = true;
    let form = "5432` or `metrics = 9187";
    let read = read_entries(argument, form, report, |entry, report| {
        let outcome = read(entry, report);
        complete &= outcome.is_some();
        outcome
    });
    let unreadable = |entry: &Argument| matches!(entry.value, Value::Unreadable);
    complete &= !argument.list().unwrap_or_default().iter().any(unreadable);
    service.ports_unknown |= !complete || read.is_none();
    read
}

fn add_port(
    service: &mut Service,
    name: Option<String>,
    number: &syn::LitInt,
    span: Span,
    report: &mut Report,
) {
    match ports::port(number, report) {
        Some(value) => {
            let port = Port {
                name,
                number: value,
            };
            // Either of the two may be the mistake.
            service.ports_unknown |= service
                .ports
                .iter()
                .any(|known| known.value.number == value);
            service.ports.push(Spanned::new(port, span));
        }
        None => service.ports_unknown = true,
    }
}

fn env(service: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    variables::env(&mut service.env, argument, report)
}

fn command_line(service: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    service.command = values::command(argument.expr()?, command::split, report);
    Some(())
}

fn entrypoint(service: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    service.entrypoint = values::command(argument.expr()?, command::split, report);
    Some(())
}

fn needs(service: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    read_entries(argument, "db", report, |entry, report| {
        let word = match (&entry.name, &entry.value) {
            (Name::Word(word), Value::None) => word.clone(),
            (Name::Text(text), Value::None) => {
                let word: Ident = text.parse().ok()?;
                report.error(text.span(), message::quoted_word(&word));
                word
            }
            _ => return None,
        };
        service.needs.push(word);
        Some(())
    })
}

fn files(service: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    let form = "\"/path/in/container\" = \"content\"` or `\"/path/in/container\" = include_file!(\"path\")";
    read_entries(argument, form, report, |entry, report| {
        let Name::Text(at) = &entry.name else {
            return None;
        };
        let content = match entry.expr()? {
            Expr::Macro(call) if call.mac.path.is_ident("include_file") => {
                let path: syn::LitStr = call.mac.parse_body().ok()?;
                Some(FileContentSyntax::Included(Spanned::new(
                    path.value(),
                    path.span(),
                )))
            }
            expr => {
                let literal = values::string(expr)?;
                values::text(&literal.value(), literal.span(), report).map(FileContentSyntax::Text)
            }
        };
        if let (Some(at), Some(content)) = (values::container_path(at, report), content) {
            let file = FileSyntax { at, content };
            service.files.push(Spanned::new(file, entry.span()));
        }
        Some(())
    })
}

fn source(service: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    service.source = Some(settings::source(argument, report)?);
    Some(())
}
