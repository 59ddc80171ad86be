//! The figures in README and on the page about starts: a table between two markers in each, and the chart in a file that
//! README shows.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::workspace;

const BEGIN: &str = "<!-- bench: begin -->";
const END: &str = "<!-- bench: end -->";

/// Where the chart is, seen from README.
const CHART: &str = "benchmarks/startup/chart.svg";

/// The page about where the time of a start goes.
const PAGE: &str = "docs/start.md";

/// The texts that have the markers.
pub(super) struct Readme {
    path: PathBuf,
    page: PathBuf,
}

impl Readme {
    /// Reads them, and checks that they have a place for the figures: before anything is measured.
    ///
    /// # Errors
    ///
    /// Where one cannot be read, or does not have the two markers.
    pub(super) fn open() -> Result<Self> {
        let readme = Self {
            path: workspace::root().join("README.md"),
            page: workspace::root().join(PAGE),
        };
        for path in [&readme.path, &readme.page] {
            with_figures(path, "")?;
        }
        Ok(readme)
    }

    /// Writes the table and the chart, and the figures of single calls.
    ///
    /// # Errors
    ///
    /// Where a file cannot be written, or has lost its markers.
    pub(super) fn update(&self, table: &str, chart: &str, calls: &str) -> Result<()> {
        let figures = format!("![the figures below as a chart]({CHART})\n\n{table}");
        let chart_file = workspace::root().join(CHART);
        for (path, text) in [
            (&chart_file, chart.to_owned()),
            (&self.path, with_figures(&self.path, &figures)?),
            (&self.page, with_figures(&self.page, calls)?),
        ] {
            fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
            println!("written: {}", path.display());
        }
        Ok(())
    }
}

/// The text of a file with other figures between its markers.
fn with_figures(path: &Path, figures: &str) -> Result<String> {
    let text = fs::read_to_string(path);
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    let name = path.file_name().unwrap_or_default().display().to_string();
    between_markers(&name, &text, figures)
}

/// The text with other figures between the markers.
fn between_markers(name: &str, text: &str, figures: &str) -> Result<String> {
    let Some((before, rest)) = text.split_once(BEGIN) else {
        bail!(
            "{name} has no `{BEGIN}`: add that line, and `{END}` below it, where the figures are to be"
        );
    };
    let Some((_, after)) = rest.split_once(END) else {
        bail!("{name} has no `{END}` after `{BEGIN}`: add that line");
    };
    ensure!(
        !after.contains(BEGIN),
        "{name} has two `{BEGIN}`: remove one"
    );
    Ok(format!(
        "{before}{BEGIN}\n\n{}\n\n{END}{after}",
        figures.trim()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_is_replaced() {
        let text = "# Title\n\n<!-- bench: begin -->\nold\n<!-- bench: end -->\n\nThe rest.\n";
        let once = between_markers("README.md", text, "| new |\n").unwrap();
        assert_eq!(
            once,
            "# Title\n\n<!-- bench: begin -->\n\n| new |\n\n<!-- bench: end -->\n\nThe rest.\n"
        );
        assert_eq!(
            between_markers("README.md", &once, "| new |\n").unwrap(),
            once
        );
    }

    #[test]
    fn a_text_without_a_place_for_the_figures_is_an_error() {
        for (text, part) in [
            ("# Title\n", "has no `<!-- bench: begin -->`: add that line"),
            (
                "<!-- bench: begin -->\n",
                "has no `<!-- bench: end -->` after",
            ),
            (
                "<!-- bench: end --><!-- bench: begin -->",
                "has no `<!-- bench: end -->` after",
            ),
            (
                "<!-- bench: begin --><!-- bench: end --><!-- bench: begin -->",
                "two `<!-- bench: begin -->`",
            ),
        ] {
            let error = between_markers("README.md", text, "")
                .unwrap_err()
                .to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
