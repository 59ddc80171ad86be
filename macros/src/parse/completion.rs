//! What an editor may offer while an attribute is being written: the words that stand there so far, by the place they
//! stand in, and the words that could. The declaration may be in any state; nothing here is a mistake.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use seatrial_model::Scope;
use syn::parse::Parser;
use syn::{Attribute, DeriveInput, FnArg, Ident, Meta};

use super::arguments::{self, Argument, Name, Value};
use super::keys::Table;
use super::placement::{is_composition, is_service};
use super::{container, function, parameter, ready, service, settings, setup, values};
use crate::report::Report;

/// A place in which words stand.
pub(crate) struct Completion {
    /// Each with what to say about it.
    pub(crate) choices: Vec<Choice>,
    /// The words as the user wrote them. An editor adds its own where the cursor is.
    pub(crate) written: Vec<Ident>,
}

/// A word that could stand there.
pub(crate) struct Choice {
    pub(crate) word: String,
    pub(crate) documentation: String,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Service,
    Ready,
    Setup,
    Source,
    Needs,
    Scope,
    Mode,
    Pull,
    Composition,
    Parameter,
    Test,
}

impl Place {
    const ALL: [Self; 11] = [
        Self::Service,
        Self::Ready,
        Self::Setup,
        Self::Source,
        Self::Needs,
        Self::Scope,
        Self::Mode,
        Self::Pull,
        Self::Composition,
        Self::Parameter,
        Self::Test,
    ];
}

/// Those of a composition.
pub(crate) fn completions_of_struct(input: &DeriveInput) -> Vec<Completion> {
    let mut words = Words::default();
    words.attributes(&input.attrs, Place::Composition);
    if let syn::Data::Struct(data) = &input.data {
        for field in &data.fields {
            words.services.extend(field.ident.clone());
            words.attributes(&field.attrs, Place::Composition);
        }
    }
    words.completions()
}

/// Those of a test.
pub(crate) fn completions_of_test(attribute: &TokenStream, item: &TokenStream) -> Vec<Completion> {
    let mut words = Words::default();
    words.tokens(Place::Test, attribute.clone());
    if let Ok(parts) = function::split.parse2(item.clone()) {
        for input in &parts.signature.inputs {
            let FnArg::Typed(parameter) = input else {
                continue;
            };
            if let syn::Pat::Ident(pat) = &*parameter.pat {
                words.services.push(pat.ident.clone());
            }
            words.attributes(&parameter.attrs, Place::Parameter);
        }
    }
    words.completions()
}

#[derive(Default)]
struct Words {
    written: BTreeMap<Place, Vec<Ident>>,
    services: Vec<Ident>,
}

impl Words {
    /// Reads our attributes; `composition` is the place that `#[composition(..)]` is here.
    fn attributes(&mut self, attributes: &[Attribute], composition: Place) {
        for attribute in attributes {
            let place = if is_service(attribute) {
                Place::Service
            } else if is_composition(attribute) {
                composition
            } else {
                continue;
            };
            if let Meta::List(list) = &attribute.meta {
                self.tokens(place, list.tokens.clone());
            }
        }
    }

    fn tokens(&mut self, place: Place, tokens: TokenStream) {
        let mut unread = Report::new();
        let arguments = arguments::arguments(tokens, &mut unread);
        let _ = unread.finish();
        self.arguments(place, &arguments);
    }

    fn arguments(&mut self, place: Place, arguments: &[Argument]) {
        for argument in arguments {
            let Name::Word(word) = &argument.name else {
                continue;
            };
            self.written.entry(place).or_default().push(word.clone());
            match &argument.value {
                Value::List(_, inner) => match word.to_string().as_str() {
                    "ready" => self.arguments(Place::Ready, inner),
                    "setup" => self.arguments(Place::Setup, inner),
                    "source" => self.arguments(Place::Source, inner),
                    "needs" => self.arguments(Place::Needs, inner),
                    _ => {}
                },
                Value::Is(expr) => {
                    let place = match word.to_string().as_str() {
                        "scope" => Place::Scope,
                        "mode" => Place::Mode,
                        "pull" => Place::Pull,
                        _ => continue,
                    };
                    self.written
                        .entry(place)
                        .or_default()
                        .extend(values::word(expr).cloned());
                }
                Value::None | Value::Unreadable => {}
            }
        }
    }

    fn completions(mut self) -> Vec<Completion> {
        let completions = Place::ALL.map(|place| Completion {
            choices: choices(place, &self.services),
            written: self.written.remove(&place).unwrap_or_default(),
        });
        completions.into()
    }
}

fn choices(place: Place, services: &[Ident]) -> Vec<Choice> {
    match place {
        Place::Service => of_table(&service::TABLE),
        Place::Ready => of_table(&ready::TABLE),
        Place::Setup => of_table(&setup::TABLE),
        Place::Source => of_table(&settings::SOURCE),
        Place::Composition => of_table(&settings::TABLE),
        Place::Parameter => of_table(&parameter::TABLE),
        Place::Test => of_table(&function::TABLE),
        Place::Needs => words("needs", services.iter().map(ToString::to_string)),
        Place::Scope => words("scope", Scope::ALL.iter().map(|scope| scope.as_str())),
        Place::Mode => words("mode", values::MODES.iter().map(|(word, _)| *word)),
        Place::Pull => words("pull", container::PULLS.iter().map(|(word, _)| *word)),
    }
}

fn of_table<T>(table: &Table<T>) -> Vec<Choice> {
    let offered = table.keys.iter().filter(|key| key.offered);
    let choices = offered.map(|key| Choice {
        word: key.name.to_owned(),
        documentation: format!("A key of {}: `{}`", table.place, key.form),
    });
    choices.collect()
}

fn words(key: &str, words: impl Iterator<Item = impl ToString>) -> Vec<Choice> {
    let choices = words.map(|word| Choice {
        word: word.to_string(),
        documentation: format!("A value of `{key}`"),
    });
    choices.collect()
}
