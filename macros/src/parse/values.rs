//! Reading single values. A function that takes the report records an error about the value; the others return `None`
//! for a value of another kind. Must not know which key a value belongs to.

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

/// The expression without the invisible groups and parentheses around it.
fn without_groups(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => without_groups(&group.expr),
        Expr::Paren(paren) => without_groups(&paren.expr),
        _ => expr,
    }
}

pub(crate) fn string(expr: &Expr) -> Option<&LitStr> {
    match without_groups(expr) {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text),
        _ => None,
    }
}

/// The text of a string, with its place.
pub(crate) fn spanned_string(expr: &Expr) -> Option<Spanned<String>> {
    string(expr).map(|literal| Spanned::new(literal.value(), literal.span()))
}

pub(crate) fn integer(expr: &Expr) -> Option<&LitInt> {
    match without_groups(expr) {
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) => Some(number),
        _ => None,
    }
}

pub(crate) fn boolean(expr: &Expr) -> Option<bool> {
    match without_groups(expr) {
        Expr::Lit(ExprLit {
            lit: Lit::Bool(value),
            ..
        }) => Some(value.value),
        _ => None,
    }
}

pub(crate) fn path(expr: &Expr) -> Option<&syn::Path> {
    match without_groups(expr) {
        Expr::Path(path) if path.qself.is_none() => Some(&path.path),
        _ => None,
    }
}

pub(crate) fn word(expr: &Expr) -> Option<&Ident> {
    path(expr).and_then(syn::Path::get_ident)
}

/// Whether the expression is a constant, by its name, or a macro's output. `include_..!` is not: it has a form of its own.
pub(crate) fn is_computed(expr: &Expr) -> bool {
    match without_groups(expr) {
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

/// A word. A quoted one is an error, and is read as if it had no quotes.
pub(crate) fn word_or_quoted(expr: &Expr, report: &mut Report) -> Option<Ident> {
    let Some(text) = string(expr) else {
        return word(expr).cloned();
    };
    let word: Ident = text.parse().ok()?;
    report.error(text.span(), message::quoted_word(&word));
    Some(word)
}

/// A string, a number or a boolean, as the text that an environment variable holds.
pub(crate) fn scalar(expr: &Expr) -> Option<Spanned<String>> {
    let text = match without_groups(expr) {
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
        }) => match without_groups(expr) {
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
    } else if let Expr::Array(array) = without_groups(expr) {
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
    // All words are parsed before the first failure returns, so that every malformed placeholder is reported.
    let texts: Vec<Option<Text>> = words
        .iter()
        .map(|word| text(&word.value, word.span, report))
        .collect();
    texts.into_iter().collect()
}

/// Reads a value whose grammar is in the model.
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

/// A time to wait, never zero.
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

/// A size or limit, never zero: engines treat zero as no limit.
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
            // The report has the error; the value does not matter.
            Some(1)
        }
    }
}

/// An absolute path in the container, normalized: no slash at its end, no doubled slash, no `.`.
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

/// A path at which something is mounted. Other tools put options into the same text.
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

/// One of several words.
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
    choice(word, "scope", &scopes, report).map_or(ScopeSyntax::Unreadable, ScopeSyntax::Known)
}

pub(crate) const MODES: [(&str, MountMode); 2] = [("ro", MountMode::Ro), ("rw", MountMode::Rw)];

pub(crate) fn mode(word: &Ident, report: &mut Report) -> Option<MountMode> {
    choice(word, "mode", &MODES, report)
}
