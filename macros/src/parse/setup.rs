//! `setup(..)`: one step that prepares a service for its users. Its keys are kinds of steps and
//! their modifiers, read one by one, then put together.

use std::time::Duration;

use seatrial_model::{ImageTemplate, command};
use syn::Expr;

use super::arguments::Argument;
use super::keys::{self, Given, Key, Table};
use super::{values, variables};
use crate::report::Report;
use crate::syntax::{Service, SetupKindSyntax, SetupSyntax, Spanned, Text, Variable};

pub(super) const TABLE: Table<SetupKeys> = Table {
    place: "`setup(..)`",
    keys: KEYS,
    habits: &[],
};

/// The kinds of steps; a step has exactly one.
const KINDS: [&str; 3] = ["exec", "image", "with"];

const ONE_KIND: &str = "specify exactly one of `exec`, `image` and `with`";

/// The keys that were read. A malformed kind is absent here; [`Given`] has its presence.
#[derive(Default)]
pub(super) struct SetupKeys {
    exec: Option<Vec<Text>>,
    image: Option<ImageTemplate>,
    run: Option<Vec<Text>>,
    with: Option<syn::Path>,
    name: Option<Spanned<String>>,
    timeout: Option<Duration>,
    env: Vec<Variable>,
    key: Option<Expr>,
}

const KEYS: &[Key<SetupKeys>] = &[
    Key::once("exec", "exec = \"psql -f /schema.sql\"", exec).known_as(&["command", "cmd"]),
    Key::once("image", "image = \"flyway:10\"", image).with_variables(),
    Key::once("run", "run = \"flyway migrate\"", run),
    Key::once("with", "with = path::to::async_fn", with).known_as(&["hook", "fn"]),
    Key::once("name", "name = \"schema\"", name),
    Key::once("timeout", "timeout = \"2m\"", timeout),
    Key::once("env", variables::FORM, env).known_as(variables::ALIASES),
    Key::once("key", "key = include_str!(\"schema.sql\")", key),
];

/// Modifiers, each with its kind and the form to write.
const MODIFIERS: &[(&str, &str, &str)] = &[
    ("run", "image", "image = \"name:tag\", run = \"..\""),
    ("image", "run", "image = \"name:tag\", run = \"..\""),
];

pub(super) fn setup(service: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    let mut found = SetupKeys::default();
    let given = keys::read(&mut found, argument.list()?, &TABLE, report);
    given.check_modifiers(MODIFIERS, report);
    check_one_kind(argument, &given, report);
    check_env_has_a_process(&given, report);
    let exec = found.exec.map(SetupKindSyntax::Exec);
    let container = || {
        let (image, command) = found.image.zip(found.run)?;
        Some(SetupKindSyntax::Container { image, command })
    };
    let hook = found.with.map(SetupKindSyntax::Hook);
    service.setups.push(SetupSyntax {
        name: found.name,
        kind: exec.or_else(container).or(hook),
        timeout: found.timeout,
        env: found.env,
        key: found.key,
    });
    Some(())
}

fn check_one_kind(argument: &Argument, given: &Given, report: &mut Report) {
    let mut kinds = KINDS
        .iter()
        .filter_map(|kind| Some((kind, given.span(kind)?)));
    let Some((first, _)) = kinds.next() else {
        // `run` without `image` has its own message, and an unrecognized key may stand for any kind.
        let follows = KINDS.iter().any(|kind| given.may_be_misread(kind))
            || given.span("run").is_some()
            || given.has_unrecognized();
        if !follows {
            report.error(
                argument.span(),
                format!("`setup(..)` has nothing to run; {ONE_KIND}"),
            );
        }
        return;
    };
    for (kind, span) in kinds {
        report.error(
            span,
            format!("`{kind}` cannot be used with `{first}`; {ONE_KIND} in each `setup(..)`"),
        );
    }
}

fn check_env_has_a_process(given: &Given, report: &mut Report) {
    if let (Some(span), Some(_), None, None) = (
        given.span("env"),
        given.span("with"),
        given.span("exec"),
        given.span("image"),
    ) {
        report.error(
            span,
            "`env` is only valid with `exec` or `image`, as the function runs in the test process; remove it",
        );
    }
}

fn exec(keys: &mut SetupKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    keys.exec = values::command(argument.expr()?, command::words_or_shell, report);
    Some(())
}

fn image(keys: &mut SetupKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    let literal = argument.expr().and_then(values::string)?;
    keys.image = values::image(literal, report);
    Some(())
}

fn run(keys: &mut SetupKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    keys.run = values::command(argument.expr()?, command::words_or_shell, report);
    Some(())
}

fn with(keys: &mut SetupKeys, argument: &Argument, _: &mut Report) -> Option<()> {
    keys.with = Some(argument.expr().and_then(values::path)?.clone());
    Some(())
}

fn name(keys: &mut SetupKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    let literal = argument.expr().and_then(values::string)?;
    let name = literal.value();
    if name.trim().is_empty() || name.contains(['\n', '\r']) {
        report.error(
            literal.span(),
            "invalid name of a setup: expected one line, such as \"schema\"",
        );
    } else {
        keys.name = Some(Spanned::new(name, literal.span()));
    }
    Some(())
}

fn timeout(keys: &mut SetupKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    let literal = argument.expr().and_then(values::string)?;
    keys.timeout = values::time(literal, report);
    Some(())
}

fn env(keys: &mut SetupKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    variables::env(&mut keys.env, argument, report)
}

/// The compiler checks that it is a constant string.
fn key(keys: &mut SetupKeys, argument: &Argument, _: &mut Report) -> Option<()> {
    keys.key = Some(argument.expr()?.clone());
    Some(())
}
