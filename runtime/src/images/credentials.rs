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
