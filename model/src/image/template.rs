//! An image in a declaration: a reference that may have variables of the environment.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::reference::{ImageRef, ImageRefError};
use crate::Template;
use crate::message::invalid;
use crate::placeholder::{RawTemplate, SyntaxError, Variable};
use crate::secret::{HIDDEN, is_secret_name};

/// The image of a service, a probe or a setup: `postgres:17`, `postgres:{$POSTGRES_VERSION:-17}`.
///
/// ```
/// # use seatrial_model::ImageTemplate;
/// let image: ImageTemplate = "postgres:{$POSTGRES_VERSION:-17}".parse()?;
/// assert_eq!(image.reference().to_string(), "postgres:17");
/// assert_eq!(image.literal_repository().as_deref(), Some("postgres"));
/// # Ok::<(), seatrial_model::image::ImageTemplateError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Form", into = "Form")]
pub struct ImageTemplate {
    reference: ImageRef,
    /// The text, if it has variables.
    text: Option<Template>,
}

/// The serialized form: an image without variables is its reference.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Literal(ImageRef),
    Text(ImageRef, Template),
}

/// Replaces a variable where only its position matters. No reference contains it.
const VARIABLE: char = '\0';

/// Values that are valid in some part of a reference: a name, a tag or a port; a digest; its digits.
const STAND_INS: [&str; 3] = [
    "1",
    "sha256:1111111111111111111111111111111111111111111111111111111111111111",
    "1111111111111111111111111111111111111111111111111111111111111111",
];

impl ImageTemplate {
    /// The image. Until the variables are read it has their defaults, and a stand-in for a variable without one.
    pub fn reference(&self) -> &ImageRef {
        &self.reference
    }

    /// Registry and path, if they have no variable.
    pub fn literal_repository(&self) -> Option<String> {
        let repository = self.written_repository();
        (!repository.contains(VARIABLE)).then_some(repository)
    }

    /// The last part of the path, if it has no variable.
    pub fn literal_name(&self) -> Option<String> {
        let repository = self.written_repository();
        let name = repository.rsplit('/').next()?;
        (!name.contains(VARIABLE)).then(|| name.to_owned())
    }

    /// Registry and path, with [`VARIABLE`] for each variable.
    fn written_repository(&self) -> String {
        let Some(text) = &self.text else {
            return self.reference.repository();
        };
        let mut text = text.render_with(|_| String::new(), |_| VARIABLE.to_string());
        let last = text.rfind('/').map_or(0, |slash| slash + 1);
        if let Some(end) = text[last..].find([':', '@']) {
            text.truncate(last + end);
        }
        text
    }

    /// The text, if it has variables.
    pub fn text(&self) -> Option<&Template> {
        self.text.as_ref()
    }

    /// Gives the variables their values, by `fill`.
    pub(crate) fn fill(&mut self, fill: impl FnOnce(&mut Template)) -> Result<(), ImageRefError> {
        let repository = self.literal_repository();
        let Some(text) = &mut self.text else {
            return Ok(());
        };
        fill(text);
        let filled: ImageRef = text.render(|_| String::new()).parse()?;
        // A value with a slash would turn the written name into a registry.
        if repository.is_some_and(|written| written != filled.repository()) {
            return Err(ImageRefError::tag(&filled.to_string()));
        }
        self.reference = filled;
        Ok(())
    }
}

impl FromStr for ImageTemplate {
    type Err = ImageTemplateError;

    fn from_str(text: &str) -> Result<Self, ImageTemplateError> {
        if !text.contains(['{', '}']) {
            return match text.parse::<ImageRef>() {
                Ok(reference) => Ok(reference.into()),
                Err(error) => Err(match shell_variable(text) {
                    Some(name) => ImageTemplateError::ShellSyntax(name.to_owned()),
                    None => ImageTemplateError::Reference(error),
                }),
            };
        }
        let raw = RawTemplate::parse(text).map_err(|error| match error {
            SyntaxError::ShellSyntax { inside, .. } => ImageTemplateError::ShellSyntax(inside),
            SyntaxError::Empty(written) | SyntaxError::NotAName(written) => {
                ImageTemplateError::Placeholder(written)
            }
            error => ImageTemplateError::Syntax(error),
        })?;
        let template =
            raw.of_variables()
                .map_err(|written| match text.contains(&format!("${written}")) {
                    true => {
                        ImageTemplateError::ShellSyntax(written[1..written.len() - 1].to_owned())
                    }
                    false => ImageTemplateError::Placeholder(written),
                })?;
        if template.variables().next().is_none() {
            let text = template.render(|_| String::new());
            let reference: ImageRef = text.parse().map_err(ImageTemplateError::Reference)?;
            return Ok(reference.into());
        }
        let parsed = STAND_INS.map(|stand_in| {
            let default = |variable: &Variable| variable.default().unwrap_or(stand_in).to_owned();
            template
                .render_with(|_| String::new(), default)
                .parse::<ImageRef>()
        });
        let mut first = None;
        for parsed in parsed {
            match parsed {
                Ok(reference) => {
                    return Ok(Self {
                        reference,
                        text: Some(template),
                    });
                }
                Err(error) => {
                    first.get_or_insert(error);
                }
            }
        }
        Err(ImageTemplateError::Filled {
            written: text.to_owned(),
            // The user does not know the stand-ins.
            error: first.filter(|_| template.variables().all(|it| it.default().is_some())),
        })
    }
}

/// `NAME` of the first `$NAME` in `text`.
fn shell_variable(text: &str) -> Option<&str> {
    let (_, behind) = text.split_once('$')?;
    let end = behind
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(behind.len());
    (end > 0).then_some(&behind[..end])
}

impl From<ImageRef> for ImageTemplate {
    fn from(reference: ImageRef) -> Self {
        Self {
            reference,
            text: None,
        }
    }
}

impl From<Form> for ImageTemplate {
    fn from(form: Form) -> Self {
        match form {
            Form::Literal(reference) => reference.into(),
            Form::Text(reference, text) => Self {
                reference,
                text: Some(text),
            },
        }
    }
}

impl From<ImageTemplate> for Form {
    fn from(image: ImageTemplate) -> Self {
        match image.text {
            Some(text) => Self::Text(image.reference, text),
            None => Self::Literal(image.reference),
        }
    }
}

/// The image to print, without the value of a variable whose name suggests a secret.
impl fmt::Display for ImageTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.text {
            Some(text) => {
                let shown = text.render_with(
                    |_| String::new(),
                    |variable| match variable.value() {
                        _ if is_secret_name(variable.name()) => HIDDEN.to_owned(),
                        Some(value) => value.to_owned(),
                        None => variable.to_string(),
                    },
                );
                f.write_str(&shown)
            }
            None => self.reference.fmt(f),
        }
    }
}

impl fmt::Debug for ImageTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.text {
            Some(_) => write!(f, "ImageTemplate({self})"),
            None => self.reference.fmt(f),
        }
    }
}

/// Text that does not name an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageTemplateError {
    /// It is not an image reference.
    Reference(ImageRefError),
    /// Its braces are not placeholders.
    Syntax(SyntaxError),
    /// It has a placeholder of another kind, as it is written.
    Placeholder(String),
    /// A variable as a shell has it, without its `$` and braces.
    ShellSyntax(String),
    /// It is not an image reference once its variables have values.
    Filled {
        /// The whole text.
        written: String,
        /// The error, if all variables have defaults.
        error: Option<ImageRefError>,
    },
}

impl fmt::Display for ImageTemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference(error) => error.fmt(f),
            Self::Syntax(error) => error.fmt(f),
            Self::Placeholder(written) => write!(
                f,
                "`{written}` is not valid in an image; write the image out, or a variable of the test's environment such as \"postgres:{{$POSTGRES_VERSION:-17}}\""
            ),
            Self::ShellSyntax(name) => write!(
                f,
                "shell syntax is not supported in an image; write `{{${name}}}` for a variable of the test's environment"
            ),
            Self::Filled {
                error: Some(error), ..
            } => write!(f, "{error} (with the defaults of its variables)"),
            Self::Filled { written, .. } => f.write_str(&invalid(
                "image reference",
                written,
                "no values of its variables make it valid; write a name and a tag such as \"postgres:{$POSTGRES_VERSION:-17}\"",
            )),
        }
    }
}

impl std::error::Error for ImageTemplateError {}
