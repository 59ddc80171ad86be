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
        if !name::is_env_name(&key) {
            report.error(
                entry.span(),
                message::invalid(
                    "variable name",
                    &key,
                    "expected one without `=` and spaces that does not begin with a digit",
                ),
            );
        }
        if let Some(text) = values::text(&value.value, value.span, report) {
            variables.push(Variable::new((key, text), entry.span()));
        }
        Some(())
    })
}
