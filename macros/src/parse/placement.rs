//! Attributes of ours in places where they have no effect. The compiler ignores a derive's attributes wherever they
//! stand, so a misplaced one is refused here.

use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

use super::{service, settings};
use crate::message;
use crate::report::Report;

/// Refuses attributes of fields. Returns whether there were any.
pub(super) fn on_struct(attributes: &[Attribute], report: &mut Report) -> bool {
    let mut found = false;
    for attribute in attributes.iter().filter(|attribute| is_job(attribute)) {
        found = true;
        let instead = "move it above the field of that job";
        report.error_on(
            attribute,
            message::misplaced("#[job(..)]", "a field", instead),
        );
    }
    for attribute in attributes.iter().filter(|attribute| is_service(attribute)) {
        found = true;
        let instead = match settings_in(attribute) {
            Some(keys) => format!("write `#[composition({keys})]` here instead"),
            None => "move it above the field of that service".to_owned(),
        };
        report.error_on(
            attribute,
            message::misplaced("#[service(..)]", "a field", &instead),
        );
    }
    found
}

/// Refuses attributes of the struct. Returns whether there were any.
pub(super) fn on_field(attributes: &[Attribute], report: &mut Report) -> bool {
    let declares = attributes
        .iter()
        .find(|attribute| is_declaration(attribute));
    let declares = declares.map(|attribute| attribute.path().to_token_stream().to_string());
    let mut found = false;
    for attribute in attributes
        .iter()
        .filter(|attribute| is_composition(attribute))
    {
        found = true;
        let instead = match settings_in(attribute) {
            Some(keys) => match &declares {
                Some(name) => format!("write `{keys}` in this field's `#[{name}(..)]`"),
                None => format!("write `#[service(image = \"name:tag\", {keys})]` instead"),
            },
            None if declares.is_some() => "move it above the struct".to_owned(),
            None => format!("declare a service with `{}`", service::FORM),
        };
        report.error_on(
            attribute,
            message::misplaced("#[composition(..)]", "the struct", &instead),
        );
    }
    found
}

/// Removes attributes of parameters from the function, and refuses them.
pub(super) fn on_function(attributes: &mut Vec<Attribute>, report: &mut Report) {
    attributes.retain(|attribute| {
        let instead = if is_service(attribute) {
            "write it on a parameter, such as `#[service(image = \"redis:7\", port = 6379)] cache: Service`"
        } else if is_job(attribute) {
            "write it on a parameter, such as `#[job(image = \"node:20\", run = \"npm test\")] e2e: Job`"
        } else if is_composition(attribute) {
            "write it on the parameter whose type is the composition, or on the struct"
        } else {
            return true;
        };
        let name = attribute.path().to_token_stream();
        report.error_on(
            attribute,
            format!("`#[{name}(..)]` is not valid on a function; {instead}"),
        );
        false
    });
}

pub(super) fn is_service(attribute: &Attribute) -> bool {
    attribute.path().is_ident("service")
}

pub(super) fn is_job(attribute: &Attribute) -> bool {
    attribute.path().is_ident("job")
}

/// Whether it declares a service or a job.
pub(super) fn is_declaration(attribute: &Attribute) -> bool {
    is_service(attribute) || is_job(attribute)
}

pub(super) fn is_composition(attribute: &Attribute) -> bool {
    attribute.path().is_ident("composition")
}

/// The content of an attribute whose keys are all shared by services and compositions.
fn settings_in(attribute: &Attribute) -> Option<String> {
    let list = attribute.meta.require_list().ok()?;
    let metas = list
        .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
        .ok()?;
    let in_common = |meta: &Meta| {
        let name = meta.path().get_ident().map(ToString::to_string);
        name.is_some_and(|name| settings::is_of_services(&name))
    };
    let written = metas.iter().map(|meta| meta.to_token_stream().to_string());
    (!metas.is_empty() && metas.iter().all(in_common))
        .then(|| written.collect::<Vec<_>>().join(", "))
}
