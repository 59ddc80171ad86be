//! The report: every mistake of one declaration, gathered so that all of them leave in one compilation.
//!
//! It is the only place where compile errors are made. It must never be forgotten: a report that is dropped without
//! [`Report::finish`] panics, or a mistake that was found would be lost.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// Mistakes found so far. Whoever finds one records it and goes on.
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

    /// Records what the parser of Rust's own syntax found.
    pub(crate) fn record(&mut self, error: syn::Error) {
        if let Some(mistakes) = &mut self.mistakes {
            mistakes.push(error);
        }
    }

    /// Ends the report.
    ///
    /// # Errors
    ///
    /// The mistakes, where there are any.
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
