//! The figures in README: a table between two markers, and the chart in a file that README shows.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

use crate::workspace;

const BEGIN: &str = "<!-- bench: begin -->";
const END: &str = "<!-- bench: end -->";

/// Where the chart is, seen from README.
const CHART: &str = "benchmarks/startup/chart.svg";

/// README, which has the markers.
pub(super) struct Readme {
    path: PathBuf,
}

impl Readme {
    /// Reads it, and checks that it has a place for the figures: before anything is measured.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, or does not have the two markers.
    pub(super) fn open() -> Result<Self> {
        let readme = Self {
            path: workspace::root().join("README.md"),
        };
        with_figures(&readme.read()?, "")?;
        Ok(readme)
    }

    /// Writes the table and the chart.
    ///
    /// # Errors
    ///
    /// Where a file cannot be written, or README has lost its markers.
    pub(super) fn update(&self, table: &str, chart: &str) -> Result<()> {
        let figures = format!("![the figures below as a chart]({CHART})\n\n{table}");
        let text = with_figures(&self.read()?, &figures)?;
        let chart_file = workspace::root().join(CHART);
        for (path, text) in [(&chart_file, chart), (&self.path, &text)] {
            fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
            println!("written: {}", path.display());
        }
        Ok(())
    }

    fn read(&self) -> Result<String> {
        let path = &self.path;
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    }
}

/// The text with other figures between the markers.
fn with_figures(text: &str, figures: &str) -> Result<String> {
    let Some((before, rest)) = text.split_once(BEGIN) else {
        bail!(
            "README.md has no `{BEGIN}`: add that line, and `{END}` below it, where the figures are to be"
        );
    };
    let Some((_, after)) = rest.split_once(END) else {
        bail!("README.md has no `{END}` after `{BEGIN}`: add that line");
    };
    ensure!(
        !after.contains(BEGIN),
        "README.md has two `{BEGIN}`: remove one"
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
        let once = with_figures(text, "| new |\n").unwrap();
        assert_eq!(
            once,
            "# Title\n\n<!-- bench: begin -->\n\n| new |\n\n<!-- bench: end -->\n\nThe rest.\n"
        );
        assert_eq!(with_figures(&once, "| new |\n").unwrap(), once);
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
            let error = with_figures(text, "").unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
