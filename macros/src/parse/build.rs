//! `build = ".."` and `build(..)`: what an image is built from. Must not look at the files that it names.

use seatrial_model::Template;
use seatrial_model::placeholder::RawTemplate;

use super::arguments::{Argument, Value};
use super::keys::{self, Key, Table, read_entries};
use super::{values, variables};
use crate::report::Report;
use crate::syntax::{BuildSyntax, OriginSyntax, Service, Spanned};

pub(super) const TABLE: Table<BuildKeys> = Table {
    place: "`build(..)`",
    keys: KEYS,
    habits: &[],
};

/// The forms of `build` in messages.
pub(super) const FORM: &str =
    "build = \"docker\"` or `build(context = \"docker\", target = \"..\")";

/// The keys that were read.
#[derive(Default)]
pub(super) struct BuildKeys {
    context: Option<Spanned<String>>,
    dockerfile: Option<Spanned<String>>,
    target: Option<Spanned<String>>,
    args: Vec<Spanned<(String, Template)>>,
}

const KEYS: &[Key<BuildKeys>] = &[
    Key::once("context", "context = \"docker\"", context).known_as(&["path", "directory", "dir"]),
    Key::once("dockerfile", "dockerfile = \"Dockerfile\"", dockerfile)
        .known_as(&["file", "containerfile"]),
    Key::once("target", "target = \"runtime\"", target).known_as(&["stage"]),
    Key::once("args", "args(NAME = \"value\")", args).known_as(&[
        "arg",
        "build_args",
        "build_arg",
        "buildargs",
    ]),
];

pub(super) fn build(service: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    let mut found = BuildKeys::default();
    let read = match &argument.value {
        Value::Expr(_) => context(&mut found, argument, report),
        Value::List(_, arguments) => {
            let given = keys::read(&mut found, arguments, &TABLE, report);
            if given.is_complete() && given.span("context").is_none() {
                report.error(
                    argument.span(),
                    "`build(..)` has no `context`; name the directory that is built, relative to this package's: `context = \"docker\"`",
                );
            }
            Some(())
        }
        Value::None | Value::Unreadable => None,
    };
    let origin = match found.context {
        Some(context) => OriginSyntax::Build(BuildSyntax {
            context,
            dockerfile: found.dockerfile,
            target: found.target,
            args: found.args,
        }),
        None => OriginSyntax::Unreadable,
    };
    service.origins.push(Spanned::new(origin, argument.span()));
    read
}

fn context(keys: &mut BuildKeys, argument: &Argument, _: &mut Report) -> Option<()> {
    keys.context = Some(values::spanned_string(argument.expr()?)?);
    Some(())
}

fn dockerfile(keys: &mut BuildKeys, argument: &Argument, _: &mut Report) -> Option<()> {
    keys.dockerfile = Some(values::spanned_string(argument.expr()?)?);
    Some(())
}

fn target(keys: &mut BuildKeys, argument: &Argument, _: &mut Report) -> Option<()> {
    keys.target = Some(values::spanned_string(argument.expr()?)?);
    Some(())
}

fn args(keys: &mut BuildKeys, argument: &Argument, report: &mut Report) -> Option<()> {
    read_entries(argument, "NAME = \"value\"", report, |entry, report| {
        let key = entry.key()?;
        let value = values::scalar(entry.expr()?)?;
        if !variables::check_name("argument name", &key, entry, report) {
            return Some(());
        }
        match RawTemplate::parse(&value.value).map(RawTemplate::of_variables) {
            Ok(Ok(text)) => keys.args.push(Spanned::new((key, text), entry.span())),
            Ok(Err(written)) => report.error(
                value.span,
                format!(
                    "`{written}` is not known while an image is built; write the value out, or a variable of the test's environment such as \"{{$VERSION:-1}}\""
                ),
            ),
            Err(error) => report.error(value.span, error),
        }
        Some(())
    })
}
