//! Rules about a binary of a named package: its package and the package's binary must be in the workspace.

use crate::environment::{Environment, Package};
use crate::message;
use crate::model::Model;
use crate::report::Report;
use crate::syntax::{PackageBinSyntax, Service};

pub(super) fn check_binaries_of_packages_exist(
    model: &Model,
    environment: &Environment,
    report: &mut Report,
) {
    let services = model.declaration.services.iter();
    let mut wanted = services.flat_map(Service::package_binaries).peekable();
    if wanted.peek().is_none() {
        return;
    }
    // Cargo says the rest when it builds them.
    let Some(packages) = environment.packages() else {
        return;
    };
    for bin in wanted {
        check_binary(bin, &packages, report);
    }
}

fn check_binary(bin: &PackageBinSyntax, packages: &[Package], report: &mut Report) {
    let package = &bin.package.value;
    let Some(found) = packages.iter().find(|it| it.name == *package) else {
        let mut known: Vec<&str> = packages.iter().map(|it| &*it.name).collect();
        known.sort_unstable();
        known.dedup();
        report.error(
            bin.package.span,
            message::undeclared(
                "package",
                package,
                "in this workspace",
                "add it to the workspace",
                &known,
            ),
        );
        return;
    };
    let Some(binaries) = &found.binaries else {
        return;
    };
    let name = bin.binary();
    if binaries.iter().any(|known| known == name) {
        return;
    }
    let span = bin.name.as_ref().unwrap_or(&bin.package).span;
    match (&bin.name, &binaries[..]) {
        (_, []) => report.error(
            span,
            format!(
                "the package `{package}` has no binary; add `src/main.rs`, or a `[[bin]]` to its `Cargo.toml`"
            ),
        ),
        (None, [first, ..]) => report.error(
            span,
            format!(
                "the package `{package}` has no binary of its own name; name the one that you mean, such as `bin(package = {package:?}, name = {first:?})`"
            ),
        ),
        (Some(_), _) => report.error(
            span,
            message::undeclared(
                "binary",
                name,
                &format!("in the package `{package}`"),
                &format!("add it as `src/bin/{name}.rs` or as a `[[bin]]`"),
                binaries,
            ),
        ),
    }
}
