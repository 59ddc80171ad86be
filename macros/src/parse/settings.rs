//! `#[composition(..)]`, and the keys that it shares with `#[service(..)]`: `source(..)` and `keep`.

use std::time::Duration;

use seatrial_model::{MountMode, Source};
use syn::{Attribute, Meta};

use super::arguments::{self, Argument, Value};
use super::habits;
use super::keys::{self, Key, Table};
use super::values;
use crate::message;
use crate::report::Report;
use crate::syntax::{ScopeSyntax, Settings, Spanned};

pub(super) const TABLE: Table<Settings> = Table {
    place: "`#[composition(..)]`",
    keys: KEYS,
    habits: habits::OF_COMPOSITIONS,
};

/// The form of `source` in messages.
pub(super) const SOURCE_FORM: &str =
    "source(none)` or `source(path = \"..\", at = \"/src\", mode = rw)";

/// The form of `keep` in messages.
pub(super) const KEEP_FORM: &str = "keep = \"2h\"";

/// The form of `crate` in messages.
pub(super) const CRATE_FORM: &str = "crate = ::seatrial";

const KEYS: &[Key<Settings>] = &[
    Key::once("scope", "scope = binary", scope),
    Key::once("keep", KEEP_FORM, keep),
    Key::once("source", SOURCE_FORM, composition_source),
    Key::once("crate", CRATE_FORM, runtime_crate),
    Key::once("compose", "#[service(..)]", compose).planned(),
];

/// Whether `#[service(..)]` has the key, too.
pub(super) fn is_of_services(name: &str) -> bool {
    let of_services = |key: &Key<Settings>| key.offered && key.name != "crate";
    KEYS.iter().any(|key| key.name == name && of_services(key))
}

/// Reads every `#[composition(..)]` among `attributes`.
pub(super) fn settings(attributes: &[Attribute], report: &mut Report) -> Settings {
    let mut settings = Settings::default();
    let mut own = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("composition"));
    let Some(attribute) = own.next() else {
        return settings;
    };
    for more in own {
        settings.scope = ScopeSyntax::Unreadable;
        report.error_on(more, message::duplicate_attribute("#[composition(..)]"));
    }
    let Meta::List(list) = &attribute.meta else {
        report.error_on(
            attribute,
            message::malformed("`#[composition]`", "#[composition(scope = binary)]"),
        );
        settings.scope = ScopeSyntax::Unreadable;
        return settings;
    };
    let arguments = arguments::arguments(list.tokens.clone(), report);
    let given = keys::read(&mut settings, &arguments, &TABLE, report);
    if given.may_be_misread("scope") {
        settings.scope = settings.scope.or(ScopeSyntax::Unreadable);
    }
    settings
}

fn scope(settings: &mut Settings, argument: &Argument, report: &mut Report) -> Option<()> {
    settings.scope = ScopeSyntax::Unreadable;
    let word = values::word_or_quoted(argument.expr()?, report)?;
    settings.scope = values::scope(&word, report);
    Some(())
}

fn keep(settings: &mut Settings, argument: &Argument, report: &mut Report) -> Option<()> {
    settings.keep = time_to_live(argument, report)?;
    Some(())
}

/// Reads `keep = ".."`, spanned by its key. The outer `None`: its shape is wrong; the inner one: the report has the error.
pub(super) fn time_to_live(
    argument: &Argument,
    report: &mut Report,
) -> Option<Option<Spanned<Duration>>> {
    let literal = argument.expr().and_then(values::string)?;
    let time = values::time(literal, report);
    Some(time.map(|time| Spanned::new(time, argument.span())))
}

fn composition_source(
    settings: &mut Settings,
    argument: &Argument,
    report: &mut Report,
) -> Option<()> {
    settings.source = Some(source(argument, report)?);
    Some(())
}

fn runtime_crate(settings: &mut Settings, argument: &Argument, _: &mut Report) -> Option<()> {
    settings.runtime_crate = Some(argument.expr().and_then(values::path)?.clone());
    Some(())
}

fn compose(_: &mut Settings, argument: &Argument, report: &mut Report) -> Option<()> {
    report.error(
        argument.span(),
        message::unsupported("`compose`", "write each service with `#[service(..)]`"),
    );
    Some(())
}

#[derive(Default)]
pub(super) struct SourceKeys {
    none: bool,
    path: Option<Spanned<String>>,
    at: Option<String>,
    mode: MountMode,
}

pub(super) const SOURCE: Table<SourceKeys> = Table {
    place: "`source(..)`",
    keys: SOURCE_KEYS,
    habits: &[],
};

const SOURCE_KEYS: &[Key<SourceKeys>] = &[
    Key::once("none", "none", source_none),
    Key::once("path", "path = \"..\"", source_path),
    Key::once("at", "at = \"/src\"", source_at),
    Key::once("mode", "mode = rw", source_mode),
];

/// Reads `source(..)`. `None` if its shape is wrong.
pub(super) fn source(argument: &Argument, report: &mut Report) -> Option<Spanned<Source>> {
    let arguments = argument.list()?;
    let mut given = SourceKeys::default();
    keys::read(&mut given, arguments, &SOURCE, report);
    if given.none {
        if arguments.len() > 1 {
            report.error(
                argument.value_span(),
                message::malformed("`source`", SOURCE_FORM),
            );
        }
        return Some(Spanned::new(Source::None, argument.span()));
    }
    let span = given
        .path
        .as_ref()
        .map_or(argument.span(), |path| path.span);
    let source = Source::Mounted {
        from: given.path.map(|path| path.value),
        at: given.at.unwrap_or_else(|| Source::DEFAULT_PATH.to_owned()),
        mode: given.mode,
    };
    Some(Spanned::new(source, span))
}

fn source_none(keys: &mut SourceKeys, argument: &Argument, _: &mut Report) -> Option<()> {
    keys.none = matches!(argument.value, Value::None);
    keys.none.then_some(())
}

fn source_path(keys: &mut SourceKeys, argument: &Argument, _: &mut Report) -> Option<()> {
    keys.path = Some(values::spanned_string(argument.expr()?)?);
    Some(())
}

fn source_at(keys: &mut SourceKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    let literal = argument.expr().and_then(values::string)?;
    keys.at = values::container_path(literal, report);
    Some(())
}

fn source_mode(keys: &mut SourceKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    let word = values::word_or_quoted(argument.expr()?, report)?;
    keys.mode = values::mode(&word, report).unwrap_or_default();
    Some(())
}
