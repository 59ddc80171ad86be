//! The errors of placeholders, and what to write instead.

use std::fmt;

use crate::message::{invalid, undeclared};
use crate::suggest;

/// Braces that are not a placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyntaxError {
    /// `{` without `}`.
    Unclosed(String),
    /// `}` without `{`.
    Unopened(String),
    /// A placeholder without a name.
    Empty(String),
    /// Something that cannot be a name: JSON, for example.
    NotAName(String),
    /// `{$..}` without the name of a variable, or with something other than a default after it.
    Variable(String),
    /// A default with a brace in it.
    BraceInDefault(String),
    /// `${NAME:-default}`, as a shell has it.
    ShellSyntax {
        /// The placeholder as written.
        written: String,
        /// The text between its braces.
        inside: String,
    },
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unclosed(at) => write!(
                f,
                "unclosed placeholder at `{at}`; close it with `}}`, or write `{{{{` for a literal brace"
            ),
            Self::Unopened(at) => write!(
                f,
                "unmatched `}}` at `{at}`; write `}}}}` for a literal brace"
            ),
            Self::Empty(written) => write!(
                f,
                "missing name in the placeholder `{written}`; write a service's name such as `{{db}}`, or `{{{{` and `}}}}` for literal braces"
            ),
            Self::NotAName(written) => f.write_str(&invalid(
                "placeholder",
                written,
                "expected a service's name such as `{db}`, or `{{` and `}}` for literal braces",
            )),
            Self::Variable(written) => f.write_str(&invalid(
                "variable",
                written,
                "expected a name of letters, digits and `_` as in `{$TAG}`, or with a default as in `{$TAG:-17}`",
            )),
            Self::BraceInDefault(at) => f.write_str(&invalid(
                "default",
                at,
                "braces are not supported in it; write plain text, closed by `}`",
            )),
            Self::ShellSyntax { written, inside } => write!(
                f,
                "`${written}` is shell syntax; write `{{${inside}}}` for a variable of the test's environment, or `${{{{{inside}}}}}` to leave it to a shell in the container"
            ),
        }
    }
}

impl std::error::Error for SyntaxError {}

/// A placeholder that cannot be resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolveError {
    /// No service has this name.
    UnknownService {
        /// The name as written.
        name: String,
        /// Whether it is written `${name}`.
        after_dollar: bool,
        /// All declared names.
        known: Vec<String>,
    },
    /// A service that refers to itself.
    Itself {
        /// The placeholder as written.
        written: String,
        /// The service.
        service: String,
    },
    /// The service declares no port.
    NoPort {
        /// The placeholder as written.
        written: String,
        /// The service.
        service: String,
    },
    /// The service declares several ports and the placeholder does not choose.
    SeveralPorts {
        /// The placeholder as written.
        written: String,
        /// The service.
        service: String,
        /// The ports that it can choose.
        ports: Vec<String>,
    },
    /// The service does not declare this port.
    UndeclaredPort {
        /// The port as written.
        port: String,
        /// The service.
        service: String,
        /// The ports that it declares.
        ports: Vec<String>,
    },
    /// Something other than `host` or `port` after the name.
    UnknownPart {
        /// The placeholder as written.
        written: String,
        /// The service.
        service: String,
    },
    /// `{x.url}` of a service that does not know its URL.
    Untyped {
        /// The placeholder as written.
        written: String,
        /// The service.
        service: String,
    },
    /// `{source}` in a service that does not mount the source.
    SourceNotMounted,
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownService {
                name,
                after_dollar: true,
                ..
            } => write!(
                f,
                "unknown service `{name}`; write `{{${name}}}` for a variable of the test's environment, or `${{{{{name}}}}}` to leave it to a shell in the container"
            ),
            Self::UnknownService { name, known, .. } if known.is_empty() => write!(
                f,
                "unknown service `{name}`: no other service is declared; declare it, or write `{{{{` and `}}}}` for literal braces"
            ),
            Self::UnknownService { name, known, .. } => {
                f.write_str(&undeclared("service", name, "", "declare it", known))
            }
            Self::Itself { written, service } => write!(
                f,
                "`{service}` cannot depend on itself: `{written}` names it; write `localhost` inside its own container"
            ),
            Self::NoPort { written, service } => write!(
                f,
                "`{written}` needs a port, but `{service}` declares none; declare one with `port = ..`, or write `{{{service}.host}}`"
            ),
            Self::SeveralPorts {
                written,
                service,
                ports,
            } if written.ends_with(".port}") => write!(
                f,
                "`{written}` is ambiguous: `{service}` declares several ports; write {}",
                suggest::alternatives(
                    ports
                        .iter()
                        .map(|port| format!("{{{service}.port.{port}}}"))
                )
            ),
            Self::SeveralPorts {
                written,
                service,
                ports,
            } => write!(
                f,
                "`{written}` is ambiguous: `{service}` declares several ports; write {}",
                suggest::alternatives(
                    ports
                        .iter()
                        .map(|port| format!("{{{service}.host}}:{{{service}.port.{port}}}"))
                )
            ),
            Self::UndeclaredPort {
                port,
                service,
                ports,
            } if ports.is_empty() => write!(
                f,
                "`{service}` declares no port `{port}`; declare it with `port = ..` or `ports(..)`"
            ),
            Self::UndeclaredPort {
                port,
                service,
                ports,
            } => write!(
                f,
                "`{service}` declares no port `{port}`; declare it, or write {}",
                suggest::alternatives(ports.iter())
            ),
            Self::UnknownPart { written, service } if service == "source" => {
                write!(f, "unknown placeholder `{written}`; write `{{source}}`")
            }
            Self::UnknownPart { written, service } => write!(
                f,
                "unknown placeholder `{written}`; write `{{{service}}}`, `{{{service}.host}}`, `{{{service}.port}}` or `{{{service}.port.NAME}}`"
            ),
            Self::Untyped { written, service } => write!(
                f,
                "`{written}` is not supported yet; write the URL out with `{{{service}}}`"
            ),
            Self::SourceNotMounted => f.write_str(
                "`{source}` is only valid where the source is mounted; remove `source(none)`",
            ),
        }
    }
}

impl std::error::Error for ResolveError {}
