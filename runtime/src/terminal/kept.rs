//! The texts about services that are kept between runs.

use std::time::Duration;

use crate::KeptService;

/// A service that stays when a run is over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stay {
    pub(crate) composition: String,
    pub(crate) service: String,
    /// How long the service stays after its last use.
    pub(crate) stays: Duration,
}

/// Lists the services that stay, with the command that removes them.
pub(crate) fn kept<'a>(stays: impl Iterator<Item = &'a Stay>) -> String {
    let stays = stays.map(|stay| {
        let for_so_long = seatrial_model::duration::format(stay.stays);
        format!(
            "`{}.{}` until unused for {for_so_long}",
            stay.composition, stay.service
        )
    });
    let stays = stays.collect::<Vec<_>>().join(", ");
    format!(
        "seatrial: kept for later runs: {stays}; `SEATRIAL_KEEP=drop cargo test` removes what is kept\n"
    )
}

/// Lists the services that are not kept any more.
pub(crate) fn dropped(dropped: &[KeptService]) -> String {
    let names = dropped.iter().map(|kept| {
        let users = if kept.idle.is_none() {
            ", when its last user is done"
        } else {
            ""
        };
        format!("`{}.{}`{users}", kept.composition, kept.service)
    });
    format!(
        "removed what was kept: {}",
        names.collect::<Vec<_>>().join(", ")
    )
}

/// Says that a kept service was replaced, and why.
pub(crate) fn replaced(composition: &str, service: &str, why: &str) -> String {
    format!(
        "seatrial: the service `{service}` of `{composition}` that was kept is replaced: {why}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_is_told_with_how_to_have_it_removed() {
        let stay = |service: &str, seconds| Stay {
            composition: "Shop".to_owned(),
            service: service.to_owned(),
            stays: Duration::from_secs(seconds),
        };
        assert_eq!(
            kept([stay("db", 7200), stay("cache", 90)].iter()),
            "seatrial: kept for later runs: `Shop.db` until unused for 2h, `Shop.cache` until unused for 1m30s; \
             `SEATRIAL_KEEP=drop cargo test` removes what is kept\n"
        );
    }
}
