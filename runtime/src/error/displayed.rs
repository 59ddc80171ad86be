//! The errors that the result of a test displays, so that a report after it does not repeat them.

use std::cell::RefCell;
use std::fmt;

thread_local! {
    static TEXT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `report`. Returns the text of all errors that it has displayed on this thread, beside its own value.
pub(crate) fn during<T>(report: impl FnOnce() -> T) -> (T, String) {
    TEXT.set(Some(String::new()));
    let value = report();
    (value, TEXT.take().unwrap_or_default())
}

/// Displays an error, and notes its text if somebody wants to know it.
pub(super) fn note(error: &impl fmt::Display, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if TEXT.with_borrow(Option::is_none) {
        return error.fmt(f);
    }
    let text = error.to_string();
    f.write_str(&text)?;
    TEXT.with_borrow_mut(|noted| {
        if let Some(noted) = noted {
            noted.push_str(&text);
            noted.push('\n');
        }
    });
    Ok(())
}
