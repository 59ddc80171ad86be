//! Reads nextest's report for the tests that passed only when they were tried again.

use anyhow::{Context, Result};
use roxmltree::{Document, Node};

/// How many lines of a failure's output are shown.
const LINES: usize = 20;

/// A test that failed and then passed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flaky {
    /// The name of its executable and its own, as nextest writes them.
    pub(super) name: String,
    /// How it failed first: `test failure with exit code 101`.
    pub(super) failure: String,
    /// The end of what it wrote then.
    pub(super) output: String,
}

impl std::fmt::Display for Flaky {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "FLAKY {}: passed when tried again, its first try was a {}",
            self.name, self.failure
        )?;
        for line in self.output.lines() {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}

/// The tests that passed only when they were tried again, in the report's order.
///
/// # Errors
///
/// Where the report is not one of nextest's.
pub(super) fn flaky(report: &str) -> Result<Vec<Flaky>> {
    let document = Document::parse(report).context("the report is not XML")?;
    let suites = document.root_element();
    anyhow::ensure!(
        suites.has_tag_name("testsuites"),
        "the report has `{}` instead of `testsuites`",
        suites.tag_name().name()
    );
    let cases = suites
        .descendants()
        .filter(|node| node.has_tag_name("testcase"));
    Ok(cases.filter_map(flaky_case).collect())
}

fn flaky_case(case: Node<'_, '_>) -> Option<Flaky> {
    let failure = case
        .children()
        .find(|node| node.has_tag_name("flakyFailure") || node.has_tag_name("flakyError"))?;
    let attribute = |node: Node<'_, '_>, name| node.attribute(name).unwrap_or("?").to_owned();
    let written = |name| {
        let node = failure.children().find(|node| node.has_tag_name(name))?;
        Some(end(node.text()?)).filter(|text| !text.is_empty())
    };
    // On standard output is mostly what the harness says of every test.
    let output = written("system-err").or_else(|| written("system-out"));
    Some(Flaky {
        name: format!(
            "{} {}",
            attribute(case, "classname"),
            attribute(case, "name")
        ),
        failure: attribute(failure, "type"),
        output: output.unwrap_or_default(),
    })
}

/// The last lines of an output, without the backtraces.
fn end(output: &str) -> String {
    let mut in_backtrace = false;
    let mut lines = Vec::new();
    for line in output.trim_matches('\n').lines() {
        // Its lines are indented, but for a note at its end.
        in_backtrace = line == "stack backtrace:"
            || (in_backtrace && line.starts_with(' '))
            || line.starts_with("note: Some details are omitted, run with `RUST_BACKTRACE");
        if !in_backtrace {
            lines.push(line);
        }
    }
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As nextest 0.9.143 writes it: a test that passed at the second try, one that passed, one that failed twice, and
    /// one that did not end at its first try.
    const REPORT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="4" skipped="0" failures="1" errors="0" uuid="fd20aa31-3a19-4d24-8d4c-89abd717b2c7" timestamp="2026-11-29T16:15:51.999+00:00" time="2.156">
    <testsuite name="fleet::boats" tests="4" skipped="0" errors="0" failures="1">
        <testcase name="it_floats" classname="fleet::boats" timestamp="2026-11-29T16:15:52.083+00:00" time="0.004">
            <flakyFailure timestamp="2026-11-29T16:15:51.999+00:00" time="0.082" message="thread &apos;it_floats&apos; (42) panicked at tests/boats.rs:1:127" type="test failure with exit code 101">thread &apos;it_floats&apos; (42) panicked at tests/boats.rs:1:127
                <system-out>
running 1 test
test it_floats ... FAILED
</system-out>
                <system-err>
a line before

thread &apos;it_floats&apos; (42) panicked at tests/boats.rs:1:127:
assertion `left == right` failed: a &lt;leak&gt; &amp; more
stack backtrace:
   0: __rustc::rust_begin_unwind
             at /rustc/5980/library/std/src/panicking.rs:689:5
   1: boats::it_floats
note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.
</system-err>
            </flakyFailure>
        </testcase>
        <testcase name="it_sails" classname="fleet::boats" timestamp="2026-11-29T16:15:52.087+00:00" time="0.005"/>
        <testcase name="it_flies" classname="fleet::boats" timestamp="2026-11-29T16:15:51.999+00:00" time="0.078">
            <failure message="it does not" type="test failure with exit code 101">it does not</failure>
            <rerunFailure timestamp="2026-11-29T16:15:52.079+00:00" time="0.065" message="it does not" type="test failure with exit code 101">it does not
                <system-out>no</system-out>
                <system-err>no</system-err>
            </rerunFailure>
            <system-out>no</system-out>
            <system-err>no</system-err>
        </testcase>
        <testcase name="it_lands" classname="fleet::boats" timestamp="2026-11-29T16:15:54.149+00:00" time="0.006">
            <flakyFailure timestamp="2026-11-29T16:15:52.144+00:00" time="2.004" type="test timeout">
                <system-out>
running 1 test
</system-out>
                <system-err></system-err>
            </flakyFailure>
        </testcase>
    </testsuite>
</testsuites>
"#;

    #[test]
    fn what_passed_at_the_second_try_is_told_with_its_first_failure() {
        let flaky = flaky(REPORT).unwrap();
        assert_eq!(
            flaky.iter().map(Flaky::to_string).collect::<Vec<_>>(),
            [
                "FLAKY fleet::boats it_floats: passed when tried again, its first try was a \
                 test failure with exit code 101\n    \
                 a line before\n    \n    \
                 thread 'it_floats' (42) panicked at tests/boats.rs:1:127:\n    \
                 assertion `left == right` failed: a <leak> & more",
                "FLAKY fleet::boats it_lands: passed when tried again, its first try was a test timeout\n    \
                 running 1 test",
            ]
        );
    }

    #[test]
    fn a_long_output_is_told_by_its_end() {
        let lines: Vec<String> = (1..=30).map(|number| number.to_string()).collect();
        assert_eq!(end(&lines.join("\n")), lines[10..].join("\n"));
    }

    #[test]
    fn what_is_no_report_is_refused() {
        assert!(flaky("<testsuites>").is_err());
        let error = flaky("<html/>").unwrap_err().to_string();
        assert!(error.contains("`html`"), "{error}");
    }
}
