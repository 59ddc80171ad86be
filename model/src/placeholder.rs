//! Text with placeholders: `mysql://root:sea@{db}/shop`, `{$RUST_LOG:-info}`.
//!
//! A text is parsed into a [`RawTemplate`], which has names only, and resolved against the declared services into a
//! [`Template`], which has positions and port numbers and cannot be invalid.

mod error;
mod variable;

use std::fmt;

pub use error::{ResolveError, SyntaxError};
use serde::{Deserialize, Serialize};
pub use variable::Variable;

use crate::Port;

/// Text whose placeholders are resolved.
///
/// Its `Debug` form is the text with positions for names, `"mysql://root@{0}/shop"`, and without the values of variables whose
/// names suggest a secret.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// A variable of the test process's environment.
    Variable(Variable),
}

/// The value that a placeholder stands for.
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
    ///
    /// ```
    /// let text = seatrial_model::Template::literal("{not a placeholder}");
    /// assert_eq!(text.render(|_| unreachable!()), "{not a placeholder}");
    /// ```
    pub fn literal(text: impl Into<String>) -> Self {
        // Without an empty segment, so that equal texts are equal templates.
        let text: String = text.into();
        Self(if text.is_empty() {
            Vec::new()
        } else {
            vec![Segment::Text(text)]
        })
    }

    /// The parts, in order.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Positions of the services that the placeholders name, in order, with repetitions.
    pub fn services(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().filter_map(|segment| match segment {
            Segment::Text(_) | Segment::Variable(_) => None,
            Segment::Reference(reference) => reference.service(),
        })
    }

    /// The variables that it reads, in order, with repetitions.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.0.iter().filter_map(|segment| match segment {
            Segment::Variable(variable) => Some(variable),
            Segment::Text(_) | Segment::Reference(_) => None,
        })
    }

    /// The variables, to set their values.
    pub(crate) fn variables_mut(&mut self) -> impl Iterator<Item = &mut Variable> {
        self.0.iter_mut().filter_map(|segment| match segment {
            Segment::Variable(variable) => Some(variable),
            Segment::Text(_) | Segment::Reference(_) => None,
        })
    }

    /// The text, with each reference replaced by `value` and each variable by its value. A variable without a value stays as
    /// written.
    pub fn render(&self, value: impl FnMut(Reference) -> String) -> String {
        self.render_with(value, |variable| match variable.value() {
            Some(value) => value.to_owned(),
            None => variable.to_string(),
        })
    }

    pub(crate) fn render_with(
        &self,
        mut reference: impl FnMut(Reference) -> String,
        mut variable: impl FnMut(&Variable) -> String,
    ) -> String {
        let segments = self.0.iter().map(|segment| match segment {
            Segment::Text(text) => text.clone(),
            Segment::Reference(it) => reference(*it),
            Segment::Variable(it) => variable(it),
        });
        segments.collect()
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.render_with(|reference| reference.to_string(), Variable::shown);
        write!(f, "{text:?}")
    }
}

/// As a placeholder is written, with the service's position for its name and the port's number: `{0}`, `{0.host}`,
/// `{0.port.3306}`, `{source}`.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { service, .. } => write!(f, "{{{service}}}"),
            Self::Host(service) => write!(f, "{{{service}.host}}"),
            Self::Port { service, port } => write!(f, "{{{service}.port.{port}}}"),
            Self::Source => f.write_str("{source}"),
        }
    }
}

/// Text whose placeholders are names.
///
/// ```
/// use seatrial_model::Port;
/// use seatrial_model::placeholder::{Declared, Names, RawTemplate, Reference};
///
/// let port = Port { name: None, number: 3306 };
/// let services = [
///     Declared { field: "app", ports: &[] },
///     Declared { field: "db", ports: &[port] },
/// ];
/// let names = Names { services: &services, own: 0, own_allowed: false, source_mounted: true };
/// let url = RawTemplate::parse("mysql://{db}/shop").unwrap().resolve(names).unwrap();
/// assert_eq!(url.services().collect::<Vec<_>>(), [1]);
/// assert_eq!(url.render(|_| "db:3306".to_owned()), "mysql://db:3306/shop");
///
/// let errors = RawTemplate::parse("{bd}").unwrap().resolve(names).unwrap_err();
/// assert_eq!(errors[0].to_string(), "unknown service `bd`; did you mean `db`?");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawTemplate(Vec<RawSegment>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum RawSegment {
    Text(String),
    Placeholder {
        /// The text between the braces, split at its dots. Neither the list nor a part is empty.
        parts: Vec<String>,
        /// Whether a `$` precedes it, as in a shell's variable.
        after_dollar: bool,
    },
    Variable(Variable),
}

/// The services that a placeholder can name, and the service that has the text.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// Every service of the composition, by position.
    pub services: &'a [Declared<'a>],
    /// Position of the service whose text this is, within `services`.
    pub own: usize,
    /// Whether the text may name its own service, also as `{self}`: readiness checks may, environment
    /// variables and commands may not.
    pub own_allowed: bool,
    /// Whether the service has the source mounted, so that `{source}` is valid.
    pub source_mounted: bool,
}

/// The parts of a service that a placeholder can name.
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
    /// A brace that is not closed, not opened, or has something other than a name in it.
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
                        .ok_or_else(|| unclosed(&text[at..]))?;
                    let written = &text[at..=at + 1 + end];
                    let segment = placeholder(written, &rest[..end], literal.ends_with('$'))?;
                    if !literal.is_empty() {
                        segments.push(RawSegment::Text(std::mem::take(&mut literal)));
                    }
                    segments.push(segment);
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
            RawSegment::Placeholder { parts, .. } if parts[0] != "source" => {
                Some(parts[0].as_str())
            }
            _ => None,
        })
    }

    /// The text, if its only placeholders are variables; else the first other placeholder, as written.
    pub fn of_variables(self) -> Result<Template, String> {
        let segments = self.0.into_iter().map(|segment| match segment {
            RawSegment::Text(text) => Ok(Segment::Text(text)),
            RawSegment::Variable(variable) => Ok(Segment::Variable(variable)),
            RawSegment::Placeholder { parts, .. } => Err(format!("{{{}}}", parts.join("."))),
        });
        segments.collect::<Result<_, _>>().map(Template)
    }

    /// Resolves every name.
    ///
    /// # Errors
    ///
    /// Every placeholder that cannot be resolved, not only the first.
    pub fn resolve(&self, names: Names<'_>) -> Result<Template, Vec<ResolveError>> {
        let mut errors = Vec::new();
        let mut segments = Vec::new();
        for segment in &self.0 {
            match segment {
                RawSegment::Text(text) => segments.push(Segment::Text(text.clone())),
                RawSegment::Variable(variable) => {
                    segments.push(Segment::Variable(variable.clone()));
                }
                RawSegment::Placeholder {
                    parts,
                    after_dollar,
                } => match resolve(parts, *after_dollar, names) {
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

/// Parses the text between two braces; `written` includes them.
fn placeholder(written: &str, inside: &str, after_dollar: bool) -> Result<RawSegment, SyntaxError> {
    if let Some(variable) = inside.trim_start().strip_prefix('$') {
        return match Variable::parse(variable) {
            Some(variable) => Ok(RawSegment::Variable(variable)),
            None => Err(SyntaxError::Variable(excerpt(written))),
        };
    }
    let parts = inside.split('.').map(|part| part.trim().to_owned());
    let parts: Vec<String> = parts.collect();
    if let Some((name, _)) = inside.split_once(':').filter(|_| after_dollar)
        && variable::is_variable_name(name)
    {
        return Err(SyntaxError::ShellSyntax {
            written: excerpt(written),
            inside: inside.to_owned(),
        });
    }
    if parts.iter().any(String::is_empty) {
        return Err(SyntaxError::Empty(written.to_owned()));
    }
    if !parts.iter().all(|part| is_name(part)) {
        return Err(SyntaxError::NotAName(excerpt(written)));
    }
    Ok(RawSegment::Placeholder {
        parts,
        after_dollar,
    })
}

/// The error of an unclosed brace, or of a brace in a variable's default.
fn unclosed(text: &str) -> SyntaxError {
    let is_in_default = text[1..].find(['{', '}']).is_some_and(|brace| {
        let before = text[1..=brace].trim_start();
        before.starts_with('$') && before.contains(":-")
    });
    if is_in_default {
        SyntaxError::BraceInDefault(excerpt(text))
    } else {
        SyntaxError::Unclosed(excerpt(text))
    }
}

fn resolve(
    parts: &[String],
    after_dollar: bool,
    names: Names<'_>,
) -> Result<Reference, ResolveError> {
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
    let service = if name == "self" {
        names.own
    } else {
        names
            .services
            .iter()
            .position(|service| plain(service.field) == name)
            .ok_or_else(|| {
                // A suggestion of its own name, where that is not valid, would lead to the next error.
                let known = names
                    .services
                    .iter()
                    .enumerate()
                    .filter_map(|(at, service)| {
                        (at != names.own || names.own_allowed).then_some(plain(service.field))
                    });
                ResolveError::UnknownService {
                    name: name.to_owned(),
                    after_dollar: after_dollar && parts.len() == 1,
                    known: known.map(str::to_owned).collect(),
                }
            })?
    };
    let declared = names.services[service];
    if service == names.own && !names.own_allowed {
        return Err(ResolveError::Itself {
            written,
            service: plain(declared.field).to_owned(),
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
            service: plain(declared.field).to_owned(),
        }),
        _ => Err(ResolveError::UnknownPart {
            written,
            service: plain(declared.field).to_owned(),
        }),
    }
}

/// A field's name in placeholders: `type` for `r#type`.
fn plain(field: &str) -> &str {
    field.strip_prefix("r#").unwrap_or(field)
}

fn only_port(written: &str, declared: Declared<'_>) -> Result<u16, ResolveError> {
    match declared.ports {
        [port] => Ok(port.number),
        [] => Err(ResolveError::NoPort {
            written: written.to_owned(),
            service: plain(declared.field).to_owned(),
        }),
        ports => Err(ResolveError::SeveralPorts {
            written: written.to_owned(),
            service: plain(declared.field).to_owned(),
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
            service: plain(declared.field).to_owned(),
            ports: declared.ports.iter().map(port_name).collect(),
        })
}

fn port_name(port: &Port) -> String {
    port.name.clone().unwrap_or_else(|| port.number.to_string())
}

/// Whether `part` may name a service, a port or a part of one. A host name passes, too, so that its field can be suggested.
fn is_name(part: &str) -> bool {
    part.chars()
        .all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

fn excerpt(text: &str) -> String {
    match text.char_indices().nth(24) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
