//! An answer that arrives in parts.

use std::pin::Pin;

use futures_core::Stream;

use super::error::EngineError;

/// A stream of an answer that arrives in parts.
pub(crate) type Parts<T> = Pin<Box<dyn Stream<Item = Result<T, EngineError>> + Send>>;

/// Bytes in memory, as a stream.
pub(crate) fn all_of(bytes: Vec<u8>) -> Parts<Vec<u8>> {
    Box::pin(futures_util::stream::iter([Ok(bytes)]))
}
