//! The stages of each macro. All stages see the whole declaration, then the report decides: the checked model is
//! expanded, or the mistakes are emitted together with a stand-in that keeps the rest of the user's code compiling.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::environment::Environment;
use crate::report::Report;
use crate::{check, expand, model, parse};

/// `#[derive(Composition)]`. The output does not have the struct itself.
pub(crate) fn composition(item: TokenStream, environment: &Environment) -> TokenStream {
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let completions = environment
        .is_editor
        .then(|| expand::completions(&parse::completions_of_struct(&input)));
    let mut report = Report::new();
    let structure = parse::structure(&input, &mut report);
    let model = model::model(structure.declaration, environment, &mut report);
    check::services(&model, environment, &mut report);
    let implementation = match report.finish() {
        Ok(()) => expand::composition(&input.ident, &structure.types, &model),
        Err(mistakes) => {
            let stand_in = expand::stand_in::composition(&input, &structure.types, &model);
            quote!(#mistakes #stand_in)
        }
    };
    quote!(#completions #implementation)
}

/// `#[seatrial::test(..)]`. The output has the function.
pub(crate) fn test(
    attribute: TokenStream,
    item: TokenStream,
    environment: &Environment,
) -> TokenStream {
    if let Some(test) = parse::conditional(&attribute, &item) {
        return expand::versions(&attribute, &test);
    }
    let completions = environment
        .is_editor
        .then(|| expand::completions(&parse::completions_of_test(&attribute, &item)));
    let mut report = Report::new();
    let Some((function, declaration)) = parse::function(attribute, item.clone(), &mut report)
    else {
        return match report.finish() {
            Ok(()) => item,
            Err(mistakes) => quote!(#mistakes #item),
        };
    };
    check::function(&function, &mut report);
    let model = model::model(declaration, environment, &mut report);
    check::services(&model, environment, &mut report);
    let test = match report.finish() {
        Ok(()) => expand::test(&function, &model),
        Err(mistakes) => {
            let function = expand::stand_in::function(&function, &model);
            quote!(#mistakes #function)
        }
    };
    quote!(#completions #test)
}
