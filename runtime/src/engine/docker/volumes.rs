//! Named volumes.

use std::collections::{BTreeMap, HashMap};

use bollard::models::VolumeCreateRequest;
use bollard::query_parameters::{ListVolumesOptions, RemoveVolumeOptions};

use super::client::Docker;
use super::errors::{During, failed};
use crate::engine::error::{EngineError, EngineErrorKind};
use crate::engine::volume::VolumeInfo;

impl Docker {
    pub(in crate::engine) async fn create_volume(
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

    pub(in crate::engine) async fn volumes(
        &self,
        label: &str,
    ) -> Result<Vec<VolumeInfo>, EngineError> {
        let options = ListVolumesOptions {
            filters: Some(with_label(label)),
        };
        let listed = self
            .api
            .list_volumes(Some(options))
            .await
            .map_err(failed(During::Other, "list the volumes"))?;
        let volumes = listed.volumes.unwrap_or_default().into_iter();
        Ok(volumes
            .map(|volume| VolumeInfo {
                name: volume.name,
                labels: volume.labels.into_iter().collect(),
            })
            .collect())
    }

    pub(in crate::engine) async fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
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

/// A filter by the name of a label.
pub(super) fn with_label(label: &str) -> HashMap<String, Vec<String>> {
    HashMap::from([("label".to_owned(), vec![label.to_owned()])])
}
