//! What is emitted beside mistakes: it keeps the rest of the user's code compiling, and has the compiler check the types
//! that the checked model's code would name, so that a wrong one is reported in the same pass. Never runs: no crate with
//! it compiles.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{DeriveInput, Type};

use super::names::{of_composition, runtime, take_next};
use crate::model::Model;
use crate::parse::{Function, Parameter};

/// An impl for a type whose declaration has mistakes, so that functions that take the type cause no further errors.
pub(crate) fn composition(input: &DeriveInput, types: &[Type], model: &Model) -> TokenStream {
    let runtime = runtime(&model.declaration.settings);
    let ident = &input.ident;
    let is_generic = !input.generics.params.is_empty();
    let (parameters, arguments, clause) = input.generics.split_for_impl();
    // Parameters of a type that should have none may keep it from being `Send` or `'static`.
    let predicates = clause.map(|clause| clause.predicates.iter());
    let predicates = predicates.into_iter().flatten();
    let clause =
        is_generic.then(|| quote!(where Self: ::core::marker::Send + 'static, #(#predicates),*));
    // A type that names a parameter says nothing, and a field without `#[service(..)]` may have any type.
    let services = model.declaration.services.iter().zip(types);
    let declared = services.filter(|(service, _)| !service.unreadable && !is_generic);
    let fields = declared.map(|(service, ty)| take_next(&runtime, ty, service.job.is_some()));
    quote! {
        #[automatically_derived]
        impl #parameters #runtime::Composition for #ident #arguments #clause {
            fn __declaration() -> #runtime::__private::Declaration {
                ::core::unreachable!("its declaration does not compile")
            }

            fn __from_services(
                _: &mut dyn ::core::iter::Iterator<Item = #runtime::__private::Member>,
            ) -> Self {
                #(let _ = #fields;)*
                ::core::unreachable!("its declaration does not compile")
            }
        }
    }
}

/// The function of a test that has mistakes.
pub(crate) fn function(function: &Function, model: &Model) -> Option<TokenStream> {
    // With `self` outside of an impl, the compiler would report a second error.
    function.signature.receiver().is_none().then(|| {
        let types = types(function, model);
        quote!(#function #types)
    })
}

/// The types of a test's parameters, as an item that names them.
fn types(function: &Function, model: &Model) -> Option<TokenStream> {
    let runtime = runtime(&model.declaration.settings);
    // A parameter of the function, and `impl Trait`, can be named in its signature only.
    let is_generic = !function.signature.generics.params.is_empty();
    let is_nameable = |ty: &Type| !mentions_impl(ty.to_token_stream());
    let types = function
        .parameters
        .iter()
        .filter_map(|parameter| match parameter {
            Parameter::Service(ty) => is_nameable(ty).then(|| take_next(&runtime, ty, false)),
            Parameter::Job(ty) => is_nameable(ty).then(|| take_next(&runtime, ty, true)),
            Parameter::Composition(ty, _) => is_nameable(ty).then(|| {
                let launch = of_composition("composition", ty);
                quote!(#runtime::__private::Launches::#launch)
            }),
        });
    let types: Vec<TokenStream> = types.collect();
    // Where the function does not exist, its types may not exist either.
    let attributes = function.attributes.iter();
    let conditions = attributes.filter(|attribute| attribute.path().is_ident("cfg"));
    (!types.is_empty() && !is_generic).then(|| {
        quote! {
            #(#conditions)*
            const _: fn() = || {
                #(let _ = #types;)*
            };
        }
    })
}

fn mentions_impl(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        proc_macro2::TokenTree::Ident(ident) => ident == "impl",
        proc_macro2::TokenTree::Group(group) => mentions_impl(group.stream()),
        proc_macro2::TokenTree::Punct(_) | proc_macro2::TokenTree::Literal(_) => false,
    })
}
