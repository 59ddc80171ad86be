//! Names in the generated code: its local variables and the path of the runtime crate. Must not collide with the user's.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::syntax::{Settings, is_named};

/// A local variable of the generated code. A pattern of a single name refers to the user's constant of that name, if there
/// is one, whatever its span; so the name has a prefix that users do not write.
pub(super) fn local(name: &str, location: Span) -> Ident {
    let ours = Span::mixed_site().located_at(location);
    Ident::new(&format!("__seatrial_{name}"), ours)
}

/// The path of the runtime crate in the user's crate.
pub(super) fn runtime(settings: &Settings) -> TokenStream {
    runtime_at(settings.runtime_crate.as_ref())
}

pub(super) fn runtime_at(path: Option<&syn::Path>) -> TokenStream {
    match path {
        Some(path) => quote!(#path),
        None => quote!(::seatrial),
    }
}

/// The function that makes a field's value of a service or job. The error about a type that is neither points at the type.
pub(super) fn take_next(runtime: &TokenStream, ty: &Type, is_job: bool) -> TokenStream {
    let function = Ident::new(if is_job { "next_job" } else { "next_service" }, ty.span());
    quote_spanned!(ty.span()=> #runtime::__private::#function::<#ty>)
}

/// The function of this name that a composition is launched or taken with. For a type that is written `Service` it is a
/// different one, as the error about a type that is not a composition is.
pub(super) fn of_composition(function: &str, ty: &Type) -> TokenStream {
    let suffix = if is_named(ty, "Service") {
        "_named_service"
    } else {
        ""
    };
    let function = Ident::new(&format!("{function}{suffix}"), ty.span());
    quote_spanned!(ty.span()=> #function::<#ty>)
}
