//! The `Composition` impl of a struct.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Ident, Type};

use super::declaration::declaration;
use super::names::{local, runtime, take_next};
use crate::model::Model;

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
            let next = take_next(&runtime, ty, service.job.is_some());
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
                #services: &mut dyn ::core::iter::Iterator<Item = #runtime::__private::Member>,
            ) -> Self {
                let #composition = Self { #(#fields),* };
                // A service that only other services use is not dead code.
                let _ = (#(&#composition.#names,)*);
                #composition
            }
        }
    }
}
