//! The service of an error, and the secrets that its report must not show.

use std::sync::Arc;

use seatrial_model::secret::Redactor;

use super::diagnosis::engine_error;
use crate::engine::{EngineError, EngineErrorKind};
use crate::visible::{harmless, quoted};
use crate::{Error, ErrorKind};

/// The service of an error.
#[derive(Clone)]
pub(super) struct ErrorContext {
    pub(super) composition: String,
    pub(super) field: String,
    pub(super) redactor: Arc<Redactor>,
}

impl ErrorContext {
    /// Attributes the error to its service and hides secrets in the log. The other parts are our own sentences, which
    /// may contain a secret's word by chance. What they quote has passed the redactor before.
    pub(super) fn attach(&self, error: Error) -> Error {
        error.with(|report| {
            report.service.get_or_insert_with(|| self.field.clone());
            for line in &mut report.log {
                *line = quoted(&self.redactor, line);
            }
            // Secrets in the quoted parts of these are hidden already.
            let texts = report.details.iter_mut().chain([&mut report.what]);
            for text in texts.chain(&mut report.help) {
                *text = harmless(text).into_owned();
            }
        })
    }

    /// The error of a copy from a path where nothing is.
    pub(super) fn no_file(&self, path: &str) -> Error {
        let path = quoted(&self.redactor, path);
        let error = Error::new(
            ErrorKind::Operation,
            format!("there is no `{path}` in the container"),
        );
        self.attach(error.with(|report| report.composition = Some(self.composition.clone())))
    }

    /// The error of an operation that the engine rejected.
    pub(super) fn refused(&self, error: &EngineError) -> Error {
        let error = engine_error(ErrorKind::Operation, &error.redacted(&self.redactor)).with(|report| {
            report.composition = Some(self.composition.clone());
            if error.kind == EngineErrorKind::CommandNotFound {
                report.help = Some(
                    "name an executable that the image has; for shell syntax, run `[\"sh\", \"-c\", \"..\"]`".to_owned(),
                );
            }
        });
        self.attach(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engines_refusal_has_no_secret_and_words_of_ours_stay() {
        let secrets = [
            ("DB_PASSWORD", "container"),
            ("API_KEY", "albatross-17"),
            ("OTHER_PASSWORD", "executable"),
        ];
        let error_context = ErrorContext {
            composition: "Shop".to_owned(),
            field: "container".to_owned(),
            redactor: Arc::new(Redactor::new(secrets)),
        };
        let refused = error_context.refused(&EngineError {
            kind: EngineErrorKind::CommandNotFound,
            attempt: "run `/bin/albatross-17` in the container".to_owned(),
            message: "no albatross-17 in that container".to_owned(),
        });
        let log = vec!["albatross-17 for the container".to_owned()];
        let text = error_context
            .attach(refused.with(|report| report.log = log))
            .to_string();
        for part in [
            "service `container`",
            "cannot run `/bin/[hidden]` in the container: no [hidden] in that [hidden]",
            "name an executable that the image has",
            "[hidden] for the [hidden]",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(!text.contains("albatross"), "{text}");
    }
}
