//! Text with placeholders: `mysql://root:sea@{db}/shop`.
//!
//! A text is parsed into a [`RawTemplate`], which knows names only, and resolved against the declared services
//! into a [`Template`], which knows positions and port numbers and can no longer be wrong.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Port, suggest};

/// Text whose placeholders are resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Template(Vec<Segment>);

/// A part of a [`Template`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Segment {
    /// Literal text.
    Text(String),
    /// A value known when the composition is launched.
    Reference(Reference),
}

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// `{db}`: host name and port of the service at this position.
    Address {
        /// The service's position in the plan.
        service: usize,
        /// The port's number in the container.
        port: u16,
    },
    /// `{db.host}`: host name of the service at this position.
    Host(usize),
    /// `{db.port}` or `{db.port.NAME}`: a port's number in the container.
    Port {
        /// The service's position in the plan.
        service: usize,
        /// The port's number in the container.
        port: u16,
    },
    /// `{source}`: where the source tree is mounted in this container.
    Source,
}

impl Reference {
    /// The service it refers to.
    pub fn service(self) -> Option<usize> {
        match self {
            Self::Address { service, .. } | Self::Port { service, .. } | Self::Host(service) => {
                Some(service)
            }
            Self::Source => None,
        }
    }
}

impl Template {
    /// Text without placeholders.
    pub fn literal(text: impl Into<String>) -> Self {
        Self(vec![Segment::Text(text.into())])
    }

    /// The parts, in order.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Positions of the services that the placeholders name, in order, with repetitions.
    pub fn services(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().filter_map(|segment| match segment {
            Segment::Text(_) => None,
            Segment::Reference(reference) => reference.service(),
        })
    }

    /// The text, each placeholder replaced by what `value` says.
    pub fn render(&self, mut value: impl FnMut(Reference) -> String) -> String {
        self.0
            .iter()
            .map(|segment| match segment {
                Segment::Text(text) => text.clone(),
                Segment::Reference(reference) => value(*reference),
            })
            .collect()
    }
}

/// Text whose placeholders are names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawTemplate(Vec<RawSegment>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum RawSegment {
    Text(String),
    /// What stands between the braces, split at its dots; never empty, no part is empty.
    Placeholder(Vec<String>),
}

/// The services a placeholder can name, and whose text it stands in.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// Every service of the composition, by position.
    pub services: &'a [Declared<'a>],
    /// Position of the service whose text this is.
    pub own: usize,
    /// Whether the text may name its own service, also as `{self}`: readiness checks may, environment
    /// variables and commands may not.
    pub own_allowed: bool,
    /// Whether the source is mounted there, so that `{source}` means something.
    pub source_mounted: bool,
}

/// What a placeholder can know of a service.
#[derive(Clone, Copy, Debug)]
pub struct Declared<'a> {
    /// The field or parameter that declares it.
    pub field: &'a str,
    /// Its ports.
    pub ports: &'a [Port],
}

impl RawTemplate {
    /// Splits `text` at its placeholders; `{{` and `}}` are literal braces.
    ///
    /// # Errors
    ///
    /// A brace that is not closed, not opened, or has no name in it.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut segments = Vec::new();
        let mut literal = String::new();
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '{' | '}' if chars.peek().is_some_and(|(_, next)| *next == c) => {
                    chars.next();
                    literal.push(c);
                }
                '{' => {
                    let rest = &text[at + 1..];
                    let end = rest
                        .find(['{', '}'])
                        .filter(|end| rest[*end..].starts_with('}'))
                        .ok_or_else(|| SyntaxError::Unclosed(excerpt(&text[at..])))?;
                    let parts: Vec<String> = rest[..end]
                        .split('.')
                        .map(|part| part.trim().to_owned())
                        .collect();
                    if parts.iter().any(String::is_empty) {
                        return Err(SyntaxError::Empty(text[at..=at + 1 + end].to_owned()));
                    }
                    if !literal.is_empty() {
                        segments.push(RawSegment::Text(std::mem::take(&mut literal)));
                    }
                    segments.push(RawSegment::Placeholder(parts));
                    while chars.peek().is_some_and(|(next, _)| *next <= at + 1 + end) {
                        chars.next();
                    }
                }
                '}' => return Err(SyntaxError::Unopened(excerpt(&text[at..]))),
                _ => literal.push(c),
            }
        }
        if !literal.is_empty() {
            segments.push(RawSegment::Text(literal));
        }
        Ok(Self(segments))
    }

    /// Names of the services that the placeholders mention, existing or not.
    pub fn mentioned(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|segment| match segment {
            RawSegment::Placeholder(parts) if parts[0] != "source" => Some(parts[0].as_str()),
            _ => None,
        })
    }

    /// Replaces every name by what it stands for.
    ///
    /// # Errors
    ///
    /// Every placeholder that means nothing, not just the first.
    pub fn resolve(&self, names: Names<'_>) -> Result<Template, Vec<ResolveError>> {
        let mut errors = Vec::new();
        let mut segments = Vec::new();
        for segment in &self.0 {
            match segment {
                RawSegment::Text(text) => segments.push(Segment::Text(text.clone())),
                RawSegment::Placeholder(parts) => match resolve(parts, names) {
                    Ok(reference) => segments.push(Segment::Reference(reference)),
                    Err(error) => errors.push(error),
                },
            }
        }
        if errors.is_empty() {
            Ok(Template(segments))
        } else {
            Err(errors)
        }
    }
}

fn resolve(parts: &[String], names: Names<'_>) -> Result<Reference, ResolveError> {
    let name = parts[0].as_str();
    let written = format!("{{{}}}", parts.join("."));
    if name == "source" {
        return match (parts.len(), names.source_mounted) {
            (1, true) => Ok(Reference::Source),
            (1, false) => Err(ResolveError::SourceNotMounted),
            _ => Err(ResolveError::UnknownPart {
                written,
                service: name.to_owned(),
            }),
        };
    }
    let service = if name == "self" && names.own_allowed {
        names.own
    } else {
        names
            .services
            .iter()
            .position(|service| service.field == name)
            .ok_or_else(|| {
                let known = names.services.iter().map(|service| service.field);
                ResolveError::UnknownService {
                    name: name.to_owned(),
                    suggestion: suggest::nearest(name, known.clone()).map(str::to_owned),
                    known: known.map(str::to_owned).collect(),
                }
            })?
    };
    let declared = names.services[service];
    if service == names.own && !names.own_allowed {
        return Err(ResolveError::Itself {
            written,
            service: declared.field.to_owned(),
        });
    }
    let parts: Vec<&str> = parts[1..].iter().map(String::as_str).collect();
    match parts[..] {
        [] => Ok(Reference::Address {
            service,
            port: only_port(&written, declared)?,
        }),
        ["host"] => Ok(Reference::Host(service)),
        ["port"] => Ok(Reference::Port {
            service,
            port: only_port(&written, declared)?,
        }),
        ["port", port] => Ok(Reference::Port {
            service,
            port: named_port(port, declared)?,
        }),
        ["url"] => Err(ResolveError::Untyped {
            written,
            service: declared.field.to_owned(),
        }),
        _ => Err(ResolveError::UnknownPart {
            written,
            service: declared.field.to_owned(),
        }),
    }
}

fn only_port(written: &str, declared: Declared<'_>) -> Result<u16, ResolveError> {
    match declared.ports {
        [port] => Ok(port.number),
        [] => Err(ResolveError::NoPort {
            written: written.to_owned(),
            service: declared.field.to_owned(),
        }),
        ports => Err(ResolveError::SeveralPorts {
            written: written.to_owned(),
            service: declared.field.to_owned(),
            ports: ports.iter().map(port_name).collect(),
        }),
    }
}

fn named_port(wanted: &str, declared: Declared<'_>) -> Result<u16, ResolveError> {
    declared
        .ports
        .iter()
        .find(|port| port.name.as_deref() == Some(wanted) || port.number.to_string() == wanted)
        .map(|port| port.number)
        .ok_or_else(|| ResolveError::UndeclaredPort {
            port: wanted.to_owned(),
            service: declared.field.to_owned(),
            ports: declared.ports.iter().map(port_name).collect(),
        })
}

fn port_name(port: &Port) -> String {
    port.name.clone().unwrap_or_else(|| port.number.to_string())
}

fn excerpt(text: &str) -> String {
    match text.char_indices().nth(24) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// Braces that are no placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyntaxError {
    /// `{` without `}`.
    Unclosed(String),
    /// `}` without `{`.
    Unopened(String),
    /// Nothing where a name should be.
    Empty(String),
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
            Self::UnknownService { name, suggestion, known } => {
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
