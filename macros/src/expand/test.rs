//! The ordinary `#[test]` that a test function becomes.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Meta, ReturnType, Type};

use super::declaration::{declaration, package};
use super::names::{local, of_composition, runtime, runtime_at};
use crate::model::Model;
use crate::parse::{Conditional, Function, Instances, Parameter, Runtime};

pub(crate) fn test(function: &Function, model: &Model) -> TokenStream {
    let runtime = runtime(&model.declaration.settings);
    let Function {
        attributes,
        visibility,
        signature,
        body,
        ..
    } = function;
    let name = &signature.ident;
    let launches = local("launches", Span::mixed_site());
    let ready = local("ready", Span::mixed_site());

    let info = info(function, model, &runtime);
    let compositions = function
        .parameters
        .iter()
        .filter_map(|parameter| match parameter {
            Parameter::Composition(ty, Instances::AsDeclared) => {
                Some(of_composition("composition", ty))
            }
            Parameter::Composition(ty, Instances::Own) => {
                Some(of_composition("own_composition", ty))
            }
            Parameter::Service(_) | Parameter::Job(_) => None,
        });
    let parameters = (!model.plan.services.is_empty()).then(|| {
        let declaration = declaration(&runtime, model);
        quote!(#launches.parameters(#declaration);)
    });
    let arguments = arguments(function, &ready);
    let binding = if arguments.is_empty() {
        quote!(_)
    } else {
        quote!(mut #ready)
    };
    let mutable = (!arguments.is_empty()).then(|| quote!(mut));
    let run = if signature.asyncness.is_some() {
        quote! {
            #runtime::__private::run_async(#launches, |#binding| async move {
                #name(#(#arguments),*).await
            })
        }
    } else {
        quote!(#runtime::__private::run(#launches, |#binding| #name(#(#arguments),*)))
    };
    let (output, end) = if returns_nothing(&signature.output) {
        (None, Some(quote!(;)))
    } else {
        (Some(quote!(-> ::std::process::ExitCode)), None)
    };
    quote! {
        #[::core::prelude::v1::test]
        #(#attributes)*
        #visibility fn #name() #output {
            #signature #body

            let #mutable #launches = #runtime::__private::Launches::new(#info);
            #(#launches.#compositions();)*
            #parameters
            #run #end
        }
    }
}

/// Both versions of a test that depends on a condition. This macro expands each as a test of its own, and the compiler
/// drops one of them first.
pub(crate) fn versions(attribute: &TokenStream, test: &Conditional) -> TokenStream {
    let runtime = runtime_at(test.runtime_crate.as_ref());
    let Conditional {
        condition,
        holds,
        fails,
        ..
    } = test;
    quote! {
        #[cfg(#condition)]
        #[#runtime::test(#attribute)]
        #holds

        #[cfg(not(#condition))]
        #[#runtime::test(#attribute)]
        #fails
    }
}

/// The value of `__private::Test`.
fn info(function: &Function, model: &Model, runtime: &TokenStream) -> TokenStream {
    let name = syn::ext::IdentExt::unraw(&function.signature.ident).to_string();
    let timeout = match function.options.timeout {
        Some(timeout) => {
            let micros = u64::try_from(timeout.as_micros()).unwrap_or(u64::MAX);
            quote!(::core::option::Option::Some(::core::time::Duration::from_micros(#micros)))
        }
        None => quote!(::core::option::Option::None),
    };
    let multi_thread = matches!(
        &function.options.runtime,
        Some(runtime) if runtime.value == Runtime::MultiThread
    );
    let should_panic = should_panic(&function.attributes);
    let package = package(runtime, model);
    quote! {
        #runtime::__private::Test {
            name: ::core::concat!(::core::module_path!(), "::", #name),
            timeout: #timeout,
            multi_thread: #multi_thread,
            should_panic: #should_panic,
            package: #package,
        }
    }
}

/// The arguments of the call. The compositions are the first launches, in their order; all services declared
/// on parameters are the last one.
fn arguments(function: &Function, ready: &Ident) -> Vec<TokenStream> {
    let compositions = function
        .parameters
        .iter()
        .filter(|parameter| matches!(parameter, Parameter::Composition(..)))
        .count();
    let mut launch = 0usize..;
    let mut position = 0usize..;
    function
        .parameters
        .iter()
        .map(|parameter| match parameter {
            Parameter::Composition(ty, _) => {
                let launch = launch.next();
                let take = of_composition("composition", ty);
                quote!(#ready.#take(#launch))
            }
            Parameter::Service(ty) => {
                let position = position.next();
                let take = quote_spanned!(ty.span()=> parameter::<#ty>);
                quote!(#ready.#take(#compositions, #position))
            }
            Parameter::Job(ty) => {
                let position = position.next();
                let take = quote_spanned!(ty.span()=> job_parameter::<#ty>);
                quote!(#ready.#take(#compositions, #position))
            }
        })
        .collect()
}

/// Whether the test should panic, as an expression: `cfg_attr` conditions are evaluated after this macro.
fn should_panic(attributes: &[Attribute]) -> TokenStream {
    let conditions = attributes.iter().filter_map(|attribute| {
        if attribute.path().is_ident("should_panic") {
            return Some(quote!(true));
        }
        let Meta::List(list) = &attribute.meta else {
            return None;
        };
        if !list.path.is_ident("cfg_attr") {
            return None;
        }
        let metas = list
            .parse_args_with(syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated)
            .ok()?;
        let mut metas = metas.into_iter();
        let condition = metas.next()?;
        metas
            .any(|meta| meta.path().is_ident("should_panic"))
            .then(|| quote!(::core::cfg!(#condition)))
    });
    let conditions: Vec<TokenStream> = conditions.collect();
    if conditions.is_empty() {
        quote!(false)
    } else {
        quote!(#(#conditions)||*)
    }
}

fn returns_nothing(output: &ReturnType) -> bool {
    match output {
        ReturnType::Default => true,
        ReturnType::Type(_, ty) => matches!(&**ty, Type::Tuple(tuple) if tuple.elems.is_empty()),
    }
}
