//! `env(..)`: environment variables, which services and their setups declare in the same way.

use seatrial_model::name;

use super::arguments::Argument;
use super::keys::read_entries;
use super::values;
use crate::message;
use crate::report::Report;
use crate::syntax::Variable;

/// The form of `env` in messages.
pub(super) const FORM: &str = "env(NAME = \"value\")";

/// Its names in other tools.
pub(super) const ALIASES: &[&str] = &["environment", "envs"];

pub(super) fn env(
    variables: &mut Vec<Variable>,
    argument: &Argument,
    report: &mut Report,
) -> Option<()> {
    read_entries(argument, "NAME = \"value\"", report, |entry, report| {
        let key = entry.key()?;
        let value = values::scalar(entry.expr()?)?;
        check_name("variable name", &key, entry, report);
        if let Some(text) = values::text(&value.value, value.span, report) {
            variables.push(Variable::new((key, text), entry.span()));
        }
        Some(())
    })
}

/// Checks the name of an entry: of a variable, or of what becomes one. Returns whether it is valid.
pub(super) fn check_name(kind: &str, name: &str, entry: &Argument, report: &mut Report) -> bool {
    let is_valid = name::is_env_name(name);
    if !is_valid {
        let reason = "expected one without `=` and spaces that does not begin with a digit";
        report.error(entry.span(), message::invalid(kind, name, reason));
    }
    is_valid
}
