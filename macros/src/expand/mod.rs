//! Expansion: a checked model in, tokens out. Cannot fail and decides nothing.
//!
//! Every path in the tokens is absolute, and everything of Seatrial's goes through `__private` or a public trait. What
//! the user wrote is blamed for what the compiler finds in it.

mod completion;
mod composition;
mod declaration;
mod test;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

pub(crate) use completion::completions;
pub(crate) use composition::{composition, stand_in};
pub(crate) use test::{function_alone, test, versions};

use crate::syntax::Settings;

/// The name of a local variable of ours. A pattern that is a single name means a constant of that name where the user has
/// one, whatever the name's span; so it is one that nobody has.
fn local(name: &str, location: Span) -> Ident {
    let ours = Span::mixed_site().located_at(location);
    Ident::new(&format!("__seatrial_{name}"), ours)
}

/// The runtime crate, as the user's crate calls it.
fn runtime(settings: &Settings) -> TokenStream {
    runtime_at(settings.runtime_crate.as_ref())
}

fn runtime_at(path: Option<&syn::Path>) -> TokenStream {
    match path {
        Some(path) => quote!(#path),
        None => quote!(::seatrial),
    }
}
