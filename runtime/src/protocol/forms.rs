//! The forms in which messages carry public types.
//!
//! Public types are not serializable, because their form would become a promise. Each form has the same fields as its public type,
//! and does not compile otherwise.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::answers::{ExecOutput, KeptService, LogLine};

#[derive(Serialize, Deserialize)]
#[serde(remote = "LogLine")]
pub(super) struct LogLineForm {
    stderr: bool,
    text: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ExecOutput")]
pub(super) struct ExecOutputForm {
    code: i64,
    stdout: String,
    stderr: String,
    truncated: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "KeptService")]
struct KeptServiceForm {
    composition: String,
    service: String,
    image: String,
    container: String,
    idle: Option<Duration>,
    stays: Duration,
}

/// For `#[serde(with)]`: kept services.
pub(super) mod kept_services {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{KeptService, KeptServiceForm};

    pub(in crate::protocol) fn serialize<S: Serializer>(
        services: &[KeptService],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Item<'a>(#[serde(with = "KeptServiceForm")] &'a KeptService);

        serializer.collect_seq(services.iter().map(Item))
    }

    pub(in crate::protocol) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<KeptService>, D::Error> {
        #[derive(Deserialize)]
        struct Item(#[serde(with = "KeptServiceForm")] KeptService);

        let items = Vec::<Item>::deserialize(deserializer)?;
        Ok(items.into_iter().map(|Item(service)| service).collect())
    }
}

/// For `#[serde(with)]`: a value, or an error as its report.
pub(super) mod outcome {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::error::{Error, Report};

    pub(in crate::protocol) fn serialize<T: Serialize, S: Serializer>(
        outcome: &Result<T, Error>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        outcome
            .as_ref()
            .map_err(Error::report)
            .serialize(serializer)
    }

    pub(in crate::protocol) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Result<T, Error>, D::Error> {
        let outcome = Result::<T, Report>::deserialize(deserializer)?;
        Ok(outcome.map_err(Error::of_report))
    }
}
