//! Rules about the paths in a container at which files and mounts are placed. Paths are compared as text: the parser has
//! normalized them.

use std::collections::HashMap;

use proc_macro2::Span;
use seatrial_model::{ServicePlan, Source};

use crate::model::Model;
use crate::report::Report;
use crate::syntax::Service;

const ANOTHER_PATH: &str = "write another path, or remove one of them";

/// A path at which something is mounted.
#[derive(Clone, Copy)]
struct Target<'a> {
    at: &'a str,
    kind: Kind,
    span: Span,
}

/// The kind of a mount.
#[derive(Clone, Copy)]
enum Kind {
    Source,
    Tmpfs,
    Volume,
    Mount,
}

impl Kind {
    fn noun(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Tmpfs => "tmpfs",
            Self::Volume => "volume",
            Self::Mount => "mount",
        }
    }
}

/// Where the engine mounts its own file systems, in every container.
const ENGINE_MOUNTS: [&str; 3] = ["/dev", "/proc", "/sys"];

/// Of two things at one path, one would hide the other.
pub(super) fn check_targets_differ(model: &Model, report: &mut Report) {
    for (service, plan) in model.declaration.services.iter().zip(&model.plan.services) {
        let targets = targets(service, plan);
        let targets = targets.iter().map(|target| {
            let what = match target.kind {
                Kind::Source => "the source".to_owned(),
                kind => format!("a {}", kind.noun()),
            };
            (target.at, what, target.span)
        });
        let files = service.files.iter();
        let files = files.map(|file| (file.value.at.as_str(), "a file".to_owned(), file.span));
        let mut seen: HashMap<&str, String> = HashMap::new();
        for (at, what, span) in targets.chain(files) {
            if let Some(first) = seen.insert(at, what) {
                report.error(
                    span,
                    format!("the path `{at}` is already used by {first}; {ANOTHER_PATH}"),
                );
            }
        }
    }
}

/// The engine writes files before the container starts. Below a mount it would write into the user's own directory. A tmpfs
/// is empty at the start, so the file would be missing. A file in a volume is fine.
pub(super) fn check_files_are_not_below_mounts(model: &Model, report: &mut Report) {
    for (service, plan) in model.declaration.services.iter().zip(&model.plan.services) {
        let targets = targets(service, plan);
        for file in &service.files {
            let path = file.value.at.as_str();
            let above = targets
                .iter()
                .filter(|target| path == target.at || is_below(path, target.at));
            // Of nested mounts, the innermost gets the file.
            let Some(innermost) = above.max_by_key(|target| target.at.len()) else {
                if let Some(at) = ENGINE_MOUNTS.iter().find(|at| is_below(path, at)) {
                    report.error(
                        file.span,
                        format!(
                            "the file `{path}` is below `{at}`, where the engine mounts its own file system; write a path that is not below `{at}`"
                        ),
                    );
                }
                continue;
            };
            let at = innermost.at;
            if at == path {
                continue;
            }
            let or = match innermost.kind {
                Kind::Volume => continue,
                Kind::Mount => "put the file into what is mounted there",
                Kind::Source => "mount the source elsewhere with `source(at = \"/src\")`",
                Kind::Tmpfs => "remove the tmpfs",
            };
            let noun = innermost.kind.noun();
            report.error(
                file.span,
                format!(
                    "the file `{path}` is below the {noun} at `{at}`; write a path that is not below `{at}`, or {or}"
                ),
            );
        }
    }
}

/// A mount needs directories above it, not a file.
pub(super) fn check_nothing_is_below_a_file(model: &Model, report: &mut Report) {
    for (service, plan) in model.declaration.services.iter().zip(&model.plan.services) {
        let targets = targets(service, plan);
        for file in &service.files {
            let path = file.value.at.as_str();
            let below = targets.iter().find(|target| is_below(target.at, path));
            if let Some(Target { at, kind, .. }) = below {
                let noun = kind.noun();
                report.error(
                    file.span,
                    format!("the {noun} at `{at}` is below the file `{path}`; {ANOTHER_PATH}"),
                );
            }
        }
    }
}

/// Whether `path` is in the directory `above`, however deep; `/outer` is not in `/out`.
fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// Everything that is mounted in a service's container.
fn targets<'a>(service: &'a Service, plan: &'a ServicePlan) -> Vec<Target<'a>> {
    let source = match &plan.source {
        Source::None => None,
        Source::Mounted { at, .. } => Some(Target {
            at,
            kind: Kind::Source,
            span: service.ident.span(),
        }),
    };
    let tmpfs = service.tmpfs.iter().map(|tmpfs| Target {
        at: &tmpfs.value.at,
        kind: Kind::Tmpfs,
        span: tmpfs.span,
    });
    let volumes = service.volumes.iter().map(|volume| Target {
        at: &volume.value.at,
        kind: Kind::Volume,
        span: volume.span,
    });
    let mounts = service.mounts.iter().map(|mount| Target {
        at: &mount.at.value,
        kind: Kind::Mount,
        span: mount.at.span,
    });
    let mounted = source.into_iter().chain(tmpfs).chain(volumes);
    mounted.chain(mounts).collect()
}
