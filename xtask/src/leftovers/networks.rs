//! Networks that are still there, and whose fault that is.
//!
//! Docker before 28 counts a network's endpoints and loses count when several are deleted at once (moby#42119). It then
//! refuses to remove a network on which, in its own words, there is no container, until it is restarted. That much is
//! the engine's defect. A network that can be removed is one that we have not removed.

use anyhow::Result;
use serde_json::Value;

use crate::api::Api;

/// Why a network is still there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is gone now: someone was about to remove it.
    Gone,
    /// Nothing is attached to it, and the engine takes it for used.
    EngineDefect,
    /// We have left it, and in which state.
    Left(String),
}

/// Finds out by trying to remove the network, unless something is attached to it.
///
/// # Errors
///
/// Where the engine does not answer.
pub(crate) fn judge(api: &Api, id: &str) -> Result<Verdict> {
    let path = format!("/networks/{id}");
    let Some(network) = api.get(&path)? else {
        return Ok(Verdict::Gone);
    };
    let attached = attached(&network);
    if !attached.is_empty() {
        let attached = attached.join(", ");
        return Ok(Verdict::Left(format!("attached to it: {attached}")));
    }
    let (status, body) = api.delete(&path)?;
    Ok(of_removal(status, &body))
}

/// The names of the containers that the engine says are attached to a network.
fn attached(network: &Value) -> Vec<String> {
    let containers = network["Containers"].as_object().into_iter().flatten();
    containers
        .map(|(id, container)| container["Name"].as_str().unwrap_or(id).to_owned())
        .collect()
}

/// What the engine's answer to the removal of a network without containers says.
fn of_removal(status: u16, body: &str) -> Verdict {
    let answer: Value = serde_json::from_str(body).unwrap_or_default();
    let message = answer["message"].as_str().unwrap_or(body.trim());
    match status {
        404 => Verdict::Gone,
        403 | 409 if message.contains("has active endpoints") => Verdict::EngineDefect,
        200..300 => Verdict::Left("nothing was attached to it, and it can be removed".to_owned()),
        _ => Verdict::Left(format!(
            "nothing is attached to it, and its removal fails with {status}: {message}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_network_that_is_empty_and_refused_for_its_endpoints_is_the_engines_defect() {
        // As Docker 20.10 says it.
        let refused = r#"{"message":"error while removing network: network seatrial-1 id 2f0c has active endpoints"}"#;
        assert_eq!(of_removal(403, refused), Verdict::EngineDefect);
        assert_eq!(of_removal(409, refused), Verdict::EngineDefect);
        assert_eq!(
            of_removal(404, r#"{"message":"network 2f0c not found"}"#),
            Verdict::Gone
        );
        for (status, body, words) in [
            (204, "", "it can be removed"),
            (200, "{}", "it can be removed"),
            (
                403,
                r#"{"message":"operation not supported for pre-defined networks"}"#,
                "403: operation not",
            ),
            (500, refused, "500: error while removing"),
            (502, "bad gateway\n", "502: bad gateway"),
        ] {
            let Verdict::Left(state) = of_removal(status, body) else {
                panic!("{status}: {body}");
            };
            assert!(state.contains(words), "{state}");
        }
    }

    #[test]
    fn what_is_attached_is_named() {
        let network = json!({ "Containers": { "1f": { "Name": "db" }, "2e": {} } });
        assert_eq!(attached(&network), ["db", "2e"]);
        assert!(attached(&json!({ "Containers": {} })).is_empty());
        assert!(attached(&json!({ "Containers": null })).is_empty());
    }
}
