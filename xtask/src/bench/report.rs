//! What has been measured, as rows: a case of a scenario, and the figures of each contender.
//!
//! Owns how figures read. The table, the chart and the JSON are made from it elsewhere.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use super::origin::Origin;
use super::sample::Contender;
use super::scenario::{Scenario, Unit};
use super::statistics::Summary;

/// The samples of a scenario: by the position of the case, and by contender.
pub(super) struct Measured {
    pub(super) scenario: &'static Scenario,
    samples: BTreeMap<(usize, Contender), Vec<f64>>,
}

impl Measured {
    pub(super) fn nothing_yet(scenario: &'static Scenario) -> Self {
        Self {
            scenario,
            samples: BTreeMap::new(),
        }
    }

    /// Adds a sample, in seconds or as a number.
    ///
    /// # Errors
    ///
    /// Where the scenario has no such case.
    pub(super) fn add(&mut self, case: &str, contender: Contender, value: f64) -> Result<()> {
        let mut cases = self.scenario.cases.iter();
        let position = cases.position(|it| it.name == case);
        let position =
            position.with_context(|| format!("`{}` has no case `{case}`", self.scenario.name))?;
        ensure!(
            value.is_finite() && value >= 0.0,
            "invalid sample {value} of {}, `{case}`: expected a duration or a number",
            contender.name()
        );
        let samples = self.samples.entry((position, contender));
        samples.or_default().push(value);
        Ok(())
    }

    /// The last sample of each case.
    pub(super) fn latest(
        &self,
        contender: Contender,
    ) -> impl Iterator<Item = (&'static str, Unit, f64)> {
        let cases = self.scenario.cases.iter().enumerate();
        cases.filter_map(move |(position, case)| {
            let samples = self.samples.get(&(position, contender))?;
            Some((case.name, case.unit, *samples.last()?))
        })
    }
}

/// What a row shows of the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Statistic {
    Median,
    Tail,
}

pub(super) struct Row {
    pub(super) scenario: &'static str,
    pub(super) case: &'static str,
    pub(super) unit: Unit,
    pub(super) statistic: Statistic,
    pub(super) figures: BTreeMap<Contender, (Summary, Vec<f64>)>,
}

impl Row {
    /// What the row is about.
    pub(super) fn label(&self) -> String {
        match self.statistic {
            Statistic::Median => format!("{}: {}", self.scenario, self.case),
            Statistic::Tail => format!("{}: {}, 95th percentile", self.scenario, self.case),
        }
    }

    pub(super) fn value(&self, contender: Contender) -> Option<f64> {
        let (summary, _) = self.figures.get(&contender)?;
        Some(match self.statistic {
            Statistic::Median => summary.median,
            Statistic::Tail => summary.tail,
        })
    }

    /// Seatrial's figure in relation to another's; `None` where one of them is missing or zero.
    pub(super) fn ratio(&self, to: Contender) -> Option<f64> {
        let (own, other) = (self.value(Contender::Seatrial)?, self.value(to)?);
        (other > 0.0).then(|| own / other)
    }

    /// A contender's figure, and between which quartiles half of the samples are: `428 ms (401 ms to 460 ms)`.
    pub(super) fn describe(&self, contender: Contender) -> Option<String> {
        let value = amount(self.unit, self.value(contender)?);
        let (summary, _) = self.figures.get(&contender)?;
        if self.statistic == Statistic::Tail || summary.count == 1 || self.unit == Unit::Count {
            return Some(value);
        }
        let [lower, upper] =
            [summary.lower_quartile, summary.upper_quartile].map(|it| amount(self.unit, it));
        Some(format!("{value} ({lower} to {upper})"))
    }
}

/// A figure for people, with three digits.
pub(super) fn amount(unit: Unit, value: f64) -> String {
    if unit == Unit::Count {
        return format!("{value:.0}");
    }
    let (value, unit) = if value < 1.0 {
        (value * 1000.0, "ms")
    } else {
        (value, "s")
    };
    let decimals = match value {
        ..10.0 => 2,
        10.0..100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {unit}")
}

/// A ratio for people: two digits after the point, and more where it is small.
pub(super) fn proportion(ratio: f64) -> String {
    let decimals = match ratio {
        ..0.01 => 4,
        0.01..0.1 => 3,
        _ => 2,
    };
    format!("{ratio:.decimals$}")
}

/// All rows, what a reader has to know about them, and where they come from.
pub(super) struct Report {
    pub(super) origin: Origin,
    pub(super) rows: Vec<Row>,
    /// The scenarios' names and their notes.
    pub(super) notes: Vec<(&'static str, &'static str)>,
}

impl Report {
    pub(super) fn new(origin: Origin, measured: &[Measured]) -> Self {
        Self {
            origin,
            rows: measured.iter().flat_map(rows).collect(),
            notes: measured
                .iter()
                .map(|it| (it.scenario.name, it.scenario.note))
                .collect(),
        }
    }

    /// The rows in which a contender has a figure.
    pub(super) fn rows_of(&self, contender: Contender) -> impl Iterator<Item = &Row> {
        let rows = self.rows.iter();
        rows.filter(move |row| row.value(contender).is_some())
    }
}

fn rows(measured: &Measured) -> Vec<Row> {
    let scenario = measured.scenario;
    let mut rows = Vec::new();
    for (position, case) in scenario.cases.iter().enumerate() {
        let figures = Contender::ALL.into_iter().filter_map(|contender| {
            let samples = measured.samples.get(&(position, contender))?;
            Some((contender, (Summary::of(samples)?, samples.clone())))
        });
        let figures: BTreeMap<_, _> = figures.collect();
        let tail = scenario.tail.then_some(Statistic::Tail);
        for statistic in [Statistic::Median].into_iter().chain(tail) {
            rows.push(Row {
                scenario: scenario.name,
                case: case.name,
                unit: case.unit,
                statistic,
                figures: figures.clone(),
            });
        }
    }
    rows
}

#[cfg(test)]
pub(super) fn example() -> Report {
    use super::{origin, scenario};

    let [seatrial, testcontainers, floor] = Contender::ALL;
    let measured = |name, samples: &[(&str, Contender, f64)]| {
        let scenario = scenario::find(name).expect("there is one of that name");
        let mut measured = Measured::nothing_yet(scenario);
        for (case, contender, value) in samples {
            let added = measured.add(case, *contender, *value);
            added.expect("the scenario has that case");
        }
        measured
    };
    let one = [
        ("cold", seatrial, 0.3),
        ("cold", seatrial, 0.6),
        ("cold", seatrial, 0.4),
        ("cold", testcontainers, 0.8),
        ("cold", floor, 0.2),
        ("cold", floor, 0.2),
    ];
    let build = [
        ("crates", seatrial, 90.0),
        ("crates", testcontainers, 180.0),
    ];
    let all = [
        measured("one", &one),
        measured("lag", &[("tcp", seatrial, 0.005)]),
        measured("build", &build),
    ];
    let mut report = Report::new(origin::example(), &all);
    report.rows.retain(|row| !row.figures.is_empty());
    report
}

#[cfg(test)]
mod tests {
    use super::super::scenario;
    use super::*;

    #[test]
    fn figures_have_three_digits_and_a_unit() {
        for (value, expected) in [
            (0.000_25, "0.25 ms"),
            (0.0042, "4.20 ms"),
            (0.0423, "42.3 ms"),
            (0.4285, "428 ms"),
            (1.0, "1.00 s"),
            (4.917, "4.92 s"),
            (73.24, "73.2 s"),
            (250.4, "250 s"),
        ] {
            assert_eq!(amount(Unit::Time, value), expected);
        }
        assert_eq!(amount(Unit::Count, 190.0), "190");
    }

    #[test]
    fn small_ratios_have_more_digits() {
        for (ratio, expected) in [
            (1.615, "1.61"),
            (0.4499, "0.45"),
            (0.0123, "0.012"),
            (0.000_81, "0.0008"),
        ] {
            assert_eq!(proportion(ratio), expected);
        }
    }

    #[test]
    fn a_row_has_the_median_the_quartiles_and_the_ratios() {
        let report = example();
        let row = &report.rows[0];
        assert_eq!(row.label(), "one: cold");
        // Sorted: 0.3 0.4 0.6. The quartiles are in the middle of each pair.
        assert_eq!(
            row.describe(Contender::Seatrial).unwrap(),
            "400 ms (350 ms to 500 ms)"
        );
        assert_eq!(row.describe(Contender::Testcontainers).unwrap(), "800 ms");
        assert_eq!(row.ratio(Contender::Testcontainers), Some(0.5));
        assert_eq!(row.ratio(Contender::Floor), Some(2.0));
    }

    #[test]
    fn who_was_not_measured_has_neither_figure_nor_ratio() {
        let report = example();
        let [_, median, tail, crates] = &report.rows[..] else {
            panic!("there are {} rows", report.rows.len());
        };
        assert_eq!(median.label(), "lag: tcp");
        assert_eq!(tail.label(), "lag: tcp, 95th percentile");
        assert_eq!(tail.describe(Contender::Testcontainers), None);
        assert_eq!(tail.ratio(Contender::Testcontainers), None);
        assert_eq!(crates.describe(Contender::Seatrial).unwrap(), "90");
        assert_eq!(crates.ratio(Contender::Testcontainers), Some(0.5));
    }

    #[test]
    fn a_sample_of_an_unknown_case_is_an_error() {
        let mut one = Measured::nothing_yet(scenario::find("one").unwrap());
        let error = one.add("tepid", Contender::Floor, 1.0).unwrap_err();
        assert_eq!(error.to_string(), "`one` has no case `tepid`");
        let error = one.add("cold", Contender::Floor, -1.0).unwrap_err();
        assert!(error.to_string().contains("invalid sample -1"), "{error}");
    }
}
