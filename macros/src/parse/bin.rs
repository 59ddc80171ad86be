//! `bin = ".."` and `bin(..)`: the binary that a service runs. Must not look whether it exists.

use super::arguments::{Argument, Value};
use super::keys::{self, Key, Table};
use super::values;
use crate::report::Report;
use crate::syntax::{OriginSyntax, PackageBinSyntax, Service, Spanned};

pub(super) const TABLE: Table<BinKeys> = Table {
    place: "`bin(..)`",
    keys: KEYS,
    habits: &[],
};

/// The forms of `bin` in messages.
pub(super) const FORM: &str = "bin = \"name\"` or `bin(package = \"server\")";

/// The keys that were read.
#[derive(Default)]
pub(super) struct BinKeys {
    package: Option<Spanned<String>>,
    name: Option<Spanned<String>>,
}

const KEYS: &[Key<BinKeys>] = &[
    Key::once("package", "package = \"server\"", package).known_as(&["crate", "pkg"]),
    Key::once("name", "name = \"server\"", name).known_as(&["bin", "binary", "target"]),
];

pub(super) fn bin(service: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    let (origin, span, read) = match &argument.value {
        Value::List(_, arguments) => {
            let origin = of_package(argument, arguments, report);
            (origin, argument.span(), Some(()))
        }
        _ => {
            let literal = argument.expr().and_then(values::string);
            let origin = literal.map(|literal| OriginSyntax::Bin(literal.value()));
            (origin, argument.value_span(), literal.map(drop))
        }
    };
    let origin = origin.unwrap_or(OriginSyntax::Unreadable);
    service.origins.push(Spanned::new(origin, span));
    read
}

/// The binary of a named package. `None` if the report has an error about it.
fn of_package(
    argument: &Argument,
    arguments: &[Argument],
    report: &mut Report,
) -> Option<OriginSyntax> {
    let mut found = BinKeys::default();
    let given = keys::read(&mut found, arguments, &TABLE, report);
    if given.is_complete() && given.span("package").is_none() {
        let own = match &found.name {
            Some(name) => format!("bin = {:?}", name.value),
            None => "bin = \"name\"".to_owned(),
        };
        report.error(
            argument.span(),
            format!(
                "`bin(..)` has no `package`; name the one that has the binary: `package = \"server\"`, or write `{own}` for a binary of this package"
            ),
        );
    }
    Some(OriginSyntax::PackageBin(PackageBinSyntax {
        package: found.package?,
        name: found.name,
    }))
}

fn package(keys: &mut BinKeys, argument: &Argument, _: &mut Report) -> Option<()> {
    keys.package = Some(values::spanned_string(argument.expr()?)?);
    Some(())
}

fn name(keys: &mut BinKeys, argument: &Argument, _: &mut Report) -> Option<()> {
    keys.name = Some(values::spanned_string(argument.expr()?)?);
    Some(())
}
