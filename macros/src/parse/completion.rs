//! Completions for editors: for each place in an attribute, the words written so far and the words that are valid there.
//! The declaration may be in any state; nothing here is an error.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use seatrial_model::Scope;
use syn::parse::Parser;
use syn::{Attribute, DeriveInput, FnArg, Ident, Meta};

use super::arguments::{self, Argument, Name, Value};
use super::keys::Table;
use super::placement::{is_composition, is_job, is_service};
use super::{
    bin, build, container, function, job, parameter, ready, service, settings, setup, values,
};
use crate::report::Report;

/// A place in an attribute.
pub(crate) struct Completion {
    /// The words that are valid there.
    pub(crate) choices: Vec<Choice>,
    /// The words that the user wrote. An editor adds one of its own at the cursor.
    pub(crate) written: Vec<Ident>,
}

/// A word that is valid in a place.
pub(crate) struct Choice {
    pub(crate) word: String,
    pub(crate) documentation: String,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Service,
    Job,
    Ready,
    Setup,
    Source,
    Bin,
    Build,
    Needs,
    Scope,
    Mode,
    Pull,
    Composition,
    Parameter,
    Test,
}

impl Place {
    const ALL: [Self; 14] = [
        Self::Service,
        Self::Job,
        Self::Ready,
        Self::Setup,
        Self::Source,
        Self::Bin,
        Self::Build,
        Self::Needs,
        Self::Scope,
        Self::Mode,
        Self::Pull,
        Self::Composition,
        Self::Parameter,
        Self::Test,
    ];
}

/// The completions of a composition.
pub(crate) fn completions_of_struct(input: &DeriveInput) -> Vec<Completion> {
    let mut collector = Collector::default();
    collector.attributes(&input.attrs, Place::Composition);
    if let syn::Data::Struct(data) = &input.data {
        for field in &data.fields {
            collector.services.extend(field.ident.clone());
            collector.attributes(&field.attrs, Place::Composition);
        }
    }
    collector.completions()
}

/// The completions of a test.
pub(crate) fn completions_of_test(attribute: &TokenStream, item: &TokenStream) -> Vec<Completion> {
    let mut collector = Collector::default();
    collector.tokens(Place::Test, attribute.clone());
    if let Ok(parts) = function::split.parse2(item.clone()) {
        for input in &parts.signature.inputs {
            let FnArg::Typed(parameter) = input else {
                continue;
            };
            if let syn::Pat::Ident(pat) = &*parameter.pat {
                collector.services.push(pat.ident.clone());
            }
            collector.attributes(&parameter.attrs, Place::Parameter);
        }
    }
    collector.completions()
}

#[derive(Default)]
struct Collector {
    written: BTreeMap<Place, Vec<Ident>>,
    services: Vec<Ident>,
}

impl Collector {
    /// Reads our attributes; `composition` is the place that `#[composition(..)]` is here.
    fn attributes(&mut self, attributes: &[Attribute], composition: Place) {
        for attribute in attributes {
            let place = if is_service(attribute) {
                Place::Service
            } else if is_job(attribute) {
                Place::Job
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
                    "bin" => self.arguments(Place::Bin, inner),
                    "build" => self.arguments(Place::Build, inner),
                    "needs" => self.arguments(Place::Needs, inner),
                    _ => {}
                },
                Value::Expr(expr) => {
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
        Place::Job => of_table(&job::TABLE),
        Place::Ready => of_table(&ready::TABLE),
        Place::Setup => of_table(&setup::TABLE),
        Place::Source => of_table(&settings::SOURCE),
        Place::Bin => of_table(&bin::TABLE),
        Place::Build => of_table(&build::TABLE),
        Place::Composition => of_table(&settings::TABLE),
        Place::Parameter => of_table(&parameter::TABLE),
        Place::Test => of_table(&function::TABLE),
        Place::Needs => of_key("needs", services.iter().map(ToString::to_string)),
        Place::Scope => of_key("scope", Scope::ALL.iter().map(|scope| scope.as_str())),
        Place::Mode => of_key("mode", values::MODES.iter().map(|(word, _)| *word)),
        Place::Pull => of_key("pull", container::PULLS.iter().map(|(word, _)| *word)),
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

fn of_key(key: &str, words: impl Iterator<Item = impl ToString>) -> Vec<Choice> {
    let choices = words.map(|word| Choice {
        word: word.to_string(),
        documentation: format!("A value of `{key}`"),
    });
    choices.collect()
}
