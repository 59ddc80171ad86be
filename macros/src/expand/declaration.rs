//! The value of `__private::Declaration`: the plan as data, and what it binds.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::LitStr;
use syn::spanned::Spanned;

use crate::model::Model;

pub(super) fn declaration(runtime: &TokenStream, model: &Model) -> TokenStream {
    let plan = serde_json::to_string(&model.plan)
        .unwrap_or_else(|error| unreachable!("a plan is always representable: {error}"));
    let binaries = model.bindings.binaries.iter().map(|name| {
        let variable = format!("CARGO_BIN_EXE_{name}");
        quote!(::core::env!(#variable))
    });
    let files = model.bindings.files.iter().map(|path| {
        let relative = LitStr::new(&path.value, path.span);
        quote!(::core::include_bytes!(
            ::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #relative)
        ))
    });
    let hooks = model.bindings.hooks.iter().map(|path| {
        // A function of another type is the user's mistake; what is done with its outcome is not.
        let call = quote_spanned! {path.span()=>
            let outcome: ::core::result::Result<(), _> = #path(&service).await;
        };
        let outcome = quote_spanned!(path.span()=> outcome);
        quote! {
            |service| ::std::boxed::Box::pin(async move {
                #call
                #outcome.map_err(
                    ::core::convert::Into::<
                        ::std::boxed::Box<
                            dyn ::std::error::Error + ::core::marker::Send + ::core::marker::Sync,
                        >,
                    >::into,
                )
            })
        }
    });
    quote! {
        #runtime::__private::Declaration {
            plan: #plan,
            file: ::core::file!(),
            position: (::core::line!(), ::core::column!()),
            module: ::core::module_path!(),
            package: ::core::env!("CARGO_PKG_NAME"),
            manifest_dir: ::core::env!("CARGO_MANIFEST_DIR"),
            binaries: &[#(#binaries),*],
            files: &[#(#files),*],
            hooks: &[#(#hooks),*],
        }
    }
}
