//! The declared ports that a readiness check uses.

use proc_macro2::Span;
use seatrial_model::{Protocol, suggest};

use crate::report::Report;
use crate::syntax::{PortChoice, Service, Spanned};

/// The ports of a `tcp` check: those it names, or all.
pub(super) fn tcp(
    service: &Service,
    check: Span,
    chosen: &[Spanned<PortChoice>],
    report: &mut Report,
) -> Vec<u16> {
    if !chosen.is_empty() {
        return chosen
            .iter()
            .filter_map(|choice| declared(service, choice, report))
            .collect();
    }
    if service.ports.is_empty() && !service.ports_unknown {
        report.error(check, no_port(service, "tcp"));
    }
    service.ports.iter().map(|port| port.value.number).collect()
}

/// The port of a check that speaks a protocol: the one it names, or the protocol's own, or the only one. 0 if there is
/// none; the report has the error.
pub(super) fn protocol(
    service: &Service,
    check: Span,
    protocol: Protocol,
    chosen: Option<&Spanned<PortChoice>>,
    report: &mut Report,
) -> u16 {
    if let Some(choice) = chosen {
        return declared(service, choice, report).unwrap_or(0);
    }
    let (word, own) = (protocol.as_str(), protocol.port());
    let field = service.field();
    match &service.ports[..] {
        _ if service.ports_unknown => return 0,
        _ if has_port_of(service, protocol) => return own,
        [only] => return only.value.number,
        [] => report.error(
            check,
            format!(
                "`{word}` needs a port, but `{field}` declares none; declare one with `port = {own}`"
            ),
        ),
        _ => report.error(
            check,
            format!(
                "`{word}` is ambiguous: `{field}` declares several ports, but not {own}; write `{word} = ` and one of {}",
                names(service)
            ),
        ),
    }
    0
}

/// Whether a service declares the port that is a protocol's own.
pub(super) fn has_port_of(service: &Service, protocol: Protocol) -> bool {
    let mut ports = service.ports.iter();
    ports.any(|port| port.value.number == protocol.port())
}

/// The port of an `http` check: the one it names, or the only one. 0 if there is none; the report has the error.
pub(super) fn http(
    service: &Service,
    check: Span,
    chosen: Option<&Spanned<PortChoice>>,
    report: &mut Report,
) -> u16 {
    if let Some(choice) = chosen {
        return declared(service, choice, report).unwrap_or(0);
    }
    match &service.ports[..] {
        _ if service.ports_unknown => 0,
        [only] => only.value.number,
        [] => {
            report.error(check, no_port(service, "http"));
            0
        }
        _ => {
            report.error(
                check,
                format!(
                    "`http` is ambiguous: `{}` declares several ports; add `port = ` and one of {}",
                    service.field(),
                    names(service)
                ),
            );
            0
        }
    }
}

fn declared(service: &Service, choice: &Spanned<PortChoice>, report: &mut Report) -> Option<u16> {
    let port = service.ports.iter().find(|port| match &choice.value {
        PortChoice::Number(number) => port.value.number == *number,
        PortChoice::Name(name) => port.value.name.as_deref() == Some(name),
    });
    if port.is_none() && !service.ports_unknown {
        let field = service.field();
        let wanted = match &choice.value {
            PortChoice::Number(number) => number.to_string(),
            PortChoice::Name(name) => name.clone(),
        };
        let instead = if service.ports.is_empty() {
            "declare it with `port = ..` or `ports(..)`".to_owned()
        } else {
            format!("declare it, or write {}", names(service))
        };
        report.error(
            choice.span,
            format!("`{field}` declares no port `{wanted}`; {instead}"),
        );
    }
    port.map(|port| port.value.number)
}

fn no_port(service: &Service, check: &str) -> String {
    format!(
        "`{check}` needs a port, but `{}` declares none; declare one with `port = ..`",
        service.field()
    )
}

fn names(service: &Service) -> String {
    suggest::alternatives(service.ports.iter().map(|port| match &port.value.name {
        Some(name) => name.clone(),
        None => port.value.number.to_string(),
    }))
}
