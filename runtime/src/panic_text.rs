//! What a panic says.

use std::any::Any;

/// The text of a panic, from its payload. `None` if the payload is another value.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> Option<&str> {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}
