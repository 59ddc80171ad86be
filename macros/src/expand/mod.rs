//! Expansion: a checked model in, tokens out. Cannot fail and decides nothing.
//!
//! Every path in the tokens is absolute, and everything of Seatrial's goes through `__private` or a public trait. What
//! the user wrote is blamed for what the compiler finds in it.

mod composition;
mod declaration;
mod test;

use proc_macro2::TokenStream;
use quote::quote;

pub(crate) use composition::{composition, stand_in};
pub(crate) use test::{function_alone, test};

use crate::syntax::Settings;

/// The runtime crate, as the user's crate calls it.
fn runtime(settings: &Settings) -> TokenStream {
    match &settings.runtime_crate {
        Some(path) => quote!(#path),
        None => quote!(::seatrial),
    }
}
