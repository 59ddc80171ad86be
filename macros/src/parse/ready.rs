//! `ready(..)`: when a service is ready. Its keys are kinds of checks and their modifiers, read one by one, then put
//! together.

use seatrial_model::{ImageTemplate, Protocol, command};

use super::arguments::{Argument, Name, Value};
use super::habits;
use super::keys::{self, Key, Table, read_entries};
use super::{ports, values};
use crate::message;
use crate::report::Report;
use crate::syntax::{CheckSyntax, PortChoice, Service, Spanned, Text};

pub(super) const TABLE: Table<ReadyKeys> = Table {
    place: "`ready(..)`",
    keys: KEYS,
    habits: habits::OF_READINESS,
};

/// The keys that were read. A malformed kind is absent here; [`keys::Given`] has its presence.
#[derive(Default)]
pub(super) struct ReadyKeys {
    tcp: Option<Vec<Spanned<PortChoice>>>,
    log: Option<String>,
    times: Option<u32>,
    http: Option<String>,
    status: Option<u16>,
    port: Option<Spanned<PortChoice>>,
    protocols: Vec<(Protocol, Option<Spanned<PortChoice>>)>,
    exec: Option<Vec<Text>>,
    image: Option<ImageTemplate>,
    run: Option<Vec<Text>>,
    with: Option<syn::Path>,
    timing: seatrial_model::Timing,
}

const KEYS: &[Key<ReadyKeys>] = &[
    Key::once("tcp", "tcp` or `tcp = 5432", tcp),
    Key::once("log", "log = \"ready to accept connections\"", log),
    Key::once("times", "times = 2", times),
    Key::once("http", "http = \"/health\"", http),
    Key::once("status", "status = 200", status),
    Key::once("port", "port = 8080", port),
    Key::once("postgres", "postgres` or `postgres = 5432", protocol).known_as(&[
        "pg",
        "postgresql",
        "psql",
        "pg_isready",
        "pgsql",
    ]),
    Key::once("mysql", "mysql` or `mysql = 3306", protocol).known_as(&["mariadb", "maria"]),
    Key::once("redis", "redis` or `redis = 6379", protocol).known_as(&["valkey", "keydb", "resp"]),
    Key::once("amqp", "amqp` or `amqp = 5672", protocol).known_as(&["rabbitmq", "rabbit"]),
    Key::once("nats", "nats` or `nats = 4222", protocol).known_as(&["jetstream"]),
    Key::once("exec", "exec = \"test -e /tmp/ready\"", exec),
    Key::once(
        "healthcheck",
        "healthcheck` for the image's own check, or `exec = \"..\"",
        without_value,
    ),
    Key::once("running", "running", without_value),
    Key::once("image", "image = \"postgres:15\"", image).with_variables(),
    Key::once("run", "run = \"pg_isready -h {self.host}\"", run),
    Key::once("with", "with = path::to::async_fn", with),
    Key::once("timeout", "timeout = \"30s\"", timeout),
    Key::once("interval", "interval = \"200ms\"", interval),
    Key::once("delay", "delay = \"1s\"", delay),
    Key::once("successes", "successes = 2", successes),
    Key::once("failures", "failures = 5", failures),
];

/// Modifiers, each with its kind and the form to write.
const MODIFIERS: &[(&str, &str, &str)] = &[
    ("times", "log", "log = \"..\", times = .."),
    ("status", "http", "http = \"/health\", status = .."),
    ("run", "image", "image = \"name:tag\", run = \"..\""),
    ("image", "run", "image = \"name:tag\", run = \"..\""),
];

pub(super) fn ready(service: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    let mut found = ReadyKeys::default();
    let given = keys::read(&mut found, argument.list()?, &TABLE, report);
    given.check_modifiers(MODIFIERS, report);
    // A misspelt protocol explains a `port` without `http`.
    let mut protocols = Protocol::ALL.iter();
    if !protocols.any(|protocol| given.may_be_misread(protocol.as_str())) {
        given.check_modifiers(&[("port", "http", &port_form(&found))], report);
    }
    let mut modifiers = MODIFIERS.iter().map(|(key, ..)| *key).chain(["port"]);
    let is_modified = modifiers.any(|key| given.span(key).is_some());
    service.checks_unknown |= is_modified || !given.is_complete();
    let mut add = |key: &str, check: Option<CheckSyntax>| {
        match (given.span(key), check) {
            (Some(span), Some(check)) => service.checks.push(Spanned::new(check, span)),
            // The report has the error.
            (Some(_), None) => service.checks_unknown = true,
            (None, _) => {}
        }
    };
    add("tcp", found.tcp.map(CheckSyntax::Tcp));
    let times = found.times.unwrap_or(1);
    add(
        "log",
        found.log.map(|text| CheckSyntax::Log { text, times }),
    );
    let (status, port) = (found.status, found.port);
    add(
        "http",
        found
            .http
            .map(|path| CheckSyntax::Http { path, status, port }),
    );
    for protocol in Protocol::ALL {
        let spoken = found.protocols.iter().find(|(it, _)| *it == protocol);
        let check = spoken.map(|(_, port)| CheckSyntax::Protocol(protocol, port.clone()));
        add(protocol.as_str(), check);
    }
    add("exec", found.exec.map(CheckSyntax::Exec));
    add("healthcheck", Some(CheckSyntax::Healthcheck));
    add("running", Some(CheckSyntax::Running));
    let probe = found.image.zip(found.run);
    add(
        "image",
        probe.map(|(image, command)| CheckSyntax::Probe { image, command }),
    );
    add("with", found.with.map(CheckSyntax::Hook));
    service.timing = found.timing;
    Some(())
}

fn tcp(keys: &mut ReadyKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    let mut ports = Vec::new();
    match &argument.value {
        Value::None => {}
        Value::Expr(expr) => match ports::port_choice(expr, report)? {
            Some(port) => ports.push(port),
            // The report has the error. A malformed port does not mean all ports.
            None => return Some(()),
        },
        Value::Unreadable => return None,
        Value::List(..) => {
            read_entries(argument, "5432` or `name", report, |entry, report| {
                if !matches!(entry.value, Value::None) {
                    return None;
                }
                let port = match &entry.name {
                    Name::Bare(expr) => ports::port_choice(expr, report)?,
                    Name::Text(text)
                        if ports::refuse_text(&text.value(), text.span(), report).is_some() =>
                    {
                        None
                    }
                    Name::Word(_) | Name::Text(_) => {
                        let choice = PortChoice::Name(entry.key()?);
                        Some(Spanned::new(choice, entry.span()))
                    }
                };
                ports.extend(port);
                Some(())
            })?;
            if ports.is_empty() {
                return argument.list()?.first().map(drop);
            }
        }
    }
    keys.tcp = Some(ports);
    Some(())
}

fn log(keys: &mut ReadyKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    let literal = argument.expr().and_then(values::string)?;
    let text = literal.value();
    if text.is_empty() || text.contains('\n') {
        report.error(
            literal.span(),
            "invalid text for `log`: expected a part of one line of the log",
        );
    } else {
        keys.log = Some(text);
    }
    Some(())
}

fn times(keys: &mut ReadyKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    keys.times = Some(values::count(argument.expr()?, report)?);
    Some(())
}

fn http(keys: &mut ReadyKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    let Some(expr) = argument.expr() else {
        // `ready(http)`: the start page.
        return match argument.value {
            Value::None => {
                keys.http = Some("/".to_owned());
                Some(())
            }
            _ => None,
        };
    };
    let literal = values::string(expr)?;
    let path = literal.value();
    let fits = |b: u8| b.is_ascii_graphic() && !b"#{}\"<>\\^`|".contains(&b);
    if path.starts_with('/') && path.bytes().all(fits) {
        keys.http = Some(path);
    } else {
        report.error(
            literal.span(),
            message::invalid(
                "HTTP path",
                &path,
                "expected one that begins with `/`, percent-encoded, such as \"/health?full=1\"",
            ),
        );
    }
    Some(())
}

fn status(keys: &mut ReadyKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    let literal = argument.expr().and_then(values::integer)?;
    match literal.base10_parse::<u16>() {
        Ok(status) if (100..=599).contains(&status) => keys.status = Some(status),
        _ => report.error(
            literal.span(),
            message::invalid("HTTP status", literal, "expected a number from 100 to 599"),
        ),
    }
    Some(())
}

fn port(keys: &mut ReadyKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    keys.port = ports::port_choice(argument.expr()?, report)?;
    Some(())
}

/// The form to write instead of a `port` without `http`.
fn port_form(found: &ReadyKeys) -> String {
    match found.protocols.first() {
        Some((protocol, _)) => format!("{} = ..", protocol.as_str()),
        None => "http = \"/health\", port = ..".to_owned(),
    }
}

/// A protocol, with or without a port.
fn protocol(keys: &mut ReadyKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    let protocol = Protocol::from_word(&argument.key()?)?;
    let port = match &argument.value {
        Value::None => None,
        Value::Expr(expr) => match ports::port_choice(expr, report)? {
            Some(port) => Some(port),
            // The report has the error.
            None => return Some(()),
        },
        Value::List(..) | Value::Unreadable => return None,
    };
    keys.protocols.push((protocol, port));
    Some(())
}

fn exec(keys: &mut ReadyKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    keys.exec = values::command(argument.expr()?, command::words_or_shell, report);
    Some(())
}

/// A kind without a value.
fn without_value(_: &mut ReadyKeys, argument: &Argument, _: &mut Report) -> Option<()> {
    matches!(argument.value, Value::None).then_some(())
}

fn image(keys: &mut ReadyKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    let literal = argument.expr().and_then(values::string)?;
    keys.image = values::image(literal, report);
    Some(())
}

fn run(keys: &mut ReadyKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    keys.run = values::command(argument.expr()?, command::words_or_shell, report);
    Some(())
}

fn with(keys: &mut ReadyKeys, argument: &Argument, _: &mut Report) -> Option<()> {
    keys.with = Some(argument.expr().and_then(values::path)?.clone());
    Some(())
}

fn timeout(keys: &mut ReadyKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    let literal = argument.expr().and_then(values::string)?;
    keys.timing.timeout = values::time(literal, report);
    Some(())
}

fn interval(keys: &mut ReadyKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    let literal = argument.expr().and_then(values::string)?;
    keys.timing.interval = values::time(literal, report);
    Some(())
}

fn delay(keys: &mut ReadyKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    let literal = argument.expr().and_then(values::string)?;
    keys.timing.delay = values::duration(literal, report).unwrap_or_default();
    Some(())
}

fn successes(keys: &mut ReadyKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    keys.timing.successes = values::count(argument.expr()?, report)?;
    Some(())
}

fn failures(keys: &mut ReadyKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    keys.timing.failures = Some(values::count(argument.expr()?, report)?);
    Some(())
}
