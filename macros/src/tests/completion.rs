//! Completion in editors: the marker at the cursor occurs in the output where the valid words are, and the output before it
//! is the same with the marker and without.

use proc_macro2::TokenStream;
use quote::quote;

use crate::environment::Environment;
use crate::pipeline;

/// The editor's word.
const CURSOR: &str = "cursor_of_the_editor";

fn editor() -> Environment {
    Environment {
        is_editor: true,
        ..Environment::default()
    }
}

fn composition(item: TokenStream) -> String {
    pipeline::composition(item, &editor()).to_string()
}

fn test(attribute: TokenStream, item: TokenStream) -> String {
    pipeline::test(attribute, item, &editor()).to_string()
}

/// Whether `word` is offered at the cursor, given the outcome with the editor's word and without.
fn offers(word: &str, with: &str, without: &str) -> bool {
    let import = "use self :: {";
    let (before, words) = with
        .split_once(&format!("{CURSOR} as _"))
        .and_then(|(before, _)| before.rsplit_once(import))
        .expect("the editor's word comes out in an import");
    // But for the comma between two words.
    let words = words.trim_end_matches([' ', ',']);
    let same = format!("{before}{import}{words}");
    assert!(without.starts_with(&same), "{same}\nand\n{without}");
    // The words that are possible are in the module before.
    let (_, module) = before.rsplit_once("mod words_").expect("a module of words");
    module.contains(&format!("pub const {word} : ()"))
}

#[test]
fn words_of_a_composition() {
    let item = |own: TokenStream, service: TokenStream| {
        quote! {
            #[composition(source(none), #own)]
            struct Shop {
                #[service(image = "a", port = 80)] first_db: Service,
                #[service(image = "a", #service, ready(running))] r#type: Service,
            }
        }
    };
    let cursor: TokenStream = CURSOR.parse().expect("it is a word");
    for (with, without, word) in [
        (quote!(#cursor), quote!(), "port"),
        (quote!(#cursor, port = 1), quote!(, port = 1), "ready"),
        (quote!(ready(#cursor)), quote!(ready()), "http"),
        (quote!(ready(tcp, #cursor)), quote!(ready(tcp,)), "timeout"),
        (quote!(setup(#cursor)), quote!(setup()), "with"),
        (quote!(source(#cursor)), quote!(source()), "mode"),
        (quote!(source(mode = #cursor)), quote!(source(mode =)), "rw"),
        (quote!(needs(#cursor)), quote!(needs()), "first_db"),
        (quote!(needs(#cursor)), quote!(needs()), "r#type"),
        (quote!(scope = #cursor), quote!(scope =), "binary"),
        (
            quote!(pull = #cursor, port = 1),
            quote!(pull =, port = 1),
            "never",
        ),
    ] {
        let [with, without] = [with, without].map(|service| item(quote!(), service));
        let found = offers(word, &composition(with.clone()), &composition(without));
        assert!(found, "{word} in {with}");
    }
    let job = |own: &TokenStream| {
        composition(quote!(
            struct Shop {
                #[job(image = "a", #own)]
                e2e: Job,
            }
        ))
    };
    let [with, without] = [&cursor, &quote!()].map(job);
    assert!(offers("artifacts", &with, &without) && !offers("ready", &with, &without));
    let [with, without] = [cursor, quote!()].map(|own| composition(item(own, quote!())));
    assert!(offers("scope", &with, &without));
    assert!(!offers("image", &with, &without));
    assert!(
        !offers("compose", &with, &without),
        "it is not supported yet"
    );
}

#[test]
fn words_of_a_test() {
    let cursor: TokenStream = CURSOR.parse().expect("it is a word");
    let function = |own: &TokenStream, service: &TokenStream| {
        quote!(
            async fn expires(
                #[composition(#own)] shop: Shop,
                #[service(image = "a", #service, ready(running))] cache: Service,
            ) {
            }
        )
    };
    let none = quote!();
    for (word, [attribute, own, service]) in [
        ("timeout", [&cursor, &none, &none]),
        ("scope", [&none, &cursor, &none]),
        ("port", [&none, &none, &cursor]),
    ] {
        let with = test(attribute.clone(), function(own, service));
        let without = test(quote!(), function(&none, &none));
        assert!(offers(word, &with, &without), "{word}");
    }
}

#[test]
fn the_compiler_gets_nothing_of_it() {
    let item = quote!(
        struct Shop {
            #[service(image = "a", ready(running))]
            a: Service,
        }
    );
    let compiled = pipeline::composition(item, &Environment::default()).to_string();
    assert!(!compiled.contains("mod words_"), "{compiled}");
}
