//! Rules about the function under `#[seatrial::test]`.

use quote::ToTokens;
use syn::{FnArg, Safety, Type};

use crate::message;
use crate::parse::Function;
use crate::report::Report;

pub(super) fn check_no_receiver(function: &Function, report: &mut Report) {
    if let Some(receiver) = function.signature.receiver() {
        report.error_on(
            receiver,
            "a test cannot take `self`; write a function outside of `impl`, with what it needs as parameters",
        );
    }
}

/// A type written `impl Trait` is a generic parameter, too.
pub(super) fn check_not_generic(function: &Function, report: &mut Report) {
    let message = "a test cannot have generic parameters; write concrete types";
    let signature = &function.signature;
    if !signature.generics.params.is_empty() {
        report.error_on(&signature.generics.params, message);
    }
    for input in &signature.inputs {
        if let FnArg::Typed(parameter) = input
            && let Type::ImplTrait(ty) = &*parameter.ty
        {
            report.error_on(ty, message);
        }
    }
}

pub(super) fn check_no_qualifiers(function: &Function, report: &mut Report) {
    let signature = &function.signature;
    let safety: Option<&dyn ToTokens> = match &signature.safety {
        Safety::Safe(token) => Some(token),
        Safety::Unsafe(token) => Some(token),
        Safety::Default => None,
    };
    let qualifiers: [(&str, Option<&dyn ToTokens>); 4] = [
        (
            "const",
            signature.constness.as_ref().map(|token| token as _),
        ),
        ("unsafe", safety),
        ("extern", signature.abi.as_ref().map(|token| token as _)),
        (
            "variadic",
            signature.variadic.as_ref().map(|token| token as _),
        ),
    ];
    for (name, token) in qualifiers {
        if let Some(token) = token {
            report.error_on(
                token,
                format!("a test cannot be `{name}`; write `fn` or `async fn`"),
            );
        }
    }
}

/// Two test attributes would make two tests of one function.
pub(super) fn check_no_other_test_attribute(function: &Function, report: &mut Report) {
    for attribute in &function.attributes {
        let last = attribute.path().segments.last();
        if last.is_some_and(|segment| segment.ident == "test") {
            report.error_on(
                attribute,
                "duplicate test attribute: `#[seatrial::test]` makes the test; remove this one",
            );
        }
    }
}

pub(super) fn check_runtime_has_async(function: &Function, report: &mut Report) {
    if let (Some(runtime), None) = (&function.options.runtime, &function.signature.asyncness) {
        report.error(
            runtime.span,
            message::misplaced(
                "runtime",
                "an `async fn`",
                "write `async fn`, or remove `runtime`",
            ),
        );
    }
}
