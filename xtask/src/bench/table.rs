//! The report as a table, which is Markdown and can be read as it is, and as JSON.

use serde_json::{Value, json};

use super::report::{Report, Row, Statistic, proportion};
use super::sample::Contender;
use super::scenario::Unit;

/// What a cell without a figure has.
const NOTHING: &str = "-";

/// The table of what Seatrial was measured in, the notes below it, and where the figures come from.
pub(super) fn markdown(report: &Report) -> String {
    let [seatrial, testcontainers, floor] = Contender::ALL.map(Contender::name);
    let mut lines = vec![[
        "what".to_owned(),
        seatrial.to_owned(),
        testcontainers.to_owned(),
        floor.to_owned(),
        "to testcontainers".to_owned(),
        "to raw calls".to_owned(),
    ]];
    let rows: Vec<&Row> = report.rows_of(Contender::Seatrial).collect();
    lines.extend(rows.iter().map(|row| cells(row)));
    let mut text = aligned(&lines);
    text += "\nMedians, and in parentheses the quartiles. The last two columns are Seatrial's figure divided by the other.\n\n";
    for (scenario, note) in &report.notes {
        if rows.iter().any(|row| row.scenario == *scenario) {
            text += &format!("* **{scenario}**: {note}\n");
        }
    }
    let [machine, run] = report.origin.lines();
    text + &format!("\n{machine}  \n{run}\n")
}

/// The table of what only the raw calls were measured in. `None` if there is nothing.
pub(super) fn of_calls(report: &Report) -> Option<String> {
    let rows = report.rows.iter();
    let rows = rows.filter(|row| row.value(Contender::Seatrial).is_none());
    let rows = rows.map(|row| {
        let figure = row.describe(Contender::Floor);
        [
            row.case.to_owned(),
            figure.unwrap_or_else(|| NOTHING.to_owned()),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let head = ["call".to_owned(), "took".to_owned()];
    let [machine, run] = report.origin.lines();
    let below = format!("\nMedians, and in parentheses the quartiles.\n\n{machine}  \n{run}\n");
    (!rows.is_empty()).then(|| aligned(&[vec![head], rows].concat()) + &below)
}

/// The lines as a table whose columns are as wide as they need to be. The first line is its head.
fn aligned<const COLUMNS: usize>(lines: &[[String; COLUMNS]]) -> String {
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
        let widths = lines.iter().map(|it| it[column].chars().count());
        widths.max().unwrap_or(0)
    });
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        for (cell, width) in line.iter().zip(widths) {
            text += &format!("| {cell:<width$} ");
        }
        text += "|\n";
        if number == 0 {
            for width in widths {
                text += &format!("| {:-<width$} ", "");
            }
            text += "|\n";
        }
    }
    text
}

fn cells(row: &Row) -> [String; 6] {
    let figure = |contender| {
        row.describe(contender)
            .unwrap_or_else(|| NOTHING.to_owned())
    };
    let ratio = |to| match row.ratio(to) {
        Some(ratio) => proportion(ratio),
        None => NOTHING.to_owned(),
    };
    let [seatrial, testcontainers, floor] = Contender::ALL.map(figure);
    [
        row.label(),
        seatrial,
        testcontainers,
        floor,
        ratio(Contender::Testcontainers),
        ratio(Contender::Floor),
    ]
}

/// Everything, with all samples. Durations are in seconds.
pub(super) fn json(report: &Report) -> Value {
    let cases = report.rows.iter();
    let cases = cases.filter(|row| row.statistic == Statistic::Median);
    let cases: Vec<Value> = cases
        .map(|row| {
            let contenders = row.figures.iter().map(|(contender, (it, samples))| {
                let figures = json!({
                    "count": it.count,
                    "min": it.least,
                    "lower_quartile": it.lower_quartile,
                    "median": it.median,
                    "upper_quartile": it.upper_quartile,
                    "p95": it.tail,
                    "max": it.most,
                    "samples": samples,
                });
                (contender.key().to_owned(), figures)
            });
            json!({
                "scenario": row.scenario,
                "case": row.case,
                "unit": if row.unit == Unit::Time { "seconds" } else { "count" },
                "contenders": contenders.collect::<serde_json::Map<_, _>>(),
                "ratio_to_testcontainers": row.ratio(Contender::Testcontainers),
                "ratio_to_floor": row.ratio(Contender::Floor),
            })
        })
        .collect();
    let mut document = report.origin.to_json();
    document["cases"] = cases.into();
    document
}

#[cfg(test)]
mod tests {
    use super::super::report;
    use super::*;

    #[test]
    fn the_table_has_a_line_for_each_row_and_names_where_it_comes_from() {
        let text = markdown(&report::example());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[..6],
            [
                "| what                      | Seatrial                  | testcontainers 0.28 | raw API calls             | to testcontainers | to raw calls |",
                "| ------------------------- | ------------------------- | ------------------- | ------------------------- | ----------------- | ------------ |",
                "| one: cold                 | 400 ms (350 ms to 500 ms) | 800 ms              | 200 ms (200 ms to 200 ms) | 0.50              | 2.00         |",
                "| lag: tcp                  | 5.00 ms                   | -                   | -                         | -                 | -            |",
                "| lag: tcp, 95th percentile | 5.00 ms                   | -                   | -                         | -                 | -            |",
                "| build: crates             | 90                        | 180                 | -                         | 0.50              | -            |",
            ],
            "{text}"
        );
        for part in [
            "* **lag**: ",
            "2 cores",
            "API 1.41",
            "0123456789ab",
            "`cargo xtask bench one`",
        ] {
            assert!(text.contains(part), "`{part}` is not in:\n{text}");
        }
    }

    #[test]
    fn the_json_has_every_case_once_with_all_samples() {
        let document = json(&report::example());
        assert_eq!(document["engine"]["api"], "1.41");
        let cases = document["cases"].as_array().unwrap();
        let names: Vec<&str> = cases
            .iter()
            .map(|it| it["case"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["cold", "tcp", "crates"]);
        let seatrial = &cases[0]["contenders"]["seatrial"];
        assert_eq!(seatrial["samples"], json!([0.3, 0.6, 0.4]));
        assert_eq!(seatrial["median"], 0.4);
        assert_eq!(seatrial["max"], 0.6);
        assert_eq!(cases[0]["ratio_to_testcontainers"], 0.5);
        assert_eq!(cases[1]["ratio_to_floor"], Value::Null);
        assert_eq!(cases[2]["unit"], "count");
    }
}
