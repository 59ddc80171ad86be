//! Rules about names and numbers, whichever key has them: they are valid, not reserved, and unique.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::hash::Hash;

use proc_macro2::Span;
use seatrial_model::name;

use crate::message;
use crate::model::Model;
use crate::report::Report;
use crate::syntax::Service;

/// `{source}` is the source tree, and every container resolves some host names by itself: no service can have these names.
pub(super) fn check_field_is_not_reserved(model: &Model, report: &mut Report) {
    for (service, plan) in model.declaration.services.iter().zip(&model.plan.services) {
        if plan.field == "source" {
            report.error(
                service.ident.span(),
                "the name `source` is reserved: `{source}` is the path of the mounted source; write another name",
            );
        }
        if name::is_reserved(&plan.name) {
            report.error(
                service.ident.span(),
                format!(
                    "the name `{}` is reserved: {}; write another name",
                    plan.field,
                    own_address(&plan.name)
                ),
            );
        }
    }
}

fn own_address(host: &str) -> String {
    format!("every container resolves `{host}` to an address of its own")
}

/// A name in `hosts(..)` must not shadow one that the container resolves already: a reserved name, the service's own, and
/// those of the services that it needs.
pub(super) fn check_hosts_shadow_no_service(model: &Model, report: &mut Report) {
    for (position, service) in model.declaration.services.iter().enumerate() {
        let needed = model.edges[position].iter().map(|edge| edge.to);
        for host in &service.hosts {
            let name = &host.value.name;
            let of_service = needed
                .clone()
                .chain([position])
                .map(|position| &model.plan.services[position])
                .find(|plan| plan.name.eq_ignore_ascii_case(name));
            let why = match of_service {
                _ if name::is_reserved(name) => format!("reserved: {}", own_address(name)),
                Some(plan) => format!("already that of the service `{}`", plan.field),
                None => continue,
            };
            report.error(
                host.span,
                format!("the host name `{name}` is {why}; write another name, or remove it"),
            );
        }
    }
}

pub(super) fn check_host_names_are_valid(model: &Model, report: &mut Report) {
    for (service, plan) in model.declaration.services.iter().zip(&model.plan.services) {
        if !name::is_host_name(&plan.name) {
            report.error(
                service.ident.span(),
                format!(
                    "invalid name `{}`: its host name would be `{}`; write at most 63 ASCII letters, digits and `_`, not a number alone",
                    plan.field, plan.name
                ),
            );
        }
    }
}

pub(super) fn check_host_names_differ(model: &Model, report: &mut Report) {
    let mut seen: HashMap<&str, &str> = HashMap::new();
    for (service, plan) in model.declaration.services.iter().zip(&model.plan.services) {
        if let Some(first) = seen.insert(&plan.name, &plan.field)
            && name::is_host_name(&plan.name)
        {
            report.error(
                service.ident.span(),
                format!(
                    "`{first}` and `{}` have the same host name, `{}`; rename one of them",
                    plan.field, plan.name
                ),
            );
        }
    }
}

pub(super) fn check_ports_differ(model: &Model, report: &mut Report) {
    for service in &model.declaration.services {
        let ports = service.ports.iter();
        check_distinct(
            "port",
            ports.map(|port| (port.value.number, port.span)),
            report,
        );
    }
}

pub(super) fn check_port_names_differ(model: &Model, report: &mut Report) {
    for service in &model.declaration.services {
        let ports = service.ports.iter();
        let named = ports.filter_map(|port| Some((port.value.name.as_deref()?, port.span)));
        check_distinct("port", named, report);
    }
}

pub(super) fn check_variables_differ(model: &Model, report: &mut Report) {
    for service in &model.declaration.services {
        let of_setups = service.setups.iter().map(|setup| &setup.env);
        for env in std::iter::once(&service.env).chain(of_setups) {
            let named = env
                .iter()
                .map(|variable| (variable.value.0.as_str(), variable.span));
            check_distinct("variable", named, report);
        }
    }
}

pub(super) fn check_build_arguments_differ(model: &Model, report: &mut Report) {
    for build in model.declaration.services.iter().flat_map(Service::builds) {
        let args = build.args.iter();
        let named = args.map(|arg| (arg.value.0.as_str(), arg.span));
        check_distinct("argument", named, report);
    }
}

pub(super) fn check_setup_names_differ(model: &Model, report: &mut Report) {
    for service in &model.declaration.services {
        let mut seen = HashSet::new();
        for name in service
            .setups
            .iter()
            .filter_map(|setup| setup.name.as_ref())
        {
            if !seen.insert(&name.value) {
                report.error(
                    name.span,
                    format!(
                        "duplicate setup name `{}` in `{}`; rename one of them",
                        name.value,
                        service.field()
                    ),
                );
            }
        }
    }
}

pub(super) fn check_labels_differ(model: &Model, report: &mut Report) {
    for service in &model.declaration.services {
        let labels = service.labels.iter();
        let named = labels.map(|label| (label.value.0.as_str(), label.span));
        check_distinct("label", named, report);
    }
}

pub(super) fn check_limits_differ(model: &Model, report: &mut Report) {
    for service in &model.declaration.services {
        let limits = service.ulimits.iter();
        let named = limits.map(|limit| (limit.value.name.as_str(), limit.span));
        check_distinct("limit", named, report);
    }
}

pub(super) fn check_sysctls_differ(model: &Model, report: &mut Report) {
    for service in &model.declaration.services {
        let sysctls = service.sysctls.iter();
        let named = sysctls.map(|sysctl| (sysctl.value.0.as_str(), sysctl.span));
        check_distinct("kernel parameter", named, report);
    }
}

fn check_distinct<K: Display + Eq + Hash + Copy>(
    kind: &str,
    keys: impl Iterator<Item = (K, Span)>,
    report: &mut Report,
) {
    let mut seen = HashMap::new();
    for (key, span) in keys {
        if seen.insert(key, span).is_some() {
            report.error(span, message::duplicate(kind, key));
        }
    }
}
