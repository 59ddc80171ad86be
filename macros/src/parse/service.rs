//! `#[service(..)]`: the table of all its keys, and the readers of those for the origin, wiring and lifetime of a service.
//! The readers of those for its container are in `container.rs`.

use proc_macro2::Span;
use seatrial_model::{Port, command};
use syn::ext::IdentExt;
use syn::{Attribute, Expr, Ident, Meta};

use super::arguments::{self, Argument, Name, Value};
use super::keys::{self, Key, Table, read_entries};
use super::{build, container, habits, ports, ready, settings, setup, values, variables};
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

const KEYS: &[Key<Service>] = &[
    Key::once("image", "image = \"redis:7\"", image).with_variables(),
    Key::once("bin", "bin = \"name\"", bin).known_as(&["binary"]),
    Key::once("base", "base = \"debian:bookworm-slim\"", base).with_variables(),
    Key::once("build", build::FORM, build::build),
    Key::once("scope", "scope = binary", scope),
    Key::once("keep", settings::KEEP_FORM, keep),
    Key::once("port", "port = 6379", port),
    Key::once("ports", "ports(5432, metrics = 9187)", several_ports).known_as(&[
        "expose",
        "exposed_port",
        "exposed_ports",
    ]),
    Key::once("env", variables::FORM, env).known_as(variables::ALIASES),
    Key::once("command", "command = \"server --flag\"", command_line)
        .known_as(&["cmd", "args", "run"]),
    Key::once("entrypoint", "entrypoint = [\"/bin/server\"]", entrypoint),
    Key::once("needs", "needs(db, cache)", needs).known_as(&[
        "depends_on",
        "depends",
        "requires",
        "after",
        "links",
    ]),
    Key::once("ready", "ready(tcp, timeout = \"30s\")", ready::ready).known_as(&[
        "readiness",
        "wait_for",
        "wait",
        "wait_strategy",
        "ready_conditions",
    ]),
    Key::once("files", "files(\"/etc/app.conf\" = \"content\")", files),
    Key::once("source", settings::SOURCE_FORM, source),
    Key::once("setup", "setup(exec = \"..\")", setup::setup).repeating(),
    Key::once("url", "env(..)", url).planned(),
    Key::once("user", "user = \"1000:1000\"", container::user),
    Key::once("workdir", "workdir = \"/app\"", container::workdir).known_as(&[
        "working_dir",
        "work_dir",
        "working_directory",
        "cwd",
    ]),
    Key::once(
        "tmpfs",
        "tmpfs(\"/tmp\", \"/data\" = \"64m\")",
        container::tmpfs,
    ),
    Key::once(
        "volume",
        "volume(\"/cache\", data = \"/data\")",
        container::volume,
    ),
    Key::once("mount", container::MOUNT_FORM, container::mount)
        .known_as(&["mounts", "bind", "binds"])
        .repeating(),
    Key::once(
        "labels",
        "labels(\"com.example.team\" = \"shop\")",
        container::labels,
    ),
    Key::once("hosts", "hosts(\"name\" = \"192.0.2.1\")", container::hosts).known_as(&[
        "extra_hosts",
        "extra_host",
        "add_host",
    ]),
    Key::once("memory", "memory = \"512m\"", container::memory),
    Key::once("shm_size", "shm_size = \"256m\"", container::shm_size),
    Key::once(
        "ulimits",
        "ulimits(nofile = 1024, nproc = \"1024:2048\")",
        container::ulimits,
    ),
    Key::once(
        "sysctls",
        "sysctls(\"net.core.somaxconn\" = 1024)",
        container::sysctls,
    )
    .known_as(&["sysctl"]),
    Key::once("cap_add", "cap_add(\"NET_ADMIN\")", container::cap_add),
    Key::once(
        "privileged",
        "privileged` or `privileged = true",
        container::privileged,
    ),
    Key::once(
        "platform",
        "platform = \"linux/amd64\"",
        container::platform,
    ),
    Key::once(
        "stop_signal",
        "stop_signal = \"SIGINT\"",
        container::stop_signal,
    ),
    Key::once("pull", "pull = missing", container::pull).known_as(&["pull_policy"]),
];

/// Reads the service that `attributes` declare on a field or parameter. `None` without a `#[service]`.
pub(super) fn service(
    ident: &Ident,
    attributes: &[Attribute],
    report: &mut Report,
) -> Option<Service> {
    let mut own = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("service"));
    let attribute = own.next()?;
    let mut service = Service::new(ident.clone());
    for more in own {
        service.ports_unknown = true;
        service.checks_unknown = true;
        service.scope = ScopeSyntax::Unreadable;
        report.error_on(more, message::duplicate_attribute("#[service(..)]"));
    }
    let Meta::List(list) = &attribute.meta else {
        report.error_on(attribute, message::malformed("`#[service]`", FORM));
        return Some(Service::unreadable(ident.clone()));
    };
    let arguments = arguments::arguments(list.tokens.clone(), report);
    let given = keys::read(&mut service, &arguments, &TABLE, report);
    service.checks_unknown |= !given.is_complete();
    service.ports_unknown |= given.may_be_misread("port") || given.may_be_misread("ports");
    if given.may_be_misread("scope") {
        service.scope = service.scope.or(ScopeSyntax::Unreadable);
    }
    if service.origins.is_empty()
        && ["image", "bin", "build"]
            .iter()
            .any(|key| given.may_be_misread(key))
    {
        let origin = OriginSyntax::Unreadable;
        service.origins.push(Spanned::new(origin, ident.span()));
    }
    Some(service)
}

fn image(service: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    let literal = argument.expr().and_then(values::string);
    let origin = literal
        .and_then(|literal| values::image(literal, report))
        .map_or(OriginSyntax::Unreadable, OriginSyntax::Image);
    service.origins.push(Spanned::new(origin, argument.span()));
    literal.map(drop)
}

fn bin(service: &mut Service, argument: &Argument, _: &mut Report) -> Option<()> {
    let literal = argument.expr().and_then(values::string);
    let origin = literal.map_or(OriginSyntax::Unreadable, |literal| {
        OriginSyntax::Bin(literal.value())
    });
    let span = argument.value_span();
    service.origins.push(Spanned::new(origin, span));
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
