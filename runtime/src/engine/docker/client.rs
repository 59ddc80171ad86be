//! The client of one engine: connects to it, and asks for its properties.

use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, BollardRequest};

use super::errors::{During, failed};
use super::turns::Endpoints;
use crate::engine::address::Address;
use crate::engine::error::EngineError;
use crate::engine::info::EngineInfo;

/// How long an engine may take to begin an answer.
///
/// It bounds only the beginning, never a stream that has begun. But a build or an import begins its answer after the
/// last byte of the request, and a stop begins it after the end of the container. Callers with less time set a deadline
/// of their own.
const DEADLINE: Duration = Duration::from_secs(24 * 60 * 60);

/// The header that carries a registry's credentials.
const CREDENTIALS_HEADER: &str = "x-registry-auth";

/// An engine that speaks Docker's API.
#[derive(Debug)]
pub(in crate::engine) struct Docker {
    pub(super) api: bollard::Docker,
    pub(super) address: Address,
    pub(super) info: EngineInfo,
    pub(super) endpoints: Endpoints,
}

impl Docker {
    /// What and where the engine is.
    pub(in crate::engine) fn info(&self) -> &EngineInfo {
        &self.info
    }

    /// Connects to the engine at `address` and asks for its properties.
    ///
    /// # Errors
    ///
    /// Returns an error if nothing answers there, or if the server that answers is not an engine.
    pub(in crate::engine) async fn open(address: &Address) -> Result<Self, EngineError> {
        let reach = |error| failed(During::Other, "reach the engine")(error);
        let shown = address.to_string();
        let deadline = DEADLINE.as_secs();
        // bollard only compares with this version. No request contains it.
        let api = match address {
            Address::Unix(_) => {
                bollard::Docker::connect_with_unix(&shown, deadline, API_DEFAULT_VERSION)
            }
            Address::Tcp(_) => {
                bollard::Docker::connect_with_http(&shown, deadline, API_DEFAULT_VERSION)
            }
        }
        .map_err(reach)?
        .with_request_modifier(url_safe_credentials);

        api.ping().await.map_err(reach)?;
        let version = api.version().await.map_err(reach)?;
        let podman = version
            .components
            .iter()
            .flatten()
            .any(|component| component.name.to_lowercase().contains("podman"));
        let info = EngineInfo {
            name: if podman { "podman" } else { "docker" }.to_owned(),
            version: version.version.unwrap_or_default(),
            address: shown,
            os: version.os.unwrap_or_default(),
            arch: version.arch.unwrap_or_default(),
            // Only engines on this machine are accepted (`Address::parse`).
            published_host: "127.0.0.1".to_owned(),
        };
        let endpoints = Endpoints::of(&info);
        Ok(Self {
            api,
            address: address.clone(),
            info,
            endpoints,
        })
    }
}

/// Engines read credentials in base64's URL-safe alphabet and ignore credentials that they cannot read. bollard writes
/// the standard alphabet. With that, some passwords with `?`, `>` or `~` are lost silently.
fn url_safe_credentials(mut request: BollardRequest) -> BollardRequest {
    if let Some(header) = request.headers_mut().get_mut(CREDENTIALS_HEADER) {
        let safe = header
            .to_str()
            .unwrap_or_default()
            .replace('+', "-")
            .replace('/', "_");
        if let Ok(safe) = safe.parse() {
            *header = safe;
        }
    }
    request
}
