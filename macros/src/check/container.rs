//! Rules about a container's origin and readiness, and about the binaries and files of this machine that it uses.

use seatrial_model::Source;

use crate::environment::{Environment, Wanted};
use crate::message;
use crate::model::Model;
use crate::report::Report;
use crate::syntax::{FileContentSyntax, OriginSyntax, Spanned};

pub(super) fn check_one_origin(model: &Model, report: &mut Report) {
    for service in &model.declaration.services {
        match &service.origins[..] {
            [_] => {}
            [] if service.unreadable => {}
            [] => report.error(
                service.ident.span(),
                format!(
                    "`{}` has no origin; specify exactly one: `image = \"name:tag\"`, `build = \"directory\"` for an image that is built from a Dockerfile, or `bin = \"name\"` for a binary of this package",
                    service.field()
                ),
            ),
            [_, others @ ..] => {
                for other in others {
                    report.error(
                        other.span,
                        format!(
                            "`{}` has more than one origin; specify exactly one of `image`, `build` and `bin`",
                            service.field()
                        ),
                    );
                }
            }
        }
    }
}

/// Without a port or a check, a container that exits at once could count as ready.
pub(super) fn check_readiness_is_declared(model: &Model, report: &mut Report) {
    for (service, plan) in model.declaration.services.iter().zip(&model.plan.services) {
        let is_declared =
            plan.job.is_some() || !plan.ports.is_empty() || !service.checks.is_empty();
        let is_unknown = service.ports_unknown || service.checks_unknown;
        let has_origin = matches!(&service.origins[..], [origin] if !matches!(origin.value, OriginSyntax::Unreadable));
        if is_declared || is_unknown || !has_origin {
            continue;
        }
        report.error(
            service.ident.span(),
            format!(
                "`{}` has neither a port nor a readiness check; declare the port that it serves with `port = ..`, \
                 add a check such as `ready(log = \"..\")`, or write `ready(running)` if a running process is enough",
                service.field()
            ),
        );
    }
}

pub(super) fn check_base_has_a_binary(model: &Model, report: &mut Report) {
    for service in &model.declaration.services {
        let of_image = service.origins.first().is_some_and(|origin| {
            matches!(
                origin.value,
                OriginSyntax::Image(_) | OriginSyntax::Build(_)
            )
        });
        if let (Some(base), true, 1) = (&service.base, of_image, service.origins.len()) {
            report.error(
                base.span,
                "`base` is only valid with `bin`; write `bin = \"name\"`, or the image as `image = ..`",
            );
        }
    }
}

/// Cargo lists binaries only in compilations that may use them.
pub(super) fn check_binaries_exist(model: &Model, environment: &Environment, report: &mut Report) {
    let Some(binaries) = &environment.binaries else {
        return;
    };
    for origin in model
        .declaration
        .services
        .iter()
        .flat_map(|service| &service.origins)
    {
        let OriginSyntax::Bin(name) = &origin.value else {
            continue;
        };
        if binaries.is_empty() && environment.may_use_binaries {
            report.error(
                origin.span,
                format!(
                    "this package has no binary; add `src/main.rs`, or a `[[bin]]` to its `Cargo.toml`, or write `bin(package = \"..\", name = {name:?})` for a binary of another package"
                ),
            );
        } else if binaries.is_empty() {
            report.error(
                origin.span,
                format!(
                    "`bin = {name:?}` is only valid in an integration test (`tests/*.rs`) or a bench of the package that owns the binary; move it there, or write `bin(package = \"..\", name = {name:?})`, which is built when it is first needed"
                ),
            );
        } else if !binaries.contains(name) {
            report.error(
                origin.span,
                message::undeclared(
                    "binary",
                    name,
                    "in this package",
                    &format!("add it as `src/bin/{name}.rs` or as a `[[bin]]`"),
                    binaries,
                ),
            );
        }
    }
}

pub(super) fn check_mounts_exist(model: &Model, environment: &Environment, report: &mut Report) {
    for mount in model
        .declaration
        .services
        .iter()
        .flat_map(|service| &service.mounts)
    {
        check_path(&mount.from, Wanted::Anything, environment, report);
    }
}

pub(super) fn check_included_files_exist(
    model: &Model,
    environment: &Environment,
    report: &mut Report,
) {
    for file in model
        .declaration
        .services
        .iter()
        .flat_map(|service| &service.files)
    {
        if let FileContentSyntax::Included(path) = &file.value.content {
            check_path(path, Wanted::File, environment, report);
        }
    }
}

pub(super) fn check_source_exists(model: &Model, environment: &Environment, report: &mut Report) {
    let services = model.declaration.services.iter();
    let sources = services.filter_map(|service| service.source.as_ref());
    for source in sources.chain(&model.declaration.settings.source) {
        if let Source::Mounted {
            from: Some(path), ..
        } = &source.value
        {
            check_path(
                &Spanned::new(path.clone(), source.span),
                Wanted::Directory,
                environment,
                report,
            );
        }
    }
}

fn check_path(
    path: &Spanned<String>,
    wanted: Wanted,
    environment: &Environment,
    report: &mut Report,
) {
    if let Err(problem) = environment.check_path(&path.value, wanted) {
        report.error(path.span, message::invalid("path", &path.value, problem));
    }
}
