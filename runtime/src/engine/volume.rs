//! Volumes.

use std::collections::BTreeMap;

/// A volume that exists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VolumeInfo {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
}
