//! What can be wrong with placeholders, and what to write instead.

use std::fmt;

use crate::suggest;

/// Braces that are no placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyntaxError {
    /// `{` without `}`.
    Unclosed(String),
    /// `}` without `{`.
    Unopened(String),
    /// Nothing where a name should be.
    Empty(String),
    /// Something that cannot be a name: JSON, for example.
    NotAName(String),
    /// `{$..}` without the name of a variable, or with something other than a default behind it.
    Variable(String),
    /// A default with a brace in it.
    BraceInDefault(String),
    /// `${NAME:-default}`, as a shell has it.
    OfShell {
        /// The placeholder as written.
        written: String,
        /// What stands between its braces.
        inside: String,
    },
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unclosed(at) => write!(
                f,
                "the placeholder at `{at}` is not closed; close it with `}}`, or write `{{{{` for a literal brace"
            ),
            Self::Unopened(at) => write!(
                f,
                "the `}}` at `{at}` closes nothing; write `}}}}` for a literal brace"
            ),
            Self::Empty(written) => write!(
                f,
                "the placeholder `{written}` lacks a name; write a service's name such as `{{db}}`, or `{{{{` and `}}}}` for literal braces"
            ),
            Self::NotAName(written) => write!(
                f,
                "`{written}` holds no name; write a service's name such as `{{db}}`, or `{{{{` and `}}}}` for literal braces"
            ),
            Self::Variable(written) => write!(
                f,
                "`{written}` is malformed; write the name of an environment variable, letters, digits and `_`, as in `{{$TAG}}`, or with a default as in `{{$TAG:-17}}`"
            ),
            Self::BraceInDefault(at) => write!(
                f,
                "the default of the variable at `{at}` has a brace in it; write one of plain text, and `}}` behind it"
            ),
            Self::OfShell { written, inside } => write!(
                f,
                "`${written}` is a shell's form; write `{{${inside}}}` for a variable of the test's environment, or `${{{{{inside}}}}}` to leave it to a shell in the container"
            ),
        }
    }
}

impl std::error::Error for SyntaxError {}

/// A placeholder that means nothing here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolveError {
    /// No service has this name.
    UnknownService {
        /// The name as written.
        name: String,
        /// Whether it is written `${name}`.
        after_dollar: bool,
        /// The declared name that is nearest to it.
        suggestion: Option<String>,
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
        /// What it could choose from.
        ports: Vec<String>,
    },
    /// The service does not declare this port.
    UndeclaredPort {
        /// The port as written.
        port: String,
        /// The service.
        service: String,
        /// What it declares.
        ports: Vec<String>,
    },
    /// Something other than `host` or `port` behind the name.
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
    /// `{source}` where the source is not mounted.
    SourceNotMounted,
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownService { name, after_dollar: true, .. } => write!(
                f,
                "no service is named `{name}`; write `{{${name}}}` for a variable of the test's environment, or `${{{{{name}}}}}` to leave it to a shell in the container"
            ),
            Self::UnknownService { name, known, .. } if known.is_empty() => write!(
                f,
                "no service is named `{name}`, and there is no other; declare it, or write `{{{{` and `}}}}` for literal braces"
            ),
            Self::UnknownService { name, suggestion, known, .. } => {
                write!(f, "no service is named `{name}`; ")?;
                f.write_str(&suggest::did_you_mean(suggestion.as_deref(), known))
            }
            Self::Itself { written, service } => write!(
                f,
                "`{written}` makes `{service}` depend on itself; inside its own container a service is at `localhost`"
            ),
            Self::NoPort { written, service } => write!(
                f,
                "`{written}` needs a port and `{service}` declares none; declare one with `port = ..`, or write `{{{service}.host}}`"
            ),
            Self::SeveralPorts { written, service, ports } if written.ends_with(".port}") => write!(
                f,
                "`{written}` is ambiguous, `{service}` declares several ports; write {}",
                suggest::alternatives(
                    ports.iter().map(|port| format!("{{{service}.port.{port}}}"))
                )
            ),
            Self::SeveralPorts { written, service, ports } => write!(
                f,
                "`{written}` is ambiguous, `{service}` declares several ports; write {}",
                suggest::alternatives(
                    ports.iter().map(|port| format!("{{{service}.host}}:{{{service}.port.{port}}}"))
                )
            ),
            Self::UndeclaredPort { port, service, ports } if ports.is_empty() => write!(
                f,
                "`{service}` declares no port `{port}`, nor any other; declare it with `port = ..` or `ports(..)`"
            ),
            Self::UndeclaredPort { port, service, ports } => write!(
                f,
                "`{service}` declares no port `{port}`; declare it, or write one it has: {}",
                suggest::alternatives(ports.iter())
            ),
            Self::UnknownPart { written, service } if service == "source" => {
                write!(f, "`{written}` has no meaning; write `{{source}}`")
            }
            Self::UnknownPart { written, service } => write!(
                f,
                "`{written}` has no meaning; write `{{{service}}}`, `{{{service}.host}}`, `{{{service}.port}}` or `{{{service}.port.NAME}}`"
            ),
            Self::Untyped { written, service } => write!(
                f,
                "`{written}` needs a typed service, and these are not there yet; write the URL out with `{{{service}}}`"
            ),
            Self::SourceNotMounted => f.write_str(
                "`{source}` has no meaning here, the source is not mounted in this service; remove `source(none)`",
            ),
        }
    }
}

impl std::error::Error for ResolveError {}
