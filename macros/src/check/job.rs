//! Rules about jobs: what others may expect of them, and what they leave behind.

use seatrial_model::{MountMode, Scope, ServicePlan, Source};

use super::graph::edge_span;
use super::scope::is_scope_known;
use crate::model::Model;
use crate::report::Report;
use crate::syntax::ScopeSyntax;

/// A job has ended when what needs it begins.
pub(super) fn check_jobs_serve_nothing(model: &Model, report: &mut Report) {
    for (service, edges) in model.plan.services.iter().zip(&model.edges) {
        let mut reported = Vec::new();
        for edge in edges.iter().filter(|edge| edge.is_read) {
            let needed = &model.plan.services[edge.to];
            if needed.job.is_none() || reported.contains(&edge.to) {
                continue;
            }
            reported.push(edge.to);
            let (job, reader) = (&needed.field, &service.field);
            report.error(
                edge.span,
                format!(
                    "`{job}` is a job, which has ended when `{reader}` starts, so there is nothing to connect to; write `needs({job})` to start `{reader}` after it"
                ),
            );
        }
    }
}

/// What a job has done is not looked up in a later run.
pub(super) fn check_jobs_are_not_kept(model: &Model, report: &mut Report) {
    let of_composition = model.declaration.settings.scope;
    for (from, (syntax, service)) in model
        .declaration
        .services
        .iter()
        .zip(&model.plan.services)
        .enumerate()
    {
        let is_own = syntax.scope == ScopeSyntax::Known(Scope::Keep);
        if service.job.is_some() && is_own {
            report.error(
                syntax.ident.span(),
                format!(
                    "`{}` is a job, and `scope = keep` is only valid on a service; write `scope = run`",
                    service.field
                ),
            );
        }
        for &to in &service.needs {
            let needed = &model.plan.services[to];
            let is_reported =
                model.declaration.services[to].scope == ScopeSyntax::Known(Scope::Keep);
            if service.job.is_none()
                && service.scope == Scope::Keep
                && needed.job.is_some()
                && !is_reported
                && is_scope_known(model, from)
            {
                let whose = match of_composition {
                    ScopeSyntax::Known(Scope::Keep) if !is_own => " as the composition's is",
                    _ => "",
                };
                report.error(
                    edge_span(model, from, to),
                    format!(
                        "`{}` (one per machine{whose}) cannot depend on the job `{}`, which runs once per run; write `scope = run` on `{}`, or write the job as its `setup(..)`",
                        service.field, needed.field, service.field
                    ),
                );
            }
        }
    }
}

/// A relative path is one below the working directory, which is the package's directory in the source.
pub(super) fn check_artifacts_can_be_written(model: &Model, report: &mut Report) {
    for (syntax, service) in model.declaration.services.iter().zip(&model.plan.services) {
        let Some(job) = &syntax.job else { continue };
        for artifact in &job.artifacts {
            let from = &artifact.value.from;
            if let Some(at) = read_only_source(service, from) {
                report.error(
                    artifact.span,
                    format!(
                        "`{from}` is in the source, which is mounted read-only at `{at}`: nothing can be written there; write a path outside, such as `/{}`, in `run`, too, or `source(mode = rw)`",
                        last_part(from)
                    ),
                );
            }
        }
    }
}

/// Where the source is mounted read-only, if this path is in it.
fn read_only_source<'a>(service: &'a ServicePlan, path: &str) -> Option<&'a str> {
    let Source::Mounted {
        at,
        mode: MountMode::Ro,
        ..
    } = &service.source
    else {
        return None;
    };
    let is_inside = |path: &str| {
        let below = path.strip_prefix(at.as_str());
        below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
    };
    let inside = match (path.starts_with('/'), &service.workdir) {
        (true, _) => is_inside(path),
        (false, Some(workdir)) => is_inside(workdir),
        (false, None) => true,
    };
    // A volume, a tmpfs or a mount may be there.
    let is_storage = service.volumes.iter().any(|it| path.starts_with(&it.at))
        || service.tmpfs.iter().any(|it| path.starts_with(&it.at))
        || service.mounts.iter().any(|it| path.starts_with(&it.at));
    (inside && !is_storage).then_some(at)
}

fn last_part(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}

/// Of two artifacts at one place, one would replace the other.
pub(super) fn check_artifacts_differ(model: &Model, report: &mut Report) {
    let jobs = model
        .declaration
        .services
        .iter()
        .filter_map(|it| it.job.as_ref());
    for job in jobs {
        let mut seen = Vec::new();
        for artifact in &job.artifacts {
            let to = artifact.value.to.trim_end_matches('/');
            if seen.contains(&to) {
                report.error(
                    artifact.span,
                    format!(
                        "duplicate artifact at `{to}`; write another path, or remove one of them"
                    ),
                );
            }
            seen.push(to);
        }
    }
}
