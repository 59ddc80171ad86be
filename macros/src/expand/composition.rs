//! The `Composition` impl of a struct.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Ident, Type};

use super::declaration::declaration;
use super::names::{local, runtime};
use crate::model::Model;
use crate::syntax::Settings;

pub(crate) fn composition(ident: &Ident, types: &[Type], model: &Model) -> TokenStream {
    let runtime = runtime(&model.declaration.settings);
    let declaration = declaration(&runtime, model);
    let services = local("services", Span::mixed_site());
    let composition = local("composition", Span::mixed_site());
    let fields = model
        .declaration
        .services
        .iter()
        .zip(types)
        .map(|(service, ty)| {
            let field = &service.ident;
            // The error about a field's type points at the type.
            let next = quote_spanned!(ty.span()=> #runtime::__private::next_service::<#ty>);
            quote!(#field: #next(#services))
        });
    let names = model
        .declaration
        .services
        .iter()
        .map(|service| &service.ident);
    quote! {
        #[automatically_derived]
        impl #runtime::Composition for #ident {
            fn __declaration() -> #runtime::__private::Declaration {
                #declaration
            }

            fn __from_services(
                #services: &mut dyn ::core::iter::Iterator<Item = #runtime::Service>,
            ) -> Self {
                let #composition = Self { #(#fields),* };
                // A service that only other services use is not dead code.
                let _ = (#(&#composition.#names,)*);
                #composition
            }
        }
    }
}

/// An impl for a type whose declaration has mistakes, so that functions that take the type cause no further errors. It
/// never runs: no crate with it compiles.
pub(crate) fn stand_in(input: &DeriveInput, settings: &Settings) -> TokenStream {
    let runtime = runtime(settings);
    let ident = &input.ident;
    let (parameters, arguments, clause) = input.generics.split_for_impl();
    // Parameters of a type that should have none may keep it from being `Send` or `'static`.
    let predicates = clause.map(|clause| clause.predicates.iter());
    let predicates = predicates.into_iter().flatten();
    let clause = (!input.generics.params.is_empty())
        .then(|| quote!(where Self: ::core::marker::Send + 'static, #(#predicates),*));
    quote! {
        #[automatically_derived]
        impl #parameters #runtime::Composition for #ident #arguments #clause {
            fn __declaration() -> #runtime::__private::Declaration {
                ::core::unreachable!("its declaration does not compile")
            }

            fn __from_services(
                _: &mut dyn ::core::iter::Iterator<Item = #runtime::Service>,
            ) -> Self {
                ::core::unreachable!("its declaration does not compile")
            }
        }
    }
}
