//! Completion of our attributes in editors. An editor expands the macro with a marker at the cursor, and completes the
//! marker where it occurs in the output. So each word of the user is emitted in an import from a module that has all valid words.
//! The compiler never sees this output.
//!
//! The editor expands the macro with the marker and without, and finds the marker's place by the tokens before it. So this
//! output comes first, and has every place, even those without words.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::Ident;

use crate::parse::Completion;

pub(crate) fn completions(completions: &[Completion]) -> TokenStream {
    let modules = completions.iter().enumerate().map(|(number, completion)| {
        let choices = completion.choices.iter().filter_map(|choice| {
            let word = ident(&choice.word)?;
            let documentation = &choice.documentation;
            Some(quote! {
                #[doc = #documentation]
                pub const #word: () = ();
            })
        });
        // A keyword cannot be imported.
        let written = completion.written.iter();
        let written = written.filter(|word| ident(&word.to_string()).is_some());
        let module = format_ident!("words_{number}");
        let place = format_ident!("place_{number}");
        quote! {
            mod #module {
                #(#choices)*
            }
            mod #place {
                // In two steps, as a single one would also offer `self` and `super`.
                use super::#module::*;
                use self::{#(#written as _),*};
            }
        }
    });
    quote! {
        #[cfg(rust_analyzer)]
        const _: () = {
            mod __seatrial_completion {
                #(#modules)*
            }
        };
    }
}

fn ident(word: &str) -> Option<Ident> {
    let mut ident: Ident = syn::parse_str(word).ok()?;
    ident.set_span(Span::call_site());
    Some(ident)
}
