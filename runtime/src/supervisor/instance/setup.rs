//! Sets up a service once it is ready, before anyone else uses it. The steps run in the order of the declaration.
//!
//! Each step runs once for an instance. If the process that ran a step has ended, the progress of the step is unknown.
//! The instance is discarded then, and another one replaces it.

use seatrial_model::{EnvVar, Setup, SetupKind, Template};
use tokio::time::timeout;

use super::checks::Thoroughness;
use super::inbox::Inbox;
use super::one_shot::{OneShot, OneShotError};
use super::running::Running;
use super::state::Instance;
use crate::engine::{EngineError, EngineErrorKind, ExecResult, ExecSpec};
use crate::protocol::{HookFailure, HookKind};
use crate::readiness::shown;
use crate::supervisor::diagnosis::{self, LOG_LINES};
use crate::supervisor::messages::ProcessEnded;
use crate::supervisor::spec::{self, render};
use crate::visible::quoted;
use crate::{Error, ErrorKind, terminal};

/// Why a service is not set up.
pub(super) enum NotSetUp {
    Failed(Error),
    /// The process that ran a function has ended, and its progress is unknown.
    ProcessEnded,
}

impl From<Error> for NotSetUp {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Exit codes of shells and engines for a command that does not exist or is not executable.
const NO_COMMAND: [i64; 2] = [126, 127];

impl Running {
    /// Runs all steps of the declaration, and checks that the service is still ready after them.
    pub(super) async fn set_up(
        &self,
        instance: &Instance,
        inbox: &mut Inbox,
    ) -> Result<(), NotSetUp> {
        let setups = &instance.service().setups;
        if setups.is_empty() {
            return Ok(());
        }
        for setup in setups {
            if let SetupKind::Hook { .. } = setup.kind {
                self.until_taken(instance).await?;
            }
            let step = Step::new(setup, instance, self);
            let title = &step.title;
            instance.record("setup", &[("setup", title)]);
            instance
                .activity
                .set_step(format!("was being set up by {title}"));
            let outcome = tokio::select! {
                biased;
                () = self.exits.ended() => Err(step.container_ended().await.into()),
                outcome = step.run() => outcome,
                never = self.serve_meanwhile(instance, inbox, HookKind::Setup) => match never {},
            };
            outcome?;
            instance.record("set_up", &[("setup", title)]);
        }
        let ready = self.wait_ready(instance, inbox, Thoroughness::Again).await;
        ready.map_err(|error| {
            let after = "it was ready before its setup";
            NotSetUp::Failed(error.with(|report| report.details.push(after.to_owned())))
        })
    }
}

/// A step under way.
struct Step<'a> {
    setup: &'a Setup,
    instance: &'a Instance,
    running: &'a Running,
    /// The name of the step in a report, without secrets.
    title: String,
}

impl<'a> Step<'a> {
    fn new(setup: &'a Setup, instance: &'a Instance, running: &'a Running) -> Self {
        let mut step = Self {
            setup,
            instance,
            running,
            title: String::new(),
        };
        let what = match &setup.kind {
            SetupKind::Exec { command, .. } => format!("`{}`", step.shown(command)),
            SetupKind::Container { image, command, .. } => {
                format!("`{}` in {image}", step.shown(command))
            }
            SetupKind::Hook { name, .. } => format!("`{name}`"),
        };
        step.title = match &setup.name {
            Some(name) => format!("`{name}` ({what})"),
            None => what,
        };
        step
    }

    fn shown(&self, command: &[Template]) -> String {
        let command = shown(&self.texts(command));
        quoted(&self.instance.redactor, &command)
    }

    fn texts(&self, templates: &[Template]) -> Vec<String> {
        let Instance { launch, index, .. } = self.instance;
        let texts = templates.iter();
        texts
            .map(|template| render(launch, *index, template))
            .collect()
    }

    fn env(&self, env: &[EnvVar]) -> Vec<String> {
        spec::env(&self.instance.launch, self.instance.index, env)
    }

    async fn run(&self) -> Result<(), NotSetUp> {
        let default = self.instance.context.config().timeouts.setup;
        let within = self.setup.timeout.unwrap_or(default);
        match timeout(within, self.attempt()).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let what = format!("did not finish within {}", terminal::duration(within));
                let error = self.failed(what, Vec::new()).await;
                Err(NotSetUp::Failed(error.with(|report| {
                    report.help = Some(
                        "check in the service's log what it waits for; if it is only slow, write \
                         `setup(.., timeout = \"10m\")` or raise `timeouts.setup` in seatrial.toml"
                            .to_owned(),
                    );
                })))
            }
        }
    }

    async fn attempt(&self) -> Result<(), NotSetUp> {
        let Self {
            instance, running, ..
        } = self;
        match &self.setup.kind {
            SetupKind::Exec { command, env } => {
                let exec = ExecSpec {
                    command: self.texts(command),
                    env: self.env(env),
                    ..ExecSpec::default()
                };
                match running.engine.exec(&running.container.id, &exec).await {
                    Ok(result) => self.judge(&result, IN_SERVICE).await,
                    Err(error) => Err(self.refused(&error, IN_SERVICE).await.into()),
                }
            }
            SetupKind::Container {
                image,
                command,
                env,
            } => {
                let (launch, service) = (&instance.launch, instance.service());
                let mounts = spec::source(launch, service);
                let mounts = mounts.map_err(|error| instance.attach(error))?;
                let one_shot = OneShot {
                    env: self.env(env),
                    mounts: mounts.into_iter().collect(),
                    user: spec::owner(launch, service),
                    workdir: spec::package_in_source(launch, service),
                    ..OneShot::new("setup", image.reference(), self.texts(command))
                };
                match one_shot.run(instance, running).await {
                    Ok(result) => self.judge(&result, IN_IMAGE).await,
                    Err(OneShotError::Engine(error)) => {
                        Err(self.refused(&error, IN_IMAGE).await.into())
                    }
                    Err(OneShotError::Image(error)) => {
                        let title = &self.title;
                        let error = error.redacted(&instance.redactor);
                        let error = Error::from(error).with(|report| {
                            report.what = format!("{}, for the setup {title}", report.what);
                        });
                        Err(instance.attach(error).into())
                    }
                }
            }
            SetupKind::Hook { binding, .. } => {
                let call = running.run_hook(instance, HookKind::Setup, *binding);
                match call.await {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(HookFailure::Failed(text) | HookFailure::Panicked(text))) => {
                        let text = quoted(&instance.redactor, &text);
                        let error = self.failed("failed".to_owned(), vec![text]).await;
                        Err(NotSetUp::Failed(error.with(|report| {
                            report.help = Some(
                                "check in the service's log what it was asked to do; the function is called once for each instance, \
                                 after the service is ready"
                                    .to_owned(),
                            );
                        })))
                    }
                    Err(ProcessEnded) => Err(NotSetUp::ProcessEnded),
                }
            }
        }
    }

    /// Exit code 0 is a success. Any other code is reported with the command's output.
    async fn judge(&self, result: &ExecResult, no_command: &str) -> Result<(), NotSetUp> {
        if result.code == 0 {
            return Ok(());
        }
        if self.running.has_ended_by(result.code).await {
            return Err(self.container_ended().await.into());
        }
        let texts = [&result.stdout, &result.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        let lines: Vec<&str> = texts
            .iter()
            .flat_map(|text| text.trim_end().lines())
            .collect();
        let last = &lines[lines.len().saturating_sub(LOG_LINES)..];
        let output = match last {
            [] => "it wrote nothing".to_owned(),
            last => {
                let last = quoted(&self.instance.redactor, &last.join("\n"));
                format!(
                    "the last lines of its output:\n  | {}",
                    last.replace('\n', "\n  | ")
                )
            }
        };
        let what = format!("exited with code {}", result.code);
        let error = self.failed(what, vec![output]).await;
        Err(NotSetUp::Failed(error.with(|report| {
            report.exit_code = Some(result.code);
            report.help = Some(if NO_COMMAND.contains(&result.code) {
                no_command.to_owned()
            } else {
                "fix what its output reports; it runs once for each instance, after the service is ready"
                    .to_owned()
            });
        })))
    }

    /// The error of an engine that did not run the command.
    async fn refused(&self, error: &EngineError, no_command: &str) -> Error {
        let said = vec![error.redacted(&self.instance.redactor).to_string()];
        let not_found = error.kind == EngineErrorKind::CommandNotFound;
        let error = self.failed("could not be run".to_owned(), said).await;
        error.with(|report| {
            report.help = not_found.then(|| no_command.to_owned());
        })
    }

    async fn container_ended(&self) -> Error {
        let exit_code = self.running.exit_code().await;
        let code = match exit_code {
            Some(code) => format!("code {code}"),
            None => "unknown code".to_owned(),
        };
        let what = format!("ended, because the container exited with {code}");
        let error = self.failed(what, Vec::new()).await;
        error.with(|report| {
            report.exit_code = exit_code;
            report.help = Some(
                "check in the log why the service ends; a setup command must not stop it, but a setup function may `restart()` it"
                    .to_owned(),
            );
        })
    }

    /// The error of the step. The quotes in `details` have no secrets any more.
    async fn failed(&self, what: String, details: Vec<String>) -> Error {
        let (log, no_log) = diagnosis::tail(&self.running.engine, &self.running.container.id).await;
        let what = format!("the setup {} {what}", self.title);
        let error = Error::new(ErrorKind::Setup, what).with(|report| {
            report.details = details;
            report.details.extend(no_log);
            report.log = log;
        });
        self.instance.attach(error)
    }
}

const IN_SERVICE: &str = "name an executable that the service's image has, or run it in another image with \
                          `setup(image = \"..\", run = \"..\")`";
const IN_IMAGE: &str = "name an executable that the setup's image has";
