//! One service's part of the plan: resolves names, applies defaults, binds. Its checks and setups are in `steps.rs`.

use std::collections::BTreeSet;

use seatrial_model::placeholder::{Declared, Names, ResolveError};
use seatrial_model::{
    EnvVar, File, FileContent, ImageTemplate, Job, Mount, Origin, Port, Scope, ServicePlan, Source,
    Template,
};
use syn::ext::IdentExt;

use super::bindings::{Binary, Bindings, Edge};
use crate::message;
use crate::report::Report;
use crate::syntax::{
    Declaration, FileContentSyntax, OriginSyntax, ScopeSyntax, Service, Spanned, Text, Variable,
};

/// Makes one service's part of the plan.
pub(super) struct Modeller<'a> {
    declaration: &'a Declaration,
    own: usize,
    source: Source,
    edges: Vec<Edge>,
    pub(super) bindings: &'a mut Bindings,
    pub(super) report: &'a mut Report,
}

impl<'a> Modeller<'a> {
    pub(super) fn new(
        declaration: &'a Declaration,
        own: usize,
        bindings: &'a mut Bindings,
        report: &'a mut Report,
    ) -> Self {
        let service = &declaration.services[own];
        let source = service
            .source
            .as_ref()
            .or(declaration.settings.source.as_ref());
        Self {
            declaration,
            own,
            source: source
                .map(|source| source.value.clone())
                .unwrap_or_default(),
            edges: Vec::new(),
            bindings,
            report,
        }
    }

    pub(super) fn syntax(&self) -> &'a Service {
        &self.declaration.services[self.own]
    }

    pub(super) fn service(mut self) -> (ServicePlan, Vec<Edge>) {
        let syntax = self.syntax();
        let field = syntax.field();
        self.needs();
        let origin = self.origin();
        let env = self.env(&syntax.env, false);
        let command = self.texts(syntax.command.as_deref(), false);
        let entrypoint = self.texts(syntax.entrypoint.as_deref(), false);
        let files = self.files();
        let ready = self.checks();
        let setups = self.setups();
        let needs: BTreeSet<usize> = self.edges.iter().map(|edge| edge.to).collect();
        let scope = match syntax.scope.or(self.declaration.settings.scope) {
            ScopeSyntax::Known(scope) => scope,
            ScopeSyntax::Absent | ScopeSyntax::Unreadable => Scope::default(),
        };
        let of_composition = self.declaration.settings.keep.as_ref();
        let keep = syntax.keep.as_ref().or(of_composition);
        let plan = ServicePlan {
            name: seatrial_model::name::host_name(&field),
            field,
            origin,
            scope,
            keep: keep.filter(|_| scope == Scope::Keep).map(|keep| keep.value),
            ports: values(&syntax.ports),
            env,
            command,
            entrypoint,
            user: syntax.user.clone(),
            workdir: syntax.workdir.clone(),
            tmpfs: values(&syntax.tmpfs),
            volumes: values(&syntax.volumes),
            mounts: syntax
                .mounts
                .iter()
                .map(|mount| Mount {
                    from: mount.from.value.clone(),
                    at: mount.at.value.clone(),
                    mode: mount.mode,
                })
                .collect(),
            files,
            labels: values(&syntax.labels).into_iter().collect(),
            hosts: values(&syntax.hosts),
            memory: syntax.memory,
            shm_size: syntax.shm_size,
            ulimits: values(&syntax.ulimits),
            sysctls: values(&syntax.sysctls).into_iter().collect(),
            cap_add: syntax.cap_add.clone(),
            privileged: syntax.privileged,
            platform: syntax.platform.clone(),
            stop_signal: syntax.stop_signal.clone(),
            pull: syntax.pull,
            needs: needs.into_iter().collect(),
            ready,
            timing: syntax.timing.clone(),
            setups,
            source: self.source,
            job: syntax.job.as_ref().map(|job| Job {
                artifacts: values(&job.artifacts),
            }),
        };
        (plan, self.edges)
    }

    fn needs(&mut self) {
        let services = &self.declaration.services;
        let mut seen = BTreeSet::new();
        for word in &self.syntax().needs {
            let name = word.unraw().to_string();
            match services.iter().position(|service| service.field() == name) {
                Some(itself) if itself == self.own => {
                    self.report.error(word.span(), message::needs_itself(&name))
                }
                Some(to) if seen.insert(to) => self.edges.push(Edge {
                    to,
                    span: word.span(),
                    is_read: false,
                }),
                Some(_) => self
                    .report
                    .error(word.span(), message::duplicate("service", &name)),
                None => {
                    let others = (0..).zip(services).filter(|(at, _)| *at != self.own);
                    let known: Vec<String> = others.map(|(_, other)| other.field()).collect();
                    self.report.error(
                        word.span(),
                        message::undeclared("service", &name, "", "declare it", &known),
                    );
                }
            }
        }
    }

    /// The origin of the container. The checks refuse several origins and a missing one.
    fn origin(&mut self) -> Origin {
        let syntax = self.syntax();
        match syntax.origins.first().map(|origin| &origin.value) {
            Some(OriginSyntax::Image(image)) => Origin::Image(image.clone()),
            Some(OriginSyntax::Bin(name)) => self.binary(None, name),
            Some(OriginSyntax::PackageBin(bin)) => {
                self.binary(Some(bin.package.value.clone()), bin.binary())
            }
            Some(OriginSyntax::Build(build)) => Origin::Build(build.plan()),
            Some(OriginSyntax::Unreadable) | None => Origin::Image(stand_in()),
        }
    }

    /// The origin of a container that runs a binary, which is bound once.
    fn binary(&mut self, package: Option<String>, name: &str) -> Origin {
        let binary = Binary {
            package: package.clone(),
            name: name.to_owned(),
        };
        let binaries = &mut self.bindings.binaries;
        let known = binaries.iter().position(|known| *known == binary);
        let binding = known.unwrap_or_else(|| {
            binaries.push(binary);
            binaries.len() - 1
        });
        let base = self.syntax().base.as_ref();
        Origin::Bin {
            name: name.to_owned(),
            binding,
            base: base.and_then(|base| base.value.clone()),
            package,
        }
    }

    pub(super) fn env(&mut self, variables: &[Variable], own_allowed: bool) -> Vec<EnvVar> {
        let mut env = Vec::new();
        for variable in variables {
            let (name, text) = &variable.value;
            let value = self.template(text, own_allowed);
            env.push(EnvVar {
                name: name.clone(),
                value,
            });
        }
        env
    }

    fn files(&mut self) -> Vec<File> {
        let mut files = Vec::new();
        for file in &self.syntax().files {
            let content = match &file.value.content {
                FileContentSyntax::Text(text) => FileContent::Text(self.template(text, false)),
                FileContentSyntax::Included(path) => {
                    self.bindings.files.push(path.clone());
                    FileContent::Included(self.bindings.files.len() - 1)
                }
            };
            files.push(File {
                at: file.value.at.clone(),
                content,
            });
        }
        files
    }

    fn texts(&mut self, texts: Option<&[Text]>, own_allowed: bool) -> Option<Vec<Template>> {
        texts.map(|texts| self.templates(texts, own_allowed))
    }

    pub(super) fn templates(&mut self, texts: &[Text], own_allowed: bool) -> Vec<Template> {
        texts
            .iter()
            .map(|text| self.template(text, own_allowed))
            .collect()
    }

    /// Resolves the names in a text; each name of another service is an edge.
    fn template(&mut self, text: &Text, own_allowed: bool) -> Template {
        let syntax = &self.declaration.services;
        let fields: Vec<String> = syntax.iter().map(Service::field).collect();
        let ports: Vec<Vec<Port>> = syntax
            .iter()
            .map(|service| values(&service.ports))
            .collect();
        let services: Vec<Declared<'_>> = fields
            .iter()
            .zip(&ports)
            .map(|(field, ports)| Declared { field, ports })
            .collect();
        let names = Names {
            services: &services,
            own: self.own,
            own_allowed,
            source_mounted: self.source != Source::None,
        };
        match text.value.resolve(names) {
            Ok(template) => {
                for to in template.services().filter(|to| *to != self.own) {
                    self.edges.push(Edge {
                        to,
                        span: text.span,
                        is_read: true,
                    });
                }
                template
            }
            Err(errors) => {
                for error in errors {
                    if !self.is_consequence(&error) {
                        self.report.error(text.span, error);
                    }
                }
                Template::default()
            }
        }
    }

    /// Whether an error is the consequence of another one: a declared port that is malformed.
    fn is_consequence(&self, error: &ResolveError) -> bool {
        let (ResolveError::NoPort { service, .. }
        | ResolveError::SeveralPorts { service, .. }
        | ResolveError::UndeclaredPort { service, .. }) = error
        else {
            return false;
        };
        self.declaration
            .services
            .iter()
            .any(|declared| declared.ports_unknown && declared.field() == *service)
    }
}

fn values<T: Clone>(spanned: &[Spanned<T>]) -> Vec<T> {
    spanned.iter().map(|item| item.value.clone()).collect()
}

/// The image of a service whose own is missing or malformed.
fn stand_in() -> ImageTemplate {
    "unreadable"
        .parse()
        .unwrap_or_else(|error| unreachable!("a constant reference: {error}"))
}
