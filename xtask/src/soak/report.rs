//! What a soak says at its end: how long things took, and which rounds failed.
//!
//! It does not know what was measured, nor why a round failed.

use std::time::Duration;

use anyhow::{Result, ensure};

/// Names the rounds that failed, and fails where there are any.
pub(super) fn judge(failures: &[String], seed: u64) -> Result<()> {
    for failure in failures {
        println!("  {failure}");
    }
    ensure!(
        failures.is_empty(),
        "{} rounds failed; `--seed {seed}` repeats them",
        failures.len()
    );
    Ok(())
}

/// Durations as people want to know them: `median 0.4 s, longest 1.2 s`.
pub(super) fn figures(durations: &[Duration]) -> String {
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    let (Some(median), Some(longest)) = (sorted.get(sorted.len() / 2), sorted.last()) else {
        return "none".to_owned();
    };
    format!(
        "median {:.2} s, longest {:.2} s",
        median.as_secs_f64(),
        longest.as_secs_f64()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_the_median_and_the_longest() {
        let of = |millis: &[u64]| {
            let durations: Vec<_> = millis.iter().map(|it| Duration::from_millis(*it)).collect();
            figures(&durations)
        };
        assert_eq!(of(&[300, 100, 200]), "median 0.20 s, longest 0.30 s");
        assert_eq!(of(&[]), "none");
    }
}
