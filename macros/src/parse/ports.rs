//! Ports: by number, or by the name of a declared one. Refuses the forms of other tools (a protocol, a port of this
//! machine, a range, text) with what to write instead. Must not know which ports a service declares.

use proc_macro2::Span;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Expr, LitInt};

use super::values;
use crate::message;
use crate::report::Report;
use crate::syntax::{PortChoice, Spanned};

/// How many ports of a range a message lists.
const LISTED: u16 = 8;

/// A port number, never 0.
pub(crate) fn port(literal: &LitInt, report: &mut Report) -> Option<u16> {
    match literal.base10_parse::<u16>() {
        Ok(number) if number > 0 => Some(number),
        _ => {
            report.error(
                literal.span(),
                message::invalid("port", literal, "expected a number from 1 to 65535"),
            );
            None
        }
    }
}

/// A declared port, by number or by name. The outer `None`: it is neither; the inner one: the report has the error.
pub(crate) fn port_choice(expr: &Expr, report: &mut Report) -> Option<Option<Spanned<PortChoice>>> {
    let span = syn::spanned::Spanned::span(expr);
    if let Some(number) = values::integer(expr) {
        let port = port(number, report);
        return Some(port.map(|port| Spanned::new(PortChoice::Number(port), span)));
    }
    if refuse(expr, report).is_some() {
        return Some(None);
    }
    let name = match (values::string(expr), values::word(expr)) {
        (Some(text), _) => text.value(),
        (_, Some(word)) => word.unraw().to_string(),
        _ => return None,
    };
    Some(Some(Spanned::new(PortChoice::Name(name), span)))
}

/// Records what to write instead of `expr`. `None` if it does not look like a port.
pub(super) fn refuse(expr: &Expr, report: &mut Report) -> Option<()> {
    let text = match values::string(expr) {
        Some(literal) => literal.value(),
        // `53/udp` and `7000-7005` are expressions, too.
        None => expr.to_token_stream().to_string().replace(' ', ""),
    };
    report.error_on(expr, explanation(&text)?);
    Some(())
}

pub(super) fn refuse_text(text: &str, span: Span, report: &mut Report) -> Option<()> {
    report.error(span, explanation(text)?);
    Some(())
}

fn explanation(text: &str) -> Option<String> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (published, port) = match ports.rsplit_once(':') {
        Some((published, port)) => (Some(published), port),
        None => (None, ports),
    };
    let (first, last) = range(port)?;
    if !protocol.eq_ignore_ascii_case("tcp") {
        return Some(message::invalid(
            "port",
            text,
            format!(
                "`{protocol}` is not supported yet for tests; remove it: other services reach all ports of this one without a declaration"
            ),
        ));
    }
    let write = if first < last {
        format!("each port: `ports({})`", listed(first, last))
    } else {
        format!("`{first}`")
    };
    let reason = match published {
        Some(_) => format!(
            "the port on this machine is chosen for each instance; write {write}, which the container listens on, and ask the handle for the other: `db.port({first})`"
        ),
        None if first < last => format!("ranges are not supported; write {write}"),
        None if text == port => return Some(message::quoted_number(text)),
        None => format!("expected a number; write {write}"),
    };
    Some(message::invalid("port", text, reason))
}

/// The first and the last port.
fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text
        .split_once('-')
        .or_else(|| text.split_once("..="))
        .or_else(|| text.split_once(".."))
        .unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (0 < first && first <= last).then_some((first, last))
}

fn listed(first: u16, last: u16) -> String {
    let mut ports: Vec<String> = (first..=last)
        .take(usize::from(LISTED))
        .map(|port| port.to_string())
        .collect();
    if last - first >= LISTED {
        ports.push("..".to_owned());
    }
    ports.join(", ")
}
