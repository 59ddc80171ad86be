//! A parameter of a test and our attributes on it. It is a service declared in place, or a composition, of which the test
//! may ask for its own instances.

use seatrial_model::Scope;
use syn::{Attribute, Meta, Pat, PatType, Type};

use super::arguments::{self, Argument};
use super::declared::declared;
use super::keys::{self, Key, Table};
use super::placement::{is_composition, is_declaration, is_job};
use super::structure::{is_planned, refuse_planned};
use super::values;
use crate::message;
use crate::report::Report;
use crate::syntax::{ScopeSyntax, Service};

pub(super) const TABLE: Table<Instances> = Table {
    place: "`#[composition(..)]` on a parameter",
    keys: KEYS,
    habits: &[],
};

const FORM: &str = "#[composition(scope = test)]";

const KEYS: &[Key<Instances>] = &[
    Key::once("scope", "scope = test", scope),
    Key::once("source", "source(..)", source).misplaced(),
    Key::once("keep", "keep = ..", keep).misplaced(),
    Key::once("crate", "crate = ..", runtime_crate).misplaced(),
];

/// A parameter of a test, with its type.
pub(crate) enum Parameter {
    Composition(Type, Instances),
    Service(Type),
    Job(Type),
}

/// Which instances of a composition a test gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Instances {
    /// Of each service an instance of its declared scope.
    #[default]
    AsDeclared,
    /// Of each service an instance of the test's own.
    Own,
}

/// Removes our attributes from a parameter and reads them.
pub(super) fn parameter(
    parameter: &mut PatType,
    services: &mut Vec<Service>,
    report: &mut Report,
) -> Parameter {
    let (ours, others) = std::mem::take(&mut parameter.attrs)
        .into_iter()
        .partition::<Vec<_>, _>(is_ours);
    parameter.attrs = others;
    refuse_planned(&ours, report);
    let ty = (*parameter.ty).clone();
    let is_job = ours
        .iter()
        .find(|attribute| is_declaration(attribute))
        .map(is_job);
    let Some(is_job) = is_job else {
        return Parameter::Composition(ty, instances(&ours, report));
    };
    for attribute in ours.iter().filter(|attribute| is_composition(attribute)) {
        report.error_on(
            attribute,
            message::misplaced(
                "#[composition(..)]",
                "a parameter whose type is a composition",
                "remove it, and write `scope` in the attribute of the service",
            ),
        );
    }
    match &*parameter.pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => {
            services.extend(declared(&pat.ident, &ours, report));
        }
        pat => report.error_on(
            pat,
            "expected a name, found a pattern: the parameter's name is the service's; write one such as `db: Service`",
        ),
    }
    match is_job {
        true => Parameter::Job(ty),
        false => Parameter::Service(ty),
    }
}

fn is_ours(attribute: &Attribute) -> bool {
    is_declaration(attribute) || is_composition(attribute) || is_planned(attribute)
}

/// Reads `#[composition(..)]` on a parameter. An empty one is an error.
fn instances(attributes: &[Attribute], report: &mut Report) -> Instances {
    let mut instances = Instances::default();
    let mut own = attributes
        .iter()
        .filter(|attribute| is_composition(attribute));
    let Some(attribute) = own.next() else {
        return instances;
    };
    for more in own {
        report.error_on(more, message::duplicate("attribute", "#[composition(..)]"));
    }
    match &attribute.meta {
        Meta::List(list) if !list.tokens.is_empty() => {
            let arguments = arguments::arguments(list.tokens.clone(), report);
            keys::read(&mut instances, &arguments, &TABLE, report);
        }
        _ => report.error_on(attribute, message::malformed("`#[composition]`", FORM)),
    }
    instances
}

fn scope(instances: &mut Instances, argument: &Argument, report: &mut Report) -> Option<()> {
    let word = values::word_or_quoted(argument.expr()?, report)?;
    match values::scope(&word, report) {
        ScopeSyntax::Known(Scope::Test) => *instances = Instances::Own,
        ScopeSyntax::Known(wider) => {
            let wider = wider.as_str();
            report.error(
                word.span(),
                format!(
                    "`scope = {wider}` is not valid on a parameter: tests that share an instance must agree on its scope; write `#[composition(scope = {wider})]` on the struct"
                ),
            );
        }
        // The report has the error.
        ScopeSyntax::Absent | ScopeSyntax::Unreadable => {}
    }
    Some(())
}

fn source(_: &mut Instances, argument: &Argument, report: &mut Report) -> Option<()> {
    of_the_struct(argument, "source(..)", report)
}

fn keep(_: &mut Instances, argument: &Argument, report: &mut Report) -> Option<()> {
    of_the_struct(argument, "scope = keep, keep = \"2h\"", report)
}

fn of_the_struct(argument: &Argument, form: &str, report: &mut Report) -> Option<()> {
    let key = argument.key()?;
    report.error(
        argument.span(),
        message::misplaced(
            &key,
            "the struct of a composition",
            &format!("write `#[composition({form})]` there"),
        ),
    );
    Some(())
}

fn runtime_crate(_: &mut Instances, argument: &Argument, report: &mut Report) -> Option<()> {
    report.error(
        argument.span(),
        message::misplaced("crate", "the test", "write `#[seatrial::test(crate = ..)]`"),
    );
    Some(())
}
