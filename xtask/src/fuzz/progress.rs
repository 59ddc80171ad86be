//! What libFuzzer says of a run, in lines for people.

use std::fmt;

/// How far a run came.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    runs: u64,
    /// Places in the code that were reached, and what was different on the way to them.
    coverage: u64,
    features: u64,
    /// Where the input is for which the target failed.
    pub(super) finding: Option<String>,
}

impl Progress {
    /// Takes one line.
    pub(super) fn see(&mut self, line: &str) {
        if let Some((_, path)) = line.split_once("Test unit written to ") {
            self.finding = Some(path.trim().to_owned());
        }
        if let Some(runs) = line.strip_prefix("stat::number_of_executed_units:") {
            self.runs = runs.trim().parse().unwrap_or(self.runs);
        }
        // `#4096  pulse  cov: 512 ft: 1024 corp: ..`
        if let Some(status) = line.strip_prefix('#') {
            let words: Vec<&str> = status.split_whitespace().collect();
            let behind = |name: &str| {
                let at = words.iter().position(|word| *word == name)?;
                words.get(at + 1)?.parse().ok()
            };
            let runs = words.first().and_then(|runs| runs.parse().ok());
            self.runs = runs.unwrap_or(self.runs);
            self.coverage = behind("cov:").unwrap_or(self.coverage);
            self.features = behind("ft:").unwrap_or(self.features);
        }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            runs,
            coverage,
            features,
            finding,
        } = self;
        write!(f, "{runs} runs, coverage {coverage}, features {features}")?;
        match finding {
            None => Ok(()),
            Some(path) => write!(f, ", fails for {path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_status_counts_and_a_finding_is_named() {
        let mut progress = Progress::default();
        for line in [
            "INFO: Seed: 1",
            "#10\tINITED cov: 300 ft: 400 corp: 5/120b exec/s: 0 rss: 40Mb",
            "#2048\tNEW    cov: 512 ft: 1024 corp: 6/130b lim: 21 exec/s: 0 rss: 41Mb L: 9/21 MS: 1 ChangeBit-",
            "\tNEW_FUNC[1/1]: 0x55 in seatrial",
            "artifact_prefix='/t/'; Test unit written to /t/crash-1f",
            "Base64: AA==",
        ] {
            progress.see(line);
        }
        assert_eq!(
            progress.to_string(),
            "2048 runs, coverage 512, features 1024, fails for /t/crash-1f"
        );

        progress = Progress::default();
        for line in [
            "#4096\tDONE   cov: 513 ft: 1025 corp: 7/1Kb lim: 30 exec/s: 68 rss: 42Mb",
            "Done 4100 runs in 61 second(s)",
            "stat::number_of_executed_units: 4100",
        ] {
            progress.see(line);
        }
        assert_eq!(
            progress.to_string(),
            "4100 runs, coverage 513, features 1025"
        );
    }
}
