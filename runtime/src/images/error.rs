//! The error of an image that cannot be obtained: the attempts, the answer to each, and what to do about it.

use std::fmt;

use seatrial_model::ImageRef;
use seatrial_model::secret::Redactor;
use serde::{Deserialize, Serialize};

use super::names;
use crate::config::FILE_NAME;
use crate::engine::{EngineError, EngineErrorKind};
use crate::visible::quoted;
use crate::{Error, ErrorKind};

/// An image that nothing delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImageError {
    /// What failed: "cannot obtain the image `postgres:17`".
    pub(crate) failed: String,
    /// Who was asked, and the answer, in order. Never empty.
    pub(crate) tried: Vec<(String, Said)>,
    /// What to do, possibly in several lines.
    pub(crate) advice: String,
}

/// An answer. It is taken to be from outside, unless it is known to be our own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Said {
    /// A sentence of ours.
    Ours(String),
    /// The message of an engine, a registry or a program.
    Outside(String),
    /// The error of an image that this one is built on, or with.
    Base(Box<ImageError>),
}

impl From<String> for Said {
    fn from(said: String) -> Self {
        Self::Outside(said)
    }
}

impl From<&'static str> for Said {
    fn from(said: &'static str) -> Self {
        Self::Ours(said.to_owned())
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours(said) | Self::Outside(said) => f.write_str(said.trim()),
            Self::Base(error) => write!(f, "it is built on another image: {error}"),
        }
    }
}

impl ImageError {
    /// Removes secrets from text from outside. Names of images and advice stay as they are.
    pub(crate) fn redacted(mut self, redactor: &Redactor) -> Self {
        for (_, said) in &mut self.tried {
            *said = match std::mem::replace(said, Said::Ours(String::new())) {
                Said::Outside(said) => Said::Outside(quoted(redactor, &said)),
                Said::Base(error) => Said::Base(Box::new(error.redacted(redactor))),
                ours @ Said::Ours(_) => ours,
            };
        }
        self
    }
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.failed)?;
        for (who, said) in &self.tried {
            let said = said.to_string().replace('\n', "\n    ");
            write!(f, "\n  {who}: {said}")?;
        }
        write!(f, "\n{}", self.advice)
    }
}

impl std::error::Error for ImageError {}

impl From<ImageError> for Error {
    fn from(error: ImageError) -> Self {
        let tried = error
            .tried
            .into_iter()
            .map(|(who, said)| format!("{who}: {said}"));
        Self::new(ErrorKind::Image, error.failed).with(|report| {
            report.details = tried.collect();
            report.help = Some(error.advice);
        })
    }
}

/// Collects the attempts while they are made.
pub(super) struct Trail<'a> {
    failed: String,
    asked: &'a ImageRef,
    /// After substitution.
    image: &'a ImageRef,
    /// Whether the configuration says how to make the image of this name without a digest.
    unpinned_is_made: bool,
    attempts: Vec<Attempt>,
}

struct Attempt {
    who: String,
    said: Said,
    cause: Cause,
}

/// The cause of a failed attempt, as far as advice depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The engine's error, or the error of the registry of that name through the engine.
    Engine {
        kind: EngineErrorKind,
        registry: Option<String>,
    },
    /// Credentials for that registry could not be read.
    Credentials(String),
    /// The fallback that the configuration gives.
    Fallback,
    /// The build that a declaration asks for. The command does the same by hand.
    Build(String),
    /// BuildKit's own frontend cannot read the Dockerfile. A newer one may be able to.
    OldFrontend,
    /// The client of the build would have to deliver something.
    NeedsClient,
    /// The declaration forbids pulling.
    NeverPulled,
    /// The declaration forbids pulling, and the local image is for another platform than the requested one, if any.
    NeverPulledFor(Option<String>),
    /// The image is missing. There is nothing else to say.
    Absent,
}

impl Cause {
    /// The cause of an error of the engine itself.
    pub(super) fn of_engine(kind: EngineErrorKind) -> Self {
        Self::Engine {
            kind,
            registry: None,
        }
    }
}

impl<'a> Trail<'a> {
    pub(super) fn new(asked: &'a ImageRef, image: &'a ImageRef) -> Self {
        Self {
            failed: format!("cannot obtain the image `{asked}`"),
            asked,
            image,
            unpinned_is_made: false,
            attempts: Vec::new(),
        }
    }

    /// The attempts to build an image of which users know only the Dockerfile.
    pub(super) fn of_build(image: &'a ImageRef, dockerfile: &str) -> Self {
        Self {
            failed: format!("cannot build `{dockerfile}`"),
            ..Self::new(image, image)
        }
    }

    /// Notes whether the configuration says how to make the image of this name without a digest.
    pub(super) fn unpinned_is_made(&mut self, is_made: bool) {
        self.unpinned_is_made = is_made;
    }

    pub(super) fn add(&mut self, who: impl Into<String>, said: impl Into<Said>, cause: Cause) {
        self.attempts.push(Attempt {
            who: who.into(),
            said: said.into(),
            cause,
        });
    }

    /// Notes an engine's error. Returns whether another attempt makes sense.
    pub(super) fn add_engine(
        &mut self,
        who: impl Into<String>,
        error: &EngineError,
        registry: Option<&str>,
    ) -> bool {
        self.add(
            who,
            error.message.clone(),
            Cause::Engine {
                kind: error.kind,
                registry: registry.map(str::to_owned),
            },
        );
        !matches!(
            error.kind,
            EngineErrorKind::Unreachable
                | EngineErrorKind::PermissionDenied
                | EngineErrorKind::NoSpace
        )
    }

    pub(super) fn into_error(self, has_fallback: bool) -> ImageError {
        let mut advice: Vec<String> = Vec::new();
        for attempt in &self.attempts {
            if let Some(line) = advise(&attempt.cause, self.asked)
                && !advice.contains(&line)
            {
                advice.push(line);
            }
        }
        if !has_fallback && self.attempts.iter().any(|attempt| attempt.is_of_registry()) {
            advice.push(self.advise_fallback());
        }
        if advice.is_empty() {
            advice.push("see the attempts above".to_owned());
        }
        ImageError {
            failed: self.failed,
            tried: self
                .attempts
                .into_iter()
                .map(|attempt| (attempt.who, attempt.said))
                .collect(),
            advice: advice.join("\n"),
        }
    }
}

impl Trail<'_> {
    /// What to do if no registry delivers the image.
    fn advise_fallback(&self) -> String {
        let asked = self.asked;
        let directory = asked.path().rsplit('/').next().unwrap_or("image");
        let build =
            format!("   build = \"tests/images/{directory}\"   # a directory with a Dockerfile");
        if self.image.digest().is_none() {
            return format!(
                "or write in {FILE_NAME} how to make the image if no registry delivers it:\n\
                 \u{20}   [images.\"{asked}\"]\n {build}"
            );
        }
        let unpinned = asked.without_digest();
        let instead = format!(
            "or write in {FILE_NAME} what to use instead; an image that is built here, or loaded from an archive, does not have the registry's digest:\n\
             \u{20}   [substitutions]\n\
             \u{20}   \"{asked}\" = \"{unpinned}\""
        );
        match self.unpinned_is_made {
            true => instead,
            false => format!(
                "{instead}   # `docker load` it, or build it:\n\
                 \u{20}   [images.\"{unpinned}\"]\n {build}"
            ),
        }
    }
}

impl Attempt {
    /// Whether a registry did not deliver the image.
    fn is_of_registry(&self) -> bool {
        matches!(
            self.cause,
            Cause::Engine {
                registry: Some(_),
                kind: EngineErrorKind::NotFound
                    | EngineErrorKind::Unauthorized
                    | EngineErrorKind::Network
                    | EngineErrorKind::Failed
            }
        )
    }
}

/// What to do about one cause.
fn advise(cause: &Cause, asked: &ImageRef) -> Option<String> {
    let engine = |kind: EngineErrorKind, registry: Option<&str>| {
        match kind {
        EngineErrorKind::NotFound => registry.map(|registry| {
            let tag = asked.with_default_tag();
            let which = match (tag.tag(), tag.digest()) {
                (_, Some(digest)) => format!("digest `{digest}`"),
                (Some(tag), None) => format!("tag `{tag}`"),
                (None, None) => "tag".to_owned(),
            };
            format!("check that {registry} has the name `{}` and the {which}", asked.path())
        }),
        EngineErrorKind::Unauthorized => registry.map(|registry| {
            format!(
                "check the name, and run `docker login{}` with an account that may pull it",
                names::login_argument(registry)
            )
        }),
        EngineErrorKind::Network => registry.map(|registry| {
            format!(
                "check that this machine's engine reaches {registry}, or name a mirror in {FILE_NAME}: `[mirrors]`, `\"{registry}\" = \"mirror.example:5000\"`"
            )
        }),
        EngineErrorKind::Platform => Some(
            "write a platform that the image has and the engine runs: `platform = \"linux/..\"`"
                .to_owned(),
        ),
        EngineErrorKind::Unreachable => {
            Some("check that the engine runs: `docker version`".to_owned())
        }
        kind => kind.next_step().map(str::to_owned),
    }
    };
    match cause {
        Cause::Engine { kind, registry } => engine(*kind, registry.as_deref()),
        Cause::Credentials(registry) => Some(format!(
            "repair the credentials, or run `docker logout{0}` and `docker login{0}`",
            names::login_argument(registry)
        )),
        Cause::Fallback => Some(format!("repair the image's fallback in {FILE_NAME}")),
        Cause::Build(command) => Some(format!(
            "repair what the last lines above name; `{command}` does the same by hand"
        )),
        Cause::OldFrontend => Some(
            "repair the line; if this engine's BuildKit is too old for it, write `# syntax=docker/dockerfile:1` as the first line of the Dockerfile"
                .to_owned(),
        ),
        Cause::NeedsClient => Some(
            "write the Dockerfile without it, or build the image before the tests and write `image = \"name:tag\"`"
                .to_owned(),
        ),
        Cause::NeverPulled => Some(format!(
            "run `docker pull {asked}`, or write `pull = missing` in the declaration; `never` allows neither a registry nor a fallback"
        )),
        Cause::NeverPulledFor(Some(platform)) => Some(format!(
            "run `docker pull --platform {platform} {asked}`, or write the local image's own `platform`; `pull = never` does not fetch another image"
        )),
        Cause::NeverPulledFor(None) => Some(format!(
            "pull `{asked}` for this engine's platform, or write the image's own as `platform = \"..\"`; `pull = never` does not fetch another image"
        )),
        Cause::Absent => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn secrets_are_hidden_in_what_came_back_and_in_nothing_of_ours() {
        let image: ImageRef = "postgres:17".parse().expect("an image");
        let base = {
            let mut trail = Trail::new(&image, &image);
            trail.add(
                "script",
                "postgres and albatross-17".to_owned(),
                Cause::Fallback,
            );
            trail.into_error(false)
        };
        let mut trail = Trail::new(&image, &image);
        let not_found = EngineError {
            kind: EngineErrorKind::NotFound,
            attempt: "pull `postgres:17`".to_owned(),
            message: "no postgres for albatross-17".to_owned(),
        };
        trail.add_engine("registry, `postgres:17`", &not_found, Some("docker.io"));
        trail.add("here", "there is no such image", Cause::Absent);
        trail.add("build", Said::Base(Box::new(base)), Cause::Fallback);

        let redactor = Redactor::new([
            ("POSTGRES_PASSWORD", "postgres"),
            ("API_KEY", "albatross-17"),
            ("OTHER_PASSWORD", "such"),
        ]);
        let error = trail.into_error(false).redacted(&redactor);
        for text in [error.to_string(), Error::from(error).to_string()] {
            for whole in [
                "cannot obtain the image `postgres:17`",
                "registry, `postgres:17`: no [hidden] for [hidden]",
                "here: there is no such image",
                "it is built on another image: cannot obtain the image `postgres:17`:",
                "script: [hidden] and [hidden]",
                "check that docker.io has the name `postgres` and the tag `17`",
                "[images.\"postgres:17\"]",
                "build = \"tests/images/postgres\"",
            ] {
                assert!(text.contains(whole), "{whole} is not in {text}");
            }
            assert!(!text.contains("albatross"), "{text}");
        }
    }

    #[test]
    fn a_full_disk_has_the_same_advice_as_in_every_other_call() {
        let image: ImageRef = "postgres:17".parse().expect("an image");
        for kind in [EngineErrorKind::NoSpace, EngineErrorKind::PermissionDenied] {
            let error = EngineError {
                kind,
                attempt: "pull `postgres:17`".to_owned(),
                message: "no".to_owned(),
            };
            let mut trail = Trail::new(&image, &image);
            trail.add_engine("registry", &error, Some("docker.io"));
            let advice = trail.into_error(false).advice;
            assert!(
                advice.contains(kind.next_step().expect("a step")),
                "{advice}"
            );
        }
    }
}
