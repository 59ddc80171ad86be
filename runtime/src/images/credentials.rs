//! Credentials for pulls: those that `docker login` (or `podman login`) stored in a file, or in a helper's store.
//!
//! It is not an error to have none: most images are public.

use std::path::PathBuf;
use std::time::Duration;

use docker_credential::{CredentialRetrievalError, DockerCredential};
use serde_json::Value;

use super::{helper, names};
use crate::engine::Credentials;

/// The key under which Docker Hub's credentials are kept.
const HUB_KEY: &str = "https://index.docker.io/v1/";

/// The files that may hold credentials, in the order in which they are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CredentialFiles {
    files: Vec<PathBuf>,
    /// How long a helper may take.
    timeout: Duration,
}

impl CredentialFiles {
    /// The files of this user, for an engine of that name.
    pub(super) fn of_user(engine: &str, environment: crate::config::Environment<'_>) -> Self {
        let path = |name: &str| {
            environment(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let mut files = Vec::new();
        if engine == "podman" {
            files.extend(path("REGISTRY_AUTH_FILE"));
            files.extend(path("XDG_RUNTIME_DIR").map(|own| own.join("containers/auth.json")));
            files.extend(path("HOME").map(|home| home.join(".config/containers/auth.json")));
        }
        let docker =
            path("DOCKER_CONFIG").or_else(|| path("HOME").map(|home| home.join(".docker")));
        files.extend(docker.map(|directory| directory.join("config.json")));
        Self {
            files,
            timeout: helper::DEADLINE,
        }
    }

    /// The credentials for a registry. Blocks: a helper is another program.
    ///
    /// # Errors
    ///
    /// A file or a helper is wrong. The message names it, and says what is wrong.
    pub(super) fn find(&self, registry: &str) -> Result<Option<Credentials>, String> {
        let server = match registry {
            names::HUB => HUB_KEY,
            other => other,
        };
        for file in &self.files {
            let text = match std::fs::read(file) {
                Ok(text) => text,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(format!("cannot read {}: {error}", file.display())),
            };
            let mut settings: Value = serde_json::from_slice(&text)
                .map_err(|error| format!("invalid JSON in {}: {error}", file.display()))?;
            let found = self.find_in(&mut settings, server);
            match found.map_err(|reason| format!("{reason} (by {})", file.display()))? {
                None => {}
                credentials => return Ok(credentials),
            }
        }
        Ok(None)
    }

    /// The credentials that a file with these settings has for a server: from the server's own helper, from the file itself, or
    /// from the helper for all servers.
    fn find_in(&self, settings: &mut Value, server: &str) -> Result<Option<Credentials>, String> {
        let own = helper(&settings["credHelpers"][server]);
        let general = helper(&settings["credsStore"]);
        if let Some(helper) = own {
            return helper::get(&helper, server, self.timeout);
        }
        // Helpers are removed from the settings, because they are run here, with a time limit.
        if let Some(settings) = settings.as_object_mut() {
            settings.remove("credHelpers");
            settings.remove("credsStore");
        }
        let text = settings.to_string();
        match docker_credential::get_credential_from_reader(text.as_bytes(), server) {
            Ok(DockerCredential::UsernamePassword(user, password)) => {
                return Ok(Some(Credentials::Password { user, password }));
            }
            Ok(DockerCredential::IdentityToken(token)) => {
                return Ok(Some(Credentials::Token(token)));
            }
            Err(error) => {
                if let Some(reason) = explain(&error) {
                    return Err(reason);
                }
            }
        }
        match general {
            Some(helper) => helper::get(&helper, server, self.timeout),
            None => Ok(None),
        }
    }
}

/// The helper of that name. Some tools write an empty name, which stands for no helper.
fn helper(name: &Value) -> Option<String> {
    let name = name.as_str().filter(|name| !name.is_empty())?;
    Some(format!("docker-credential-{name}"))
}

/// What is wrong with a file. `None` if the file only has no credentials.
fn explain(error: &CredentialRetrievalError) -> Option<String> {
    let what = match error {
        CredentialRetrievalError::NoCredentialConfigured
        | CredentialRetrievalError::ConfigNotFound => return None,
        CredentialRetrievalError::CredentialDecodingError => {
            "the credentials in the file cannot be decoded"
        }
        CredentialRetrievalError::CredentialMismatchError => {
            "the credentials in the file contradict each other"
        }
        CredentialRetrievalError::ConfigReadError => "the file is not what `docker login` writes",
        CredentialRetrievalError::HelperCommunicationError
        | CredentialRetrievalError::MalformedHelperResponse
        | CredentialRetrievalError::HelperFailure { .. } => {
            unreachable!("no helper is left in the file")
        }
    };
    Some(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a file of that content has for a registry.
    fn find(name: &str, content: &str, registry: &str) -> Result<Option<Credentials>, String> {
        let directory = std::env::temp_dir().join(format!(
            "seatrial-credentials-{}-{name}",
            std::process::id()
        ));
        std::fs::create_dir_all(&directory).expect("a directory");
        std::fs::write(directory.join("config.json"), content).expect("a file");
        let path = directory.display().to_string();
        let files = CredentialFiles::of_user("docker", &|name| {
            (name == "DOCKER_CONFIG").then(|| path.clone())
        });
        let found = files.find(registry);
        std::fs::remove_dir_all(&directory).expect("it is ours");
        found.map_err(|reason| reason.replace(&path, "DIR"))
    }

    fn password(user: &str, password: &str) -> Result<Option<Credentials>, String> {
        Ok(Some(Credentials::Password {
            user: user.to_owned(),
            password: password.to_owned(),
        }))
    }

    #[test]
    fn what_docker_login_wrote_is_found() {
        // "sea:trial" in base 64
        let content = r#"{ "auths": {
            "https://index.docker.io/v1/": { "auth": "c2VhOnRyaWFs" },
            "registry.example:5000": { "auth": "c2VhOnRyaWFs" },
            "token.example": { "identitytoken": "t" }
        }, "credsStore": "" }"#;
        assert_eq!(find("hub", content, "docker.io"), password("sea", "trial"));
        let registry = find("registry", content, "registry.example:5000");
        assert_eq!(registry, password("sea", "trial"));
        let token = find("token", content, "token.example");
        assert_eq!(token, Ok(Some(Credentials::Token("t".to_owned()))));
        assert_eq!(find("other", content, "other.example"), Ok(None));
    }

    #[test]
    fn no_file_is_no_error_and_a_broken_one_is() {
        let nowhere = CredentialFiles::of_user("docker", &|_| Some("/nonexistent".to_owned()));
        assert_eq!(nowhere.find("docker.io"), Ok(None));
        let broken = find("broken", "{", "docker.io").expect_err("no JSON");
        assert!(
            broken.starts_with("invalid JSON in DIR/config.json: "),
            "{broken}"
        );
    }

    #[test]
    fn a_helper_that_is_not_there_is_named() {
        let content =
            r#"{ "credHelpers": { "a.example": "not-there-a" }, "credsStore": "not-there-b" }"#;
        let own = find("own", content, "a.example").expect_err("there is no such helper");
        assert!(
            own.contains("cannot run the credential helper `docker-credential-not-there-a`"),
            "{own}"
        );
        let general = find("general", content, "b.example").expect_err("there is no such helper");
        assert!(
            general.contains("cannot run the credential helper `docker-credential-not-there-b`"),
            "{general}"
        );
    }

    #[test]
    fn podman_has_files_of_its_own() {
        let files = CredentialFiles::of_user("podman", &|name| Some(format!("/{name}")));
        let expected = [
            "/REGISTRY_AUTH_FILE",
            "/XDG_RUNTIME_DIR/containers/auth.json",
            "/HOME/.config/containers/auth.json",
            "/DOCKER_CONFIG/config.json",
        ];
        assert_eq!(files.files, expected.map(PathBuf::from));
    }
}
