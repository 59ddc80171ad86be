//! A report must be finished.

use proc_macro2::Span;

use crate::report::Report;

#[test]
fn all_mistakes_leave_in_their_order() {
    let mut report = Report::new();
    report.error(Span::call_site(), "one");
    report.error(Span::call_site(), "two");
    let mistakes = report.finish().expect_err("there are mistakes");
    assert_eq!(mistakes.messages(), ["one", "two"]);
    assert!(Report::new().finish().is_ok());
}

#[test]
#[should_panic(expected = "its mistakes would be lost")]
fn a_report_that_is_dropped_unfinished_panics() {
    drop(Report::new());
}
