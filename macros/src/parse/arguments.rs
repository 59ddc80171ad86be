//! The one shape of all attributes: `key`, `key = value`, `key(..)`, `"text" = value` and bare values, separated by
//! commas. Knows no key. A malformed argument costs that argument only.

use std::fmt;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned as _;
use syn::{Expr, Ident, LitStr, Token, parenthesized, token};

use crate::report::Report;

/// One argument of an attribute.
pub(crate) struct Argument {
    pub(crate) name: Name,
    pub(crate) value: Value,
}

/// The part before `=` or `(`.
pub(crate) enum Name {
    /// `image`
    Word(Ident),
    /// `"a.dotted.key"`
    Text(LitStr),
    /// `5432`
    Bare(Expr),
}

/// The part after the name.
pub(crate) enum Value {
    /// Nothing.
    None,
    /// `= ..`
    Expr(Box<Expr>),
    /// `(..)`, with the span of the parentheses.
    List(Span, Vec<Argument>),
    /// `=` and something that is not a value; the report has the error.
    Unreadable,
}

impl Argument {
    /// Span of the name.
    pub(crate) fn span(&self) -> Span {
        match &self.name {
            Name::Word(word) => word.span(),
            Name::Text(text) => text.span(),
            Name::Bare(expr) => expr.span(),
        }
    }

    /// Span of the value, or of the name if there is no value.
    pub(crate) fn value_span(&self) -> Span {
        match &self.value {
            Value::None | Value::Unreadable => self.span(),
            Value::Expr(expr) => expr.span(),
            Value::List(span, _) => *span,
        }
    }

    /// The value behind `=`.
    pub(crate) fn expr(&self) -> Option<&Expr> {
        match &self.value {
            Value::Expr(expr) => Some(expr),
            Value::None | Value::List(..) | Value::Unreadable => None,
        }
    }

    /// The arguments in parentheses.
    pub(crate) fn list(&self) -> Option<&[Argument]> {
        match &self.value {
            Value::List(_, arguments) => Some(arguments),
            Value::None | Value::Expr(_) | Value::Unreadable => None,
        }
    }

    /// The name, if it is a word or text.
    pub(crate) fn key(&self) -> Option<String> {
        match &self.name {
            Name::Word(word) => Some(word.unraw().to_string()),
            Name::Text(text) => Some(text.value()),
            Name::Bare(_) => None,
        }
    }

    /// This argument under another name, as text. `None` if it is long, or if its shape differs from that of `form`, so
    /// that it would not be valid there.
    pub(crate) fn written_as(&self, name: &str, form: &str) -> Option<String> {
        // The compiler reports text that it cannot split into tokens.
        if form.contains('`') {
            return None;
        }
        let mut unread = Report::new();
        let form = arguments(form.parse().ok()?, &mut unread);
        unread.finish().ok()?;
        let fits = matches!(&form[..], [form] if has_shape_of(&self.value, &form.value));
        let written = format!("{name}{}", self.value);
        (fits && written.len() <= LONGEST_WRITTEN && !written.contains('\n')).then_some(written)
    }
}

/// The longest argument of the user, in bytes, that a message repeats.
const LONGEST_WRITTEN: usize = 80;

fn has_shape_of(value: &Value, form: &Value) -> bool {
    match (value, form) {
        (Value::None, Value::None) => true,
        (Value::Expr(expr), Value::Expr(form)) => is_of_kind(expr, form),
        (Value::List(_, entries), Value::List(_, forms)) => {
            let fits = |entry: &Argument| forms.iter().any(|form| is_entry_of_kind(entry, form));
            !entries.is_empty() && entries.iter().all(fits)
        }
        _ => false,
    }
}

/// A word may have any value: what the words are is not known here.
fn is_entry_of_kind(entry: &Argument, form: &Argument) -> bool {
    match (&entry.name, &form.name) {
        (Name::Word(_), Name::Word(_)) => !matches!(entry.value, Value::Unreadable),
        (Name::Text(_), Name::Text(_)) => has_shape_of(&entry.value, &form.value),
        (Name::Bare(expr), Name::Bare(form)) => is_of_kind(expr, form),
        _ => false,
    }
}

fn is_of_kind(expr: &Expr, form: &Expr) -> bool {
    match (expr, form) {
        (Expr::Lit(literal), Expr::Lit(form)) => {
            std::mem::discriminant(&literal.lit) == std::mem::discriminant(&form.lit)
        }
        _ => std::mem::discriminant(expr) == std::mem::discriminant(form),
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name, self.value)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "{word}"),
            Self::Text(text) => write!(f, "{}", text.to_token_stream()),
            Self::Bare(expr) => write!(f, "{}", expr.to_token_stream()),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None | Self::Unreadable => Ok(()),
            Self::Expr(expr) => write!(f, " = {}", expr.to_token_stream()),
            Self::List(_, entries) => {
                let entries: Vec<String> = entries.iter().map(Argument::to_string).collect();
                write!(f, "({})", entries.join(", "))
            }
        }
    }
}

/// Splits the tokens of an attribute into its arguments.
pub(crate) fn arguments(tokens: TokenStream, report: &mut Report) -> Vec<Argument> {
    let mut found = Vec::new();
    let parse_all = |input: ParseStream<'_>| {
        found = list(input, report);
        Ok(())
    };
    if let Err(error) = parse_all.parse2(tokens) {
        report.record(error);
    }
    found
}

fn list(input: ParseStream<'_>, report: &mut Report) -> Vec<Argument> {
    let mut found = Vec::new();
    while !input.is_empty() {
        if input.peek(Token![,]) {
            report.error(input.span(), "expected an argument, found `,`; remove it");
        } else {
            match argument(input, report) {
                Ok(argument) => found.push(argument),
                Err(error) => {
                    report.record(error);
                    skip_to_comma(input);
                }
            }
        }
        if !input.is_empty() && !input.peek(Token![,]) {
            report.error(input.span(), "expected `,` between two arguments");
            // A word begins the next argument: only the comma is missing.
            if input.peek(Ident) {
                continue;
            }
            skip_to_comma(input);
        }
        // A comma is absent at the end only.
        let _: Result<Option<Token![,]>, _> = input.parse();
    }
    found
}

fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) && input.parse::<TokenTree>().is_ok() {}
}

fn argument(input: ParseStream<'_>, report: &mut Report) -> syn::Result<Argument> {
    let is_word = input.peek(Ident::peek_any) && !input.peek2(Token![::]) && !is_macro(input);
    let name = if is_word {
        Name::Word(input.call(Ident::parse_any)?)
    } else if input.peek(LitStr) {
        Name::Text(input.parse()?)
    } else {
        return Ok(Argument {
            name: Name::Bare(expression(input)?),
            value: Value::None,
        });
    };
    let value = if input.peek(Token![=]) {
        let equals: Token![=] = input.parse()?;
        match value(input, equals) {
            Ok(value) => Value::Expr(Box::new(value)),
            Err(error) => {
                report.record(error);
                skip_to_comma(input);
                Value::Unreadable
            }
        }
    } else if input.peek(Token![:]) && !input.peek(Token![::]) {
        after_colon(&name, input, report)?
    } else if input.peek(token::Paren) {
        let content;
        let paren = parenthesized!(content in input);
        Value::List(paren.span.join(), list(&content, report))
    } else {
        Value::None
    };
    Ok(Argument { name, value })
}

/// A value behind `:`, read as if behind `=`, so that its own mistakes are found. A list may be meant for `(..)`.
fn after_colon(name: &Name, input: ParseStream<'_>, report: &mut Report) -> syn::Result<Value> {
    let colon: Token![:] = input.parse()?;
    let value = match input.parse::<Expr>() {
        Ok(expr) => Value::Expr(Box::new(expr)),
        Err(_) => {
            skip_to_comma(input);
            Value::Unreadable
        }
    };
    let is_list = matches!(&value, Value::Expr(expr) if matches!(**expr, Expr::Array(_)));
    let message = if is_list {
        format!("expected `=` or `(`, found `:`; write `{name} = [..]` or `{name}(..)`")
    } else {
        format!("expected `=`, found `:`; write `{name} = ..`")
    };
    report.error(colon.span, message);
    Ok(if is_list { Value::Unreadable } else { value })
}

fn value(input: ParseStream<'_>, equals: Token![=]) -> syn::Result<Expr> {
    if input.is_empty() || input.peek(Token![,]) {
        let message = "expected a value after `=`";
        return Err(syn::Error::new(equals.span, message));
    }
    expression(input)
}

fn is_macro(input: ParseStream<'_>) -> bool {
    input.peek2(Token![!]) && !input.peek2(Token![!=])
}

fn expression(input: ParseStream<'_>) -> syn::Result<Expr> {
    let start = input.span();
    input.parse().map_err(|_| {
        syn::Error::new(
            start,
            "expected a string, a number, a word or a list in brackets",
        )
    })
}
