//! The report as a chart in SVG: for each row a bar for each contender, on a scale of the row's own, for rows differ by
//! orders of magnitude.
//!
//! It is drawn by hand and readable on a light and on a dark page: a browser chooses the colours.

use super::report::{Report, Row, amount, proportion};
use super::sample::Contender;

const WIDTH: usize = 860;
/// Where bars begin, and how long the longest is.
const LEFT: usize = 210;
const LONGEST: f64 = 430.0;
/// The height of a bar, with the space below it.
const BAR: usize = 14;
/// The space between two rows.
const GAP: usize = 12;
/// Above the first row: the title and the legend.
const TOP: usize = 64;
/// Below the last row, for where the figures come from.
const BOTTOM: usize = 44;

const STYLE: &str = "\
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 15px; font-weight: 600; }
.faint { fill: #59636e; font-size: 10px; }
.seatrial { fill: #0969da; }
.testcontainers { fill: #bc4c00; }
.floor { fill: #8c959f; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .faint { fill: #9198a1; }
  .seatrial { fill: #4493f8; }
  .testcontainers { fill: #db6d28; }
  .floor { fill: #656c76; }
}
";

/// The chart.
pub(super) fn svg(report: &Report) -> String {
    let mut body = String::new();
    body += &text(
        16,
        24,
        "title",
        "Seatrial beside testcontainers 0.28 and raw API calls",
    );
    let mut x = 16;
    for contender in Contender::ALL {
        body += &bar(x, 38, 12.0, contender);
        body += &text(x + 18, 48, "", contender.name());
        x += 160;
    }
    body += &text(
        x,
        48,
        "faint",
        "each row has its own scale; shorter is better",
    );
    let mut y = TOP;
    for row in report.rows_of(Contender::Seatrial) {
        body += &text(16, y + 11, "", &row.label());
        y = bars(&mut body, row, y) + GAP;
    }
    for (number, line) in report.origin.lines().iter().enumerate() {
        body += &text(16, y + 12 + number * 14, "faint", line);
    }
    let height = y + BOTTOM;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"Figures of cargo xtask bench\">\n\
         <style>\n{STYLE}</style>\n{body}</svg>\n"
    )
}

/// Draws a row's bars from `y` on and returns where they end.
fn bars(body: &mut String, row: &Row, mut y: usize) -> usize {
    let values = Contender::ALL.map(|contender| (contender, row.value(contender)));
    let most = values.iter().filter_map(|(_, it)| *it).fold(0.0, f64::max);
    for (contender, value) in values {
        let Some(value) = value else { continue };
        let length = if most > 0.0 {
            LONGEST * value / most
        } else {
            0.0
        };
        let mut label = amount(row.unit, value);
        if contender == Contender::Seatrial
            && let Some(ratio) = row.ratio(Contender::Testcontainers)
        {
            label += &format!(", {}× testcontainers", proportion(ratio));
        }
        *body += &bar(LEFT, y, length, contender);
        // Positions are whole pixels.
        let end = LEFT + length.round() as usize + 6;
        *body += &text(end, y + 10, "", &label);
        y += BAR;
    }
    y
}

fn bar(x: usize, y: usize, length: f64, contender: Contender) -> String {
    let class = contender.key();
    let height = BAR - 2;
    format!(
        "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{length:.1}\" height=\"{height}\" rx=\"2\"/>\n"
    )
}

fn text(x: usize, y: usize, class: &str, text: &str) -> String {
    let class = match class {
        "" => String::new(),
        class => format!(" class=\"{class}\""),
    };
    format!(
        "<text{class} x=\"{x}\" y=\"{y}\">{}</text>\n",
        escaped(text)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::report;
    use super::*;

    #[test]
    fn the_chart_is_well_formed_and_has_a_bar_for_each_figure() {
        let mut report = report::example();
        report.origin.kernel = "6.1 <&\"'>".to_owned();
        let svg = svg(&report);
        let document = roxmltree::Document::parse(&svg).expect("it is well formed");
        let with_name = |name: &'static str| {
            let nodes = document.descendants();
            nodes.filter(move |it| it.has_tag_name(("http://www.w3.org/2000/svg", name)))
        };
        let widths: Vec<&str> = with_name("rect")
            .filter_map(|it| it.attribute("width"))
            .collect();
        assert_eq!(
            widths,
            [
                // The legend.
                "12.0", "12.0", "12.0", // 400, 800 and 200 ms.
                "215.0", "430.0", "107.5", // Two rows in which only one was measured.
                "430.0", "430.0", // 90 and 180 crates.
                "215.0", "430.0",
            ]
        );
        let texts: Vec<&str> = with_name("text").filter_map(|it| it.text()).collect();
        for expected in [
            "one: cold",
            "400 ms, 0.50× testcontainers",
            "lag: tcp, 95th percentile",
            "5.00 ms",
        ] {
            assert!(texts.contains(&expected), "{expected}: {texts:?}");
        }
        let origin = texts.iter().find(|it| it.contains("6.1 <&\"'>"));
        assert!(origin.is_some(), "{texts:?}");
        assert!(svg.contains("prefers-color-scheme: dark"));
    }
}
