//! Who pulls: the credentials that `docker login` (or `podman login`) left, or its helper keeps.
//!
//! Having none is no error: most images are for everybody. Text from a helper is shown only where it cannot be the
//! secret itself.

use std::path::PathBuf;

use docker_credential::{CredentialRetrievalError, DockerCredential};
use serde_json::Value;

use super::names;
use crate::engine::Credentials;

/// The key under which Docker Hub's credentials are kept.
const HUB_KEY: &str = "https://index.docker.io/v1/";

/// The files that may hold credentials, in the order in which they are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CredentialFiles(Vec<PathBuf>);

impl CredentialFiles {
    /// Those of this user, for an engine of that name.
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
        Self(files)
    }

    /// The credentials for a registry. Blocks: a helper is another program.
    ///
    /// # Errors
    ///
    /// What is wrong with a file, or with a helper, which is named.
    pub(super) fn find(&self, registry: &str) -> Result<Option<Credentials>, String> {
        let server = match registry {
            names::HUB => HUB_KEY,
            other => other,
        };
        for file in &self.0 {
            let text = match std::fs::read(file) {
                Ok(text) => text,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(format!("{} cannot be read: {error}", file.display())),
            };
            let mut settings: Value = serde_json::from_slice(&text)
                .map_err(|error| format!("{} is not valid: {error}", file.display()))?;
            let helper = helper(&mut settings, server);
            match docker_credential::get_credential_from_reader(
                settings.to_string().as_bytes(),
                server,
            ) {
                Ok(DockerCredential::UsernamePassword(user, password)) => {
                    return Ok(Some(Credentials::Password { user, password }));
                }
                Ok(DockerCredential::IdentityToken(token)) => {
                    return Ok(Some(Credentials::Token(token)));
                }
                Err(error) => match explain(&error, helper.as_deref()) {
                    None => {}
                    Some(reason) => return Err(format!("{reason} (by {})", file.display())),
                },
            }
        }
        Ok(None)
    }
}

/// The helper that the file names for the server. An empty name, as some tools write it, names none.
fn helper(settings: &mut Value, server: &str) -> Option<String> {
    let own = settings["credHelpers"][server].as_str().unwrap_or_default();
    let general = settings["credsStore"].as_str().unwrap_or_default();
    let name = if own.is_empty() { general } else { own };
    let helper = (!name.is_empty()).then(|| format!("docker-credential-{name}"));
    if general.is_empty()
        && let Some(settings) = settings.as_object_mut()
    {
        settings.remove("credsStore");
    }
    helper
}

/// What went wrong; `None` where there are just no credentials.
fn explain(error: &CredentialRetrievalError, helper: Option<&str>) -> Option<String> {
    let helper = helper.unwrap_or("the credential helper");
    match error {
        CredentialRetrievalError::NoCredentialConfigured
        | CredentialRetrievalError::ConfigNotFound => None,
        CredentialRetrievalError::HelperCommunicationError => Some(format!(
            "the credential helper `{helper}` cannot be run; install it, or take it out of the file"
        )),
        CredentialRetrievalError::MalformedHelperResponse => Some(format!(
            "the credential helper `{helper}` answered with something that is no credential"
        )),
        CredentialRetrievalError::HelperFailure { stdout, stderr, .. } => {
            // The helpers' protocol has these words for it, on standard output.
            if stdout.contains("credentials not found") {
                return None;
            }
            // What a helper prints before it fails may be a credential; its messages are one line and no JSON.
            let said = [stderr, stdout]
                .into_iter()
                .filter_map(|text| text.lines().map(str::trim).find(|line| !line.is_empty()))
                .find(|line| !line.contains(['{', '"']));
            Some(match said {
                Some(said) => format!("the credential helper `{helper}` failed: {said}"),
                None => format!("the credential helper `{helper}` failed"),
            })
        }
        CredentialRetrievalError::CredentialDecodingError => {
            Some("the credentials in the file cannot be decoded".to_owned())
        }
        CredentialRetrievalError::CredentialMismatchError => {
            Some("the credentials in the file contradict each other".to_owned())
        }
        CredentialRetrievalError::ConfigReadError => {
            Some("the file is not what `docker login` writes".to_owned())
        }
    }
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
        assert_eq!(CredentialFiles::default().find("docker.io"), Ok(None));
        let broken = find("broken", "{", "docker.io").expect_err("no JSON");
        assert!(
            broken.starts_with("DIR/config.json is not valid: "),
            "{broken}"
        );
    }

    #[test]
    fn a_helper_is_named_and_its_words_are_no_secrets() {
        let content =
            r#"{ "credHelpers": { "a.example": "not-there-a" }, "credsStore": "not-there-b" }"#;
        let own = find("own", content, "a.example").expect_err("there is no such helper");
        assert!(
            own.contains("`docker-credential-not-there-a` cannot be run"),
            "{own}"
        );
        let general = find("general", content, "b.example").expect_err("there is no such helper");
        assert!(
            general.contains("`docker-credential-not-there-b` cannot be run"),
            "{general}"
        );

        let failed = |stdout: &str, stderr: &str| {
            let error = CredentialRetrievalError::HelperFailure {
                helper: String::new(),
                stdout: stdout.to_owned(),
                stderr: stderr.to_owned(),
            };
            explain(&error, Some("docker-credential-x"))
        };
        assert_eq!(
            failed("credentials not found in native keychain\n", ""),
            None
        );
        let said = failed("", "\nthe keychain is locked\n");
        assert_eq!(
            said.as_deref(),
            Some("the credential helper `docker-credential-x` failed: the keychain is locked")
        );
        let silent = failed("{\"Secret\":\"hush\"}", "");
        assert_eq!(
            silent.as_deref(),
            Some("the credential helper `docker-credential-x` failed")
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
        assert_eq!(files, CredentialFiles(expected.map(PathBuf::from).to_vec()));
    }
}
