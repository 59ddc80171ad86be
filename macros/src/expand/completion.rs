//! What makes an editor complete the words of our attributes, which it knows nothing of. It expands the macro with a word of
//! its own at the cursor, and looks what could stand where that word comes out: in an import from a module that has all
//! words that are possible. The compiler never sees any of it.
//!
//! The editor finds the place of its word by what stands before it, with that word and without. So this part of the output
//! comes first, and has every place, whether there are words or not.

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
                // In two steps, or `self` and `super` would be offered, too.
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
