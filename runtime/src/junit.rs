//! The failed cases in a JUnit report, the XML that test tools of most languages can write.
//!
//! There is no standard. Tools agree on `<testcase name=".." classname="..">` with a `<failure>` or an `<error>` in it, at any depth
//! below `<testsuites>` or `<testsuite>`.

use roxmltree::{Document, Node, ParsingOptions};

/// The most bytes of a report that are read. One of 100,000 cases has about 10 MiB.
pub(crate) const MOST: u64 = 32 * 1024 * 1024;

/// The most characters of a failure's message that are shown.
const MESSAGE_MAX: usize = 200;

/// The cases of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cases {
    pub(crate) count: usize,
    pub(crate) failed: Vec<FailedCase>,
}

/// A case that has failed, or could not be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FailedCase {
    /// Its class and its name, as far as it has them.
    pub(crate) name: String,
    /// The first line of what is said of the failure. Empty if nothing is.
    pub(crate) message: String,
}

/// Reads a report. `None` if it is some other document.
///
/// # Errors
///
/// Returns what is malformed in a text that looks like a report.
pub(crate) fn cases(xml: &str) -> Result<Option<Cases>, String> {
    if !xml.contains("<testsuite") {
        return Ok(None);
    }
    let options = ParsingOptions {
        // Some tools declare a document type. Nothing outside of the text is read for it.
        allow_dtd: true,
        nodes_limit: 4_000_000,
        ..ParsingOptions::default()
    };
    let document =
        Document::parse_with_options(xml.trim_start_matches('\u{feff}').trim_start(), options)
            .map_err(|error| error.to_string())?;
    if !matches!(
        document.root_element().tag_name().name(),
        "testsuites" | "testsuite"
    ) {
        return Ok(None);
    }
    let cases = document
        .descendants()
        .filter(|node| node.has_tag_name("testcase"));
    let mut found = Cases::default();
    for case in cases {
        found.count += 1;
        let failure = case
            .children()
            .find(|node| node.has_tag_name("failure") || node.has_tag_name("error"));
        if let Some(failure) = failure {
            found.failed.push(FailedCase {
                name: name(case),
                message: message(failure),
            });
        }
    }
    Ok(Some(found))
}

fn name(case: Node<'_, '_>) -> String {
    let attribute = |name| case.attribute(name).filter(|value| !value.is_empty());
    let class = attribute("classname").or(attribute("file"));
    match (class, attribute("name")) {
        (Some(class), Some(name)) => format!("{class}::{name}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "a case without a name".to_owned(),
    }
}

fn message(failure: Node<'_, '_>) -> String {
    let text = failure
        .children()
        .filter_map(|node| node.text())
        .collect::<String>();
    let attributes = ["message", "type"].map(|name| failure.attribute(name).unwrap_or_default());
    let first = [attributes[0], &text, attributes[1]]
        .into_iter()
        .flat_map(str::lines)
        .map(str::trim)
        .find(|line| !line.is_empty());
    let first = first.unwrap_or_default();
    match first.char_indices().nth(MESSAGE_MAX) {
        Some((end, _)) => format!("{}..", &first[..end]),
        None => first.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(xml: &str) -> Vec<(String, String)> {
        let cases = cases(xml)
            .expect("it is well-formed")
            .expect("it is a report");
        let failed = cases.failed.into_iter();
        failed.map(|case| (case.name, case.message)).collect()
    }

    fn case(name: &str, message: &str) -> (String, String) {
        (name.to_owned(), message.to_owned())
    }

    #[test]
    fn of_a_pytest_report_the_failed_cases_are_named() {
        let xml = r#"<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest" errors="1" failures="1" tests="4">
            <testcase classname="tests.test_orders" name="test_total" time="0.001">
              <failure message="assert 3 == 4&#10; +  where 3 = total()">def test_total():
&gt;       assert total() == 4</failure></testcase>
            <testcase classname="tests.test_orders" name="test_empty" time="0.000" />
            <testcase classname="" name="tests.test_broken" time="0.000"><error message="collection failure">E</error></testcase>
            <testcase classname="tests.test_orders" name="test_later"><skipped type="pytest.skip" message="later"/></testcase>
        </testsuite></testsuites>"#;
        assert_eq!(
            failed(xml),
            [
                case("tests.test_orders::test_total", "assert 3 == 4"),
                case("tests.test_broken", "collection failure"),
            ]
        );
        assert_eq!(cases(xml).expect("well-formed").expect("a report").count, 4);
    }

    #[test]
    fn reports_of_other_tools_are_read_too() {
        // One suite without a list, suites in suites, text in place of a message, no message at all.
        let xml = "\u{feff}\n<!DOCTYPE testsuite><testsuite><testsuite><testcase file=\"a.js\" name=\"adds\"><failure>\n  expected 1\n  at a.js:3</failure></testcase></testsuite>\
                   <testcase name=\"subtracts\"><error type=\"TypeError\"/></testcase><testcase><failure/></testcase></testsuite>";
        assert_eq!(
            failed(xml),
            [
                case("a.js::adds", "expected 1"),
                case("subtracts", "TypeError"),
                case("a case without a name", ""),
            ]
        );
        let long = format!(
            "<testsuite><testcase name=\"x\"><failure message=\"{}\"/></testcase></testsuite>",
            "\u{f6}".repeat(300)
        );
        assert_eq!(failed(&long)[0].1, "\u{f6}".repeat(200) + "..");
    }

    #[test]
    fn what_is_no_report_is_none_and_what_is_cut_is_told() {
        assert_eq!(cases(""), Ok(None));
        assert_eq!(cases("<coverage line-rate=\"1\"/>"), Ok(None));
        assert_eq!(cases("<html>&lt;<testsuite/></html>"), Ok(None));
        assert!(cases("<testsuites><testsuite><testcase name=").is_err());
    }
}
