//! Named volumes.

use std::collections::BTreeMap;

use bollard::models::VolumeCreateRequest;
use bollard::query_parameters::RemoveVolumeOptions;

use super::Docker;
use super::errors::{During, failed};
use crate::engine::{EngineError, EngineErrorKind};

impl Docker {
    pub(super) async fn make_volume(
        &self,
        name: &str,
        labels: &BTreeMap<String, String>,
    ) -> Result<(), EngineError> {
        let request = VolumeCreateRequest {
            name: Some(name.to_owned()),
            labels: Some(labels.clone().into_iter().collect()),
            ..Default::default()
        };
        self.api
            .create_volume(request)
            .await
            .map(drop)
            .map_err(failed(
                During::Other,
                format_args!("create the volume `{name}`"),
            ))
    }

    pub(super) async fn delete_volume(&self, name: &str) -> Result<(), EngineError> {
        let removed = self
            .api
            .remove_volume(name, None::<RemoveVolumeOptions>)
            .await;
        match removed.map_err(failed(
            During::Other,
            format_args!("remove the volume `{name}`"),
        )) {
            Err(error) if error.kind == EngineErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }
}
