//! The value of `__private::Declaration`: the plan as data, and its bindings.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::LitStr;
use syn::spanned::Spanned;

use super::names::local;
use crate::model::{Binary, Model};

pub(super) fn declaration(runtime: &TokenStream, model: &Model) -> TokenStream {
    let plan = serde_json::to_string(&model.plan)
        .unwrap_or_else(|error| unreachable!("a plan is always representable: {error}"));
    let binaries = model.bindings.binaries.iter().map(binary);
    let files = model.bindings.files.iter().map(|path| {
        let relative = LitStr::new(&path.value, path.span);
        quote!(::core::include_bytes!(
            ::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #relative)
        ))
    });
    let hooks = model.bindings.hooks.iter().map(|path| hook(runtime, path));
    let keys = model.bindings.keys.iter().map(key);
    let package = package(runtime, model);
    quote! {
        #runtime::__private::Declaration {
            plan: #plan,
            file: ::core::file!(),
            position: (::core::line!(), ::core::column!()),
            module: ::core::module_path!(),
            package: #package,
            binaries: &[#(#binaries),*],
            files: &[#(#files),*],
            hooks: &[#(#hooks),*],
            keys: const { &[#(#keys),*] },
        }
    }
}

/// The path of a binary. Cargo tells the compiler those of the package alone: one of another package is built when it is needed.
fn binary(binary: &Binary) -> TokenStream {
    match &binary.package {
        Some(_) => quote!(""),
        None => {
            let variable = format!("CARGO_BIN_EXE_{}", binary.name);
            quote!(::core::env!(#variable))
        }
    }
}

/// The value of `__private::Package`.
pub(super) fn package(runtime: &TokenStream, model: &Model) -> TokenStream {
    let in_workspace = &model.in_workspace;
    quote! {
        #runtime::__private::Package {
            name: ::core::env!("CARGO_PKG_NAME"),
            directory: ::core::env!("CARGO_MANIFEST_DIR"),
            in_workspace: #in_workspace,
        }
    }
}

/// A setup's key, which must be a constant. Each has its own type annotation, so that the compiler reports every mismatch
/// rather than the first.
fn key(key: &syn::Expr) -> TokenStream {
    let ours = Span::mixed_site().located_at(key.span());
    let text = local("key", key.span());
    quote_spanned! {ours=>
        {
            let #text: &'static ::core::primitive::str = #key;
            #text
        }
    }
}

/// A closure that calls the user's function at `path`. A mismatched type is reported at `path`. All other names are those
/// of the generated code: they cannot shadow the user's, and lints ignore them.
fn hook(runtime: &TokenStream, path: &syn::Path) -> TokenStream {
    let ours = Span::mixed_site().located_at(path.span());
    let service = local("service", path.span());
    let outcome = local("outcome", path.span());
    let error = local("error", path.span());
    let call = quote_spanned! {ours=>
        let #outcome: ::core::result::Result<(), _> = #path(&#service).await;
    };
    let text = quote_spanned! {ours=>
        match #outcome {
            ::core::result::Result::Ok(()) => ::core::result::Result::Ok(()),
            ::core::result::Result::Err(#error) => {
                ::core::result::Result::Err((&&#runtime::__private::Failure::new(#error)).failure_text())
            }
        }
    };
    quote! {
        |#service| ::std::boxed::Box::pin(async move {
            use #runtime::__private::{FailureByDisplay as _, FailureByError as _, FailureOfAnotherType as _};
            #call
            #text
        })
    }
}
