//! `#[cfg(..)]` and `#[cfg_attr(..)]` on the parameters of a test. The compiler evaluates them only after this macro,
//! whose output mentions each parameter in several places. So for each condition the macro emits two versions of the
//! test, with the parameter and without it, and the compiler keeps one.

use proc_macro2::{TokenStream, TokenTree};
use quote::{TokenStreamExt, quote};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, FnArg, Meta, PatType, Token};

use super::function::{self, Parts};

/// A test with a parameter that depends on a condition.
pub(crate) struct Conditional {
    /// The condition in `cfg(..)`.
    pub(crate) condition: TokenStream,
    /// The function if the condition holds, without that `cfg`.
    pub(crate) holds: TokenStream,
    /// The function if it does not hold.
    pub(crate) fails: TokenStream,
    /// The path of the runtime crate that the test gives.
    pub(crate) runtime_crate: Option<syn::Path>,
}

/// Finds the first condition on a parameter. A malformed one stays in place: the compiler refuses it.
pub(crate) fn conditional(attribute: &TokenStream, item: &TokenStream) -> Option<Conditional> {
    let parts = function::split.parse2(item.clone()).ok()?;
    let mut inputs = parts.signature.inputs.iter().enumerate();
    let (position, [holds, fails], condition) = inputs.find_map(|(position, input)| {
        let FnArg::Typed(parameter) = input else {
            return None;
        };
        let (versions, condition) = versions(parameter)?;
        Some((position, versions, condition))
    })?;
    Some(Conditional {
        condition,
        holds: with_parameter(&parts, position, holds),
        fails: with_parameter(&parts, position, fails),
        runtime_crate: function::runtime_crate_of(attribute.clone()),
    })
}

/// The parameter if its first condition holds, the parameter if it does not, and the condition.
fn versions(parameter: &PatType) -> Option<([Option<PatType>; 2], TokenStream)> {
    let mut attributes = parameter.attrs.iter().enumerate();
    attributes.find_map(|(at, attribute)| {
        let (condition, dependent) = condition(attribute)?;
        let is_of_parameter = dependent.is_none();
        let mut holds = parameter.clone();
        holds.attrs.splice(at..=at, dependent.into_iter().flatten());
        let mut fails = parameter.clone();
        fails.attrs.remove(at);
        Some((
            [Some(holds), (!is_of_parameter).then_some(fails)],
            condition,
        ))
    })
}

/// The condition in an attribute, and for a `cfg_attr` the attributes that depend on it.
fn condition(attribute: &Attribute) -> Option<(TokenStream, Option<Vec<Attribute>>)> {
    let Meta::List(list) = &attribute.meta else {
        return None;
    };
    if list.path.is_ident("cfg") {
        return Some((list.tokens.clone(), None));
    }
    if !list.path.is_ident("cfg_attr") {
        return None;
    }
    let (condition, attributes) = condition_and_attributes.parse2(list.tokens.clone()).ok()?;
    Some((condition, Some(attributes)))
}

fn condition_and_attributes(input: ParseStream<'_>) -> syn::Result<(TokenStream, Vec<Attribute>)> {
    let mut condition = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        condition.append(input.parse::<TokenTree>()?);
    }
    input.parse::<Token![,]>()?;
    let metas = Punctuated::<Meta, Token![,]>::parse_terminated(input)?.into_iter();
    let attributes = Attribute::parse_outer.parse2(quote!(#(#[#metas])*))?;
    Ok((condition, attributes))
}

/// The function with another parameter at `position`, or without it.
fn with_parameter(parts: &Parts, position: usize, parameter: Option<PatType>) -> TokenStream {
    let Parts {
        attributes,
        visibility,
        signature,
        body,
    } = parts;
    let mut signature = signature.clone();
    let inputs = signature.inputs.into_iter().enumerate();
    signature.inputs = inputs
        .filter_map(|(index, input)| {
            if index == position {
                parameter.clone().map(FnArg::Typed)
            } else {
                Some(input)
            }
        })
        .collect();
    quote!(#(#attributes)* #visibility #signature #body)
}
