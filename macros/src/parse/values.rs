//! Reading single values. A function that takes the report records what is wrong with the value; the others answer
//! `None` where the value is of another kind.

use std::time::Duration;

use proc_macro2::Span;
use seatrial_model::command::CommandError;
use seatrial_model::placeholder::RawTemplate;
use seatrial_model::{ImageTemplate, MountMode, Scope, duration, size};
use syn::ext::IdentExt;
use syn::{Expr, ExprLit, ExprUnary, Ident, Lit, LitInt, LitStr, UnOp};

use crate::message;
use crate::report::Report;
use crate::syntax::{ScopeSyntax, Spanned, Text};

/// The expression without the invisible groups and the parentheses around it.
fn peel(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => peel(&group.expr),
        Expr::Paren(paren) => peel(&paren.expr),
        _ => expr,
    }
}

pub(crate) fn string(expr: &Expr) -> Option<&LitStr> {
    match peel(expr) {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text),
        _ => None,
    }
}

pub(crate) fn integer(expr: &Expr) -> Option<&LitInt> {
    match peel(expr) {
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) => Some(number),
        _ => None,
    }
}

pub(crate) fn boolean(expr: &Expr) -> Option<bool> {
    match peel(expr) {
        Expr::Lit(ExprLit {
            lit: Lit::Bool(value),
            ..
        }) => Some(value.value),
        _ => None,
    }
}

pub(crate) fn path(expr: &Expr) -> Option<&syn::Path> {
    match peel(expr) {
        Expr::Path(path) if path.qself.is_none() => Some(&path.path),
        _ => None,
    }
}

pub(crate) fn word(expr: &Expr) -> Option<&Ident> {
    path(expr).and_then(syn::Path::get_ident)
}

/// Whether the expression is a constant by its name, or a macro's outcome. A file to include has a form of its own.
pub(crate) fn is_computed(expr: &Expr) -> bool {
    match peel(expr) {
        Expr::Macro(call) => call.mac.path.segments.last().is_some_and(|segment| {
            let name = segment.ident.to_string();
            !name.starts_with("include_")
        }),
        Expr::Path(path) => path.path.segments.last().is_some_and(|segment| {
            let name = segment.ident.to_string();
            name.chars().any(char::is_uppercase) && !name.chars().any(char::is_lowercase)
        }),
        _ => false,
    }
}

/// A word. One in quotes is recorded, and taken for what it says.
pub(crate) fn unquoted(expr: &Expr, report: &mut Report) -> Option<Ident> {
    let Some(text) = string(expr) else {
        return word(expr).cloned();
    };
    let word: Ident = text.parse().ok()?;
    report.error(text.span(), message::quoted_word(&word));
    Some(word)
}

/// A string, a number or a boolean, as the text that an environment variable holds.
pub(crate) fn scalar(expr: &Expr) -> Option<Spanned<String>> {
    let text = match peel(expr) {
        Expr::Lit(ExprLit { lit, .. }) => match lit {
            Lit::Str(text) => text.value(),
            Lit::Int(number) => number.base10_digits().to_owned(),
            Lit::Float(number) => number.base10_digits().to_owned(),
            Lit::Bool(value) => value.value.to_string(),
            _ => return None,
        },
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => match peel(expr) {
            Expr::Lit(ExprLit {
                lit: Lit::Int(_) | Lit::Float(_),
                ..
            }) => format!("-{}", scalar(expr)?.value),
            _ => return None,
        },
        _ => return None,
    };
    Some(Spanned::new(text, syn::spanned::Spanned::span(expr)))
}

/// Text with placeholders.
pub(crate) fn text(text: &str, span: Span, report: &mut Report) -> Option<Text> {
    match RawTemplate::parse(text) {
        Ok(template) => Some(Spanned::new(template, span)),
        Err(error) => {
            report.error(span, error);
            None
        }
    }
}

/// A command: one text, split by `split`, or a list of texts.
pub(crate) fn command(
    expr: &Expr,
    split: fn(&str) -> Result<Vec<String>, CommandError>,
    report: &mut Report,
) -> Option<Vec<Text>> {
    let words: Vec<Spanned<String>> = if let Some(literal) = string(expr) {
        match split(&literal.value()) {
            Ok(words) => words
                .into_iter()
                .map(|word| Spanned::new(word, literal.span()))
                .collect(),
            Err(error) => {
                report.error(literal.span(), error);
                return None;
            }
        }
    } else if let Expr::Array(array) = peel(expr) {
        let mut words = Vec::new();
        for element in &array.elems {
            match string(element) {
                Some(word) => words.push(Spanned::new(word.value(), word.span())),
                None if is_computed(element) => report.error_on(
                    element,
                    message::not_literal_text("a word of a command", "\"..\""),
                ),
                None => report.error_on(element, message::malformed("word of a command", "\"..\"")),
            }
        }
        if words.is_empty() && array.elems.is_empty() {
            report.error_on(expr, CommandError::Empty);
        }
        if words.len() != array.elems.len() || words.is_empty() {
            return None;
        }
        words
    } else {
        report.error_on(
            expr,
            if is_computed(expr) {
                message::not_literal_text("a command", "\"server --port 80\"")
            } else {
                message::malformed(
                    "command",
                    "\"server --port 80\"` or `[\"server\", \"--port\", \"80\"]",
                )
            },
        );
        return None;
    };
    // All of them are read before the first that failed counts, so that every malformed placeholder is reported.
    let texts: Vec<Option<Text>> = words
        .iter()
        .map(|word| text(&word.value, word.span, report))
        .collect();
    texts.into_iter().collect()
}

/// Reads what has a grammar of its own in the model.
pub(crate) fn parsed<T, E: std::fmt::Display>(
    literal: &LitStr,
    parse: impl FnOnce(&str) -> Result<T, E>,
    report: &mut Report,
) -> Option<T> {
    match parse(&literal.value()) {
        Ok(value) => Some(value),
        Err(error) => {
            report.error(literal.span(), error);
            None
        }
    }
}

pub(crate) fn image(literal: &LitStr, report: &mut Report) -> Option<ImageTemplate> {
    parsed(literal, str::parse::<ImageTemplate>, report)
}

pub(crate) fn duration(literal: &LitStr, report: &mut Report) -> Option<Duration> {
    parsed(literal, duration::parse, report)
}

/// A time to wait, which cannot be zero.
pub(crate) fn time(literal: &LitStr, report: &mut Report) -> Option<Duration> {
    let time = duration(literal, report)?;
    if time.is_zero() {
        report.error(
            literal.span(),
            message::invalid(
                "duration",
                literal.value(),
                "it must be greater than zero; write one such as \"30s\"",
            ),
        );
    }
    Some(time)
}

/// A size or limit, which cannot be zero: engines take that for none.
pub(crate) fn size(literal: &LitStr, report: &mut Report) -> Option<u64> {
    let size = parsed(literal, size::parse, report)?;
    if size == 0 {
        report.error(
            literal.span(),
            message::invalid(
                "size",
                literal.value(),
                "engines treat 0 as no limit; write a larger one, such as \"64m\"",
            ),
        );
    }
    Some(size)
}

/// A whole number that is at least 1.
pub(crate) fn count(expr: &Expr, report: &mut Report) -> Option<u32> {
    let literal = integer(expr)?;
    match literal.base10_parse::<u32>() {
        Ok(count) if count > 0 => Some(count),
        _ => {
            report.error(
                literal.span(),
                message::invalid(
                    "number",
                    literal,
                    format!("expected one from 1 to {}", u32::MAX),
                ),
            );
            // Recorded; the value itself does not matter any more.
            Some(1)
        }
    }
}

/// An absolute path in the container. One place has one spelling: no slash at its end, no doubled one, no `.`.
pub(crate) fn container_path(literal: &LitStr, report: &mut Report) -> Option<String> {
    let path = literal.value();
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    let up = parts.clone().any(|part| part == "..");
    let plain: String = parts.flat_map(|part| ["/", part]).collect();
    if path.starts_with('/') && !plain.is_empty() && !up && !path.contains('\0') {
        return Some(plain);
    }
    let problem = if up {
        "`..` is not supported; write the path without it"
    } else if path.contains('\0') {
        "NUL is not supported; write the path without it"
    } else if path.starts_with('/') {
        "it is the root of the container's file system; write a directory or file in it"
    } else {
        "expected an absolute path, such as \"/data\""
    };
    report.error(literal.span(), message::invalid("path", &path, problem));
    None
}

/// A path at which something is mounted. Other tools write more than that in one text.
pub(crate) fn target_path(
    literal: &LitStr,
    instead: impl FnOnce(&[&str]) -> String,
    report: &mut Report,
) -> Option<String> {
    let text = literal.value();
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() == 1 {
        return container_path(literal, report);
    }
    let form = instead(&parts);
    report.error(
        literal.span(),
        message::invalid(
            "path",
            &text,
            format!("`:` is not supported in it; write `{form}`"),
        ),
    );
    None
}

/// One word of a few.
pub(crate) fn choice<T: Copy>(
    word: &Ident,
    key: &str,
    choices: &[(&str, T)],
    report: &mut Report,
) -> Option<T> {
    let name = word.unraw().to_string();
    let found = choices.iter().find(|(known, _)| *known == name);
    if found.is_none() {
        let known: Vec<&str> = choices.iter().map(|(known, _)| *known).collect();
        report.error(word.span(), message::unknown_value(&name, key, &known));
    }
    found.map(|(_, value)| *value)
}

pub(crate) fn scope(word: &Ident, report: &mut Report) -> ScopeSyntax {
    let scopes = Scope::ALL.map(|scope| (scope.as_str(), scope));
    choice(word, "scope", &scopes, report).map_or(ScopeSyntax::Unreadable, ScopeSyntax::Is)
}

pub(crate) const MODES: [(&str, MountMode); 2] = [("ro", MountMode::Ro), ("rw", MountMode::Rw)];

pub(crate) fn mode(word: &Ident, report: &mut Report) -> Option<MountMode> {
    choice(word, "mode", &MODES, report)
}
