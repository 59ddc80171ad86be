//! The readiness checks and setups of a service.

use seatrial_model::{Check, CheckKind, Protocol, Setup, SetupKind};

use super::ports;
use super::service::Modeller;
use crate::syntax::{CheckSyntax, OriginSyntax, SetupKindSyntax};

impl Modeller<'_> {
    pub(super) fn checks(&mut self) -> Vec<Check> {
        let mut checks = Vec::new();
        for check in &self.syntax().checks {
            let kind = match &check.value {
                CheckSyntax::Tcp(chosen) => {
                    let ports = ports::tcp(self.syntax(), check.span, chosen, self.report);
                    CheckKind::Tcp { ports }
                }
                CheckSyntax::Log { text, times } => CheckKind::Log {
                    text: text.clone(),
                    times: *times,
                },
                CheckSyntax::Http { path, status, port } => CheckKind::Http {
                    port: ports::http(self.syntax(), check.span, port.as_ref(), self.report),
                    path: path.clone(),
                    status: *status,
                },
                CheckSyntax::Protocol(protocol, port) => CheckKind::Protocol {
                    protocol: *protocol,
                    port: ports::protocol(
                        self.syntax(),
                        check.span,
                        *protocol,
                        port.as_ref(),
                        self.report,
                    ),
                },
                CheckSyntax::Exec(command) => CheckKind::Exec {
                    command: self.templates(command, true),
                },
                CheckSyntax::Healthcheck => CheckKind::Healthcheck,
                CheckSyntax::Running => CheckKind::Running,
                CheckSyntax::Probe { image, command } => CheckKind::Probe {
                    image: image.clone(),
                    command: self.templates(command, true),
                },
                CheckSyntax::Hook(path) => {
                    let (binding, name) = self.hook(path);
                    CheckKind::Hook { binding, name }
                }
            };
            checks.push(Check { kind });
        }
        if checks.is_empty() {
            checks.extend(self.default_check());
        }
        checks
    }

    /// The check of a service that declares none, if its image's name tells its protocol. Only on the protocol's own port:
    /// on another port, such an image may serve something else.
    fn default_check(&self) -> Option<Check> {
        let service = self.syntax();
        let OriginSyntax::Image(image) = &service.origins.first()?.value else {
            return None;
        };
        let protocol = Protocol::of_image(image)?;
        let port = protocol.port();
        let kind = CheckKind::Protocol { protocol, port };
        ports::has_port_of(service, protocol).then_some(Check { kind })
    }

    pub(super) fn setups(&mut self) -> Vec<Setup> {
        let mut setups = Vec::new();
        for setup in &self.syntax().setups {
            let env = self.env(&setup.env, true);
            let key = setup.key.as_ref().map(|key| {
                self.bindings.keys.push(key.clone());
                self.bindings.keys.len() - 1
            });
            let kind = match &setup.kind {
                Some(SetupKindSyntax::Exec(command)) => SetupKind::Exec {
                    command: self.templates(command, true),
                    env,
                },
                Some(SetupKindSyntax::Container { image, command }) => SetupKind::Container {
                    image: image.clone(),
                    command: self.templates(command, true),
                    env,
                },
                Some(SetupKindSyntax::Hook(path)) => {
                    let (binding, name) = self.hook(path);
                    SetupKind::Hook { binding, name }
                }
                // The report has the error.
                None => continue,
            };
            setups.push(Setup {
                name: setup.name.as_ref().map(|name| name.value.clone()),
                kind,
                timeout: setup.timeout,
                key,
            });
        }
        setups
    }

    /// Binds a function of the user. Returns its position, and its path as the user wrote it.
    fn hook(&mut self, path: &syn::Path) -> (usize, String) {
        self.bindings.hooks.push(path.clone());
        // Without the spaces that tokens are printed with.
        let written = quote::quote!(#path).to_string().replace(' ', "");
        (self.bindings.hooks.len() - 1, written)
    }
}
