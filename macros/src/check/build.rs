//! Rules about an image that is built: its directory, its Dockerfile, and the stage and the arguments that this file must have.

use std::path::{Component, Path};

use seatrial_model::Build;
use seatrial_model::dockerfile::Dockerfile;

use crate::environment::{Environment, Wanted};
use crate::message;
use crate::model::Model;
use crate::report::Report;
use crate::syntax::{BuildSyntax, Service, Spanned};

pub(super) fn check_builds(model: &Model, environment: &Environment, report: &mut Report) {
    for build in model.declaration.services.iter().flat_map(Service::builds) {
        check_build(build, environment, report);
    }
}

fn check_build(build: &BuildSyntax, environment: &Environment, report: &mut Report) {
    let context = &build.context;
    if let Err(problem) = environment.check_path(&context.value, Wanted::Directory) {
        let message = message::invalid("path", &context.value, problem);
        report.error(context.span, message);
        return;
    }
    let Some(file) = file(build, environment, report) else {
        return;
    };
    let dockerfile = Dockerfile::parse(&file.text);
    if let Some(target) = &build.target
        && !dockerfile.has_stage(&target.value)
    {
        let name = &target.value;
        report.error(
            target.span,
            message::undeclared(
                "stage",
                name,
                &format!("in `{}`", file.path),
                &format!("name one with `FROM image AS {name}`"),
                &dockerfile.stages(),
            ),
        );
    }
    for arg in &build.args {
        let name = &arg.value.0;
        if !dockerfile.takes_arg(name) {
            report.error(
                arg.span,
                message::undeclared(
                    "argument",
                    name,
                    &format!("in `{}`", file.path),
                    &format!("declare it with `ARG {name}`"),
                    &dockerfile.args(),
                ),
            );
        }
    }
}

/// A Dockerfile.
struct File {
    /// Relative to the package's directory.
    path: String,
    text: String,
}

/// The Dockerfile of a build, if it can be read here.
fn file(build: &BuildSyntax, environment: &Environment, report: &mut Report) -> Option<File> {
    let context = &build.context;
    let (name, span) = match &build.dockerfile {
        Some(Spanned { value, span }) => (&**value, *span),
        None => (Build::DOCKERFILE, context.span),
    };
    let mut components = Path::new(name).components();
    let is_within = components.all(|part| matches!(part, Component::Normal(_)));
    if name.is_empty() || !is_within {
        let reason = format!(
            "expected a path in the directory `{}`, such as \"docker/Dockerfile\"",
            context.value
        );
        report.error(span, message::invalid("path", name, reason));
        return None;
    }
    let path = build.plan().file();
    if environment.check_path(&path, Wanted::File).is_err() {
        let instead = match &build.dockerfile {
            Some(_) => "create it, or write the path of another one in that directory".to_owned(),
            None => format!(
                "create it, or name another one: `build(context = {:?}, dockerfile = \"..\")`",
                context.value
            ),
        };
        report.error(
            span,
            format!(
                "there is no file `{name}` in the directory `{}`; {instead}",
                context.value
            ),
        );
        return None;
    }
    let text = environment.read(&path)?;
    Some(File { path, text })
}
