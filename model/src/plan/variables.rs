//! The variables of the test process's environment that a plan reads: `{$NAME:-default}`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;

use super::container::{EnvVar, FileContent, Origin};
use super::service::{Plan, ServicePlan};
use super::steps::{CheckKind, SetupKind};
use crate::image::ImageRefError;
use crate::placeholder::Variable;
use crate::secret::Redactor;
use crate::{ImageTemplate, Template, suggest};

impl Plan {
    /// Sets the value of every variable: the one that `read` returns, or its default.
    ///
    /// ```
    /// use seatrial_model::{Origin, Plan, ServicePlan};
    ///
    /// let db = ServicePlan::new("db", Origin::Image("postgres:{$POSTGRES_VERSION:-17}".parse()?));
    /// let mut plan = Plan { name: "Shop".to_owned(), services: vec![db] };
    /// plan.fill(|name| (name == "POSTGRES_VERSION").then(|| "16".into())).unwrap();
    /// let Origin::Image(image) = &plan.services[0].origin else { panic!() };
    /// assert_eq!(image.reference().to_string(), "postgres:16");
    /// # Ok::<(), seatrial_model::image::ImageTemplateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Every variable that has no value, or a value that is not valid in its place.
    pub fn fill(
        &mut self,
        read: impl Fn(&str) -> Option<OsString>,
    ) -> Result<(), Vec<VariableError>> {
        let mut errors = Vec::new();
        for service in &mut self.services {
            let field = service.field.clone();
            service.visit(|place, part| {
                let mut problems = Vec::new();
                let mut fill = |text: &mut Template| {
                    let variables = text.variables_mut();
                    problems.extend(variables.filter_map(|variable| fill(variable, &read).err()));
                };
                match part {
                    Part::Text(text) => fill(text),
                    Part::Image(image) => {
                        let filled = image.fill(fill);
                        // An image whose variables have no values is malformed for that reason alone.
                        if let (Err(error), true) = (filled, problems.is_empty()) {
                            problems.push(VariableProblem::of_image(image, &error));
                        }
                    }
                }
                errors.extend(problems.into_iter().map(|problem| VariableError {
                    service: field.clone(),
                    place: place.to_owned(),
                    problem,
                }));
            });
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }
}

impl ServicePlan {
    /// The variables of the test process's environment that it reads, without duplicates.
    pub fn read_variables(&self) -> Vec<Variable> {
        let mut found = BTreeMap::new();
        // Readers use the same walk as writers.
        self.clone().visit(|_, part| {
            let text = match &part {
                Part::Text(text) => Some(&**text),
                Part::Image(image) => image.text(),
            };
            for variable in text.into_iter().flat_map(Template::variables) {
                found.insert(variable.to_string(), variable.clone());
            }
        });
        found.into_values().collect()
    }

    /// Calls `see` with each part that may have variables, and with its place in the declaration.
    fn visit(&mut self, mut see: impl FnMut(&str, Part<'_>)) {
        match &mut self.origin {
            Origin::Image(image) => see("image", Part::Image(image)),
            Origin::Bin { base, .. } => {
                if let Some(base) = base {
                    see("base", Part::Image(base));
                }
            }
            Origin::Build(build) => {
                let place = |it: &str| format!("build(args({it}))");
                visit_env(&mut build.args, place, &mut see);
            }
        }
        visit_env(&mut self.env, |it| format!("env({it})"), &mut see);
        let commands = [
            ("command", &mut self.command),
            ("entrypoint", &mut self.entrypoint),
        ];
        for (place, command) in commands {
            visit_command(command.as_deref_mut().unwrap_or_default(), place, &mut see);
        }
        for file in &mut self.files {
            if let FileContent::Text(text) = &mut file.content {
                see(&format!("files({:?})", file.at), Part::Text(text));
            }
        }
        for check in &mut self.ready {
            match &mut check.kind {
                CheckKind::Exec { command } => visit_command(command, "ready(exec)", &mut see),
                CheckKind::Probe { image, command } => {
                    see("ready(image)", Part::Image(image));
                    visit_command(command, "ready(run)", &mut see);
                }
                CheckKind::Tcp { .. }
                | CheckKind::Log { .. }
                | CheckKind::Http { .. }
                | CheckKind::Protocol { .. }
                | CheckKind::Healthcheck
                | CheckKind::Running
                | CheckKind::Hook { .. } => {}
            }
        }
        for setup in &mut self.setups {
            match &mut setup.kind {
                SetupKind::Exec { command, env } => {
                    visit_command(command, "setup(exec)", &mut see);
                    visit_env(env, |it| format!("setup(env({it}))"), &mut see);
                }
                SetupKind::Container {
                    image,
                    command,
                    env,
                } => {
                    see("setup(image)", Part::Image(image));
                    visit_command(command, "setup(run)", &mut see);
                    visit_env(env, |it| format!("setup(env({it}))"), &mut see);
                }
                SetupKind::Hook { .. } => {}
            }
        }
    }
}

/// A part that may have variables.
enum Part<'a> {
    Text(&'a mut Template),
    Image(&'a mut ImageTemplate),
}

fn visit_command(words: &mut [Template], place: &str, see: &mut impl FnMut(&str, Part<'_>)) {
    for word in words {
        see(place, Part::Text(word));
    }
}

fn visit_env(
    env: &mut [EnvVar],
    place: impl Fn(&str) -> String,
    see: &mut impl FnMut(&str, Part<'_>),
) {
    for EnvVar { name, value } in env {
        see(&place(name), Part::Text(value));
    }
}

fn fill(
    variable: &mut Variable,
    read: impl Fn(&str) -> Option<OsString>,
) -> Result<(), VariableProblem> {
    let name = variable.name().to_owned();
    let set = match read(&name).map(OsString::into_string) {
        Some(Ok(value)) => Some(value),
        Some(Err(_)) => return Err(VariableProblem::NotText(name)),
        None => None,
    };
    if variable.fill(set) {
        Ok(())
    } else {
        Err(VariableProblem::Unset(name))
    }
}

/// A variable that a declaration reads and that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableError {
    /// The field of the service that reads it.
    pub service: String,
    /// The place that reads it: `image`, `env(RUST_LOG)`.
    pub place: String,
    /// The problem.
    pub problem: VariableProblem,
}

/// The problem of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableProblem {
    /// The variable of this name is not set, and has no default.
    Unset(String),
    /// The value of the variable of this name is not Unicode.
    NotText(String),
    /// It is not an image reference with the values of these variables.
    Image {
        /// The names of the variables.
        names: Vec<String>,
        /// The error of the image, without secrets.
        error: String,
    },
}

impl VariableProblem {
    fn of_image(image: &ImageTemplate, error: &ImageRefError) -> Self {
        let variables = image.text().into_iter().flat_map(Template::variables);
        let variables: Vec<&Variable> = variables.collect();
        let values = variables.iter();
        let values = values.map(|it| (it.name(), it.value().unwrap_or_default()));
        Self::Image {
            names: variables.iter().map(|it| it.name().to_owned()).collect(),
            error: Redactor::new(values).redact(&error.to_string()),
        }
    }
}

impl VariableError {
    /// How to fix it.
    pub fn help(&self) -> String {
        match &self.problem {
            VariableProblem::Unset(name) => format!(
                "set `{name}` where the tests are started, or declare a default: `{{${name}:-..}}`"
            ),
            VariableProblem::NotText(name) => {
                format!("set `{name}` to a value in UTF-8 where the tests are started")
            }
            VariableProblem::Image { names, .. } => format!(
                "set {} to a value that fits there",
                suggest::alternatives(names.iter())
            ),
        }
    }
}

impl fmt::Display for VariableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = &self.place;
        match &self.problem {
            VariableProblem::Unset(name) => {
                write!(
                    f,
                    "`{place}` reads the environment variable `{name}`, which is not set"
                )
            }
            VariableProblem::NotText(name) => write!(
                f,
                "`{place}` reads the environment variable `{name}`, whose value is not UTF-8"
            ),
            VariableProblem::Image { names, error } => write!(
                f,
                "`{place}` is not valid with the value of the environment variable {}: {error}",
                suggest::alternatives(names.iter())
            ),
        }
    }
}

impl std::error::Error for VariableError {}
