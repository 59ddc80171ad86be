//! The report: all mistakes of one declaration, so that one compilation shows all of them.
//!
//! The only place that makes compile errors. A report must not be dropped without [`Report::finish`]: it panics, as its
//! mistakes would be lost.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The mistakes found so far. A stage that finds one records it and goes on.
#[derive(Debug)]
pub(crate) struct Report {
    /// `None` once the report is finished.
    mistakes: Option<Vec<syn::Error>>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self {
            mistakes: Some(Vec::new()),
        }
    }

    /// Records a mistake on one token.
    pub(crate) fn error(&mut self, span: Span, message: impl Display) {
        self.record(syn::Error::new(span, message));
    }

    /// Records a mistake on all tokens of a piece of syntax.
    pub(crate) fn error_on(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.record(syn::Error::new_spanned(tokens, message));
    }

    /// Records an error of the parser of Rust's syntax.
    pub(crate) fn record(&mut self, error: syn::Error) {
        if let Some(mistakes) = &mut self.mistakes {
            mistakes.push(error);
        }
    }

    /// Ends the report.
    ///
    /// # Errors
    ///
    /// The mistakes, if there are any.
    pub(crate) fn finish(mut self) -> Result<(), Mistakes> {
        match self.mistakes.take() {
            Some(mistakes) if !mistakes.is_empty() => Err(Mistakes(mistakes)),
            _ => Ok(()),
        }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if self.mistakes.is_some() && !std::thread::panicking() {
            panic!("a report was dropped without `finish`; its mistakes would be lost");
        }
    }
}

/// At least one mistake.
#[derive(Debug)]
pub(crate) struct Mistakes(Vec<syn::Error>);

impl Mistakes {
    /// The messages, in the order in which the mistakes were found.
    #[cfg(test)]
    pub(crate) fn messages(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

/// One `compile_error!` for each mistake.
impl ToTokens for Mistakes {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        for mistake in &self.0 {
            tokens.extend(mistake.to_compile_error());
        }
    }
}
