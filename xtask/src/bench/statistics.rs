//! What is said of a set of samples: its middle, its spread and its tail.
//!
//! It does not know what was measured.

/// Figures of a set of samples, in the samples' own unit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Summary {
    pub(super) count: usize,
    pub(super) least: f64,
    pub(super) lower_quartile: f64,
    pub(super) median: f64,
    pub(super) upper_quartile: f64,
    /// The 95th percentile.
    pub(super) tail: f64,
    pub(super) most: f64,
}

impl Summary {
    /// `None` where there are no samples.
    pub(super) fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        Some(Self {
            count: sorted.len(),
            least: *sorted.first()?,
            lower_quartile: quantile(&sorted, 0.25),
            median: quantile(&sorted, 0.5),
            upper_quartile: quantile(&sorted, 0.75),
            tail: quantile(&sorted, 0.95),
            most: *sorted.last()?,
        })
    }
}

/// The value below which that fraction of the sorted samples is, interpolated between the two samples around it.
fn quantile(sorted: &[f64], fraction: f64) -> f64 {
    let position = (sorted.len() - 1) as f64 * fraction;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * position.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(samples: &[f64]) -> [f64; 6] {
        let it = Summary::of(samples).expect("there are samples");
        assert_eq!(it.count, samples.len());
        [
            it.least,
            it.lower_quartile,
            it.median,
            it.upper_quartile,
            it.tail,
            it.most,
        ]
    }

    #[test]
    fn one_sample_is_everything() {
        assert_eq!(figures(&[7.5]), [7.5; 6]);
    }

    #[test]
    fn of_an_odd_number_the_median_is_a_sample() {
        // Sorted: 10 20 30 40 60. The tail is at position 3.8: 40 and four fifths of the way to 60.
        assert_eq!(
            figures(&[60.0, 10.0, 30.0, 20.0, 40.0]),
            [10.0, 20.0, 30.0, 40.0, 56.0, 60.0]
        );
    }

    #[test]
    fn of_an_even_number_the_median_is_between_two_samples() {
        // Sorted: 10 20 40 100. The quartiles are at positions 0.75 and 2.25; the tail is at 2.85.
        let [least, lower, median, upper, tail, most] = figures(&[100.0, 20.0, 10.0, 40.0]);
        assert_eq!(
            [least, lower, median, upper, most],
            [10.0, 17.5, 30.0, 55.0, 100.0]
        );
        assert!((tail - 91.0).abs() < 1e-9, "{tail}");
        assert_eq!(figures(&[1.0, 3.0])[2], 2.0);
    }

    #[test]
    fn of_no_sample_there_is_nothing_to_say() {
        assert_eq!(Summary::of(&[]), None);
    }
}
