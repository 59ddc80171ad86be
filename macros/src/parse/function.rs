//! The function under `#[seatrial::test(..)]`. Its body is passed on unread.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, FnArg, Signature, Visibility};

use super::arguments::{self, Argument};
use super::habits;
use super::keys::{self, Key, Table};
use super::parameter::{self, Parameter};
use super::placement;
use super::settings::CRATE_FORM;
use super::values;
use crate::message;
use crate::report::Report;
use crate::syntax::{Declaration, Settings, Spanned};

pub(super) const TABLE: Table<Given> = Table {
    place: "`#[seatrial::test(..)]`",
    keys: KEYS,
    habits: habits::OF_TESTS,
};

const KEYS: &[Key<Given>] = &[
    Key::once("timeout", "timeout = \"30s\"", timeout),
    Key::once("runtime", "runtime = \"multi_thread\"", runtime),
    Key::once("crate", CRATE_FORM, runtime_crate),
    Key::once("image", "#[seatrial::test]", image).planned(),
];

/// A test function.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    /// Without our attributes on its parameters.
    pub(crate) signature: Signature,
    /// The body, braces included.
    pub(crate) body: TokenStream,
    pub(crate) options: Options,
    /// In the function's order.
    pub(crate) parameters: Vec<Parameter>,
}

/// The options in `#[seatrial::test(..)]`.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) timeout: Option<Duration>,
    pub(crate) runtime: Option<Spanned<Runtime>>,
}

/// Which kind of tokio runtime an async test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runtime {
    CurrentThread,
    MultiThread,
}

/// Reads the attribute and the function, and the services among its parameters. `None` if the item is not a function.
pub(crate) fn function(
    attribute: TokenStream,
    item: TokenStream,
    report: &mut Report,
) -> Option<(Function, Declaration)> {
    let mut given = Given::default();
    let arguments = arguments::arguments(attribute, report);
    keys::read(&mut given, &arguments, &TABLE, report);
    let Ok(parts) = split.parse2(item.clone()) else {
        report.error_on(
            item.into_iter().next(),
            message::misplaced(
                "#[seatrial::test]",
                "a function",
                "write it above an `fn` or `async fn` with a body",
            ),
        );
        return None;
    };
    let Parts {
        mut attributes,
        visibility,
        mut signature,
        body,
    } = parts;
    placement::on_function(&mut attributes, report);
    let mut services = Vec::new();
    let mut parameters = Vec::new();
    for input in &mut signature.inputs {
        // A receiver is refused with the rest of the signature.
        if let FnArg::Typed(parameter) = input {
            parameters.push(parameter::parameter(parameter, &mut services, report));
        }
    }
    let declaration = Declaration {
        name: signature.ident.to_string(),
        settings: Settings {
            runtime_crate: given.runtime_crate,
            ..Settings::default()
        },
        services,
    };
    let function = Function {
        attributes,
        visibility,
        signature,
        body,
        options: given.options,
        parameters,
    };
    Some((function, declaration))
}

/// The parts of a function, its body unread.
pub(super) struct Parts {
    pub(super) attributes: Vec<Attribute>,
    pub(super) visibility: Visibility,
    pub(super) signature: Signature,
    pub(super) body: TokenStream,
}

pub(super) fn split(input: ParseStream<'_>) -> syn::Result<Parts> {
    let attributes = input.call(Attribute::parse_outer)?;
    let visibility = input.parse()?;
    let signature = input.parse()?;
    if !input.peek(syn::token::Brace) {
        return Err(input.error("no body"));
    }
    Ok(Parts {
        attributes,
        visibility,
        signature,
        body: input.parse()?,
    })
}

/// The runtime crate that a test's attribute names. Errors in it are reported when the whole test is parsed.
pub(super) fn runtime_crate_of(attribute: TokenStream) -> Option<syn::Path> {
    let mut unread = Report::new();
    let mut given = Given::default();
    let arguments = arguments::arguments(attribute, &mut unread);
    keys::read(&mut given, &arguments, &TABLE, &mut unread);
    let _ = unread.finish();
    given.runtime_crate
}

#[derive(Default)]
pub(super) struct Given {
    options: Options,
    runtime_crate: Option<syn::Path>,
}

fn timeout(given: &mut Given, argument: &Argument, report: &mut Report) -> Option<()> {
    let literal = argument.expr().and_then(values::string)?;
    given.options.timeout = values::time(literal, report);
    Some(())
}

fn runtime(given: &mut Given, argument: &Argument, report: &mut Report) -> Option<()> {
    let literal = argument.expr().and_then(values::string)?;
    let runtime = match literal.value().as_str() {
        "current_thread" => Runtime::CurrentThread,
        "multi_thread" => Runtime::MultiThread,
        other => {
            let known = ["current_thread", "multi_thread"];
            report.error(
                literal.span(),
                message::unknown_value(other, "runtime", &known),
            );
            return Some(());
        }
    };
    given.options.runtime = Some(Spanned::new(runtime, argument.span()));
    Some(())
}

fn runtime_crate(given: &mut Given, argument: &Argument, _: &mut Report) -> Option<()> {
    given.runtime_crate = Some(argument.expr().and_then(values::path)?.clone());
    Some(())
}

fn image(_: &mut Given, argument: &Argument, report: &mut Report) -> Option<()> {
    report.error(
        argument.span(),
        message::unsupported(
            "`image` on a test",
            "remove it, and run what needs an image in a service, with its handle's `exec`",
        ),
    );
    Some(())
}

/// The tokens of the function as the user wrote it, without our attributes.
impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        for attribute in &self.attributes {
            attribute.to_tokens(tokens);
        }
        self.visibility.to_tokens(tokens);
        self.signature.to_tokens(tokens);
        self.body.to_tokens(tokens);
    }
}
