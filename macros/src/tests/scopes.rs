//! Which scope each service gets, and which may need which: every combination, also of scopes that the parser refuses.

use quote::quote;
use seatrial_model::Scope;
use syn::DeriveInput;

use crate::environment::Environment;
use crate::report::Report;
use crate::syntax::ScopeSyntax;
use crate::{check, model, parse};

/// Everything that can be said of a scope.
const SAID: [ScopeSyntax; 4] = [
    ScopeSyntax::Absent,
    ScopeSyntax::Is(Scope::Test),
    ScopeSyntax::Is(Scope::Binary),
    ScopeSyntax::Is(Scope::Run),
];

/// The scopes of `needed` and `needing` in the plan, or the messages.
fn scopes(
    composition: ScopeSyntax,
    needed: ScopeSyntax,
    needing: ScopeSyntax,
) -> Result<Vec<Scope>, Vec<String>> {
    let item: DeriveInput = syn::parse_quote! {
        #[composition(source(none))]
        struct Shop {
            #[service(image = "a")] needed: Service,
            #[service(image = "b", needs(needed))] needing: Service,
        }
    };
    let mut report = Report::new();
    let mut declaration = parse::structure(&item, &mut report).declaration;
    declaration.settings.scope = composition;
    declaration.services[0].scope = needed;
    declaration.services[1].scope = needing;
    let model = model::model(declaration, &mut report);
    check::services(&model, &Environment::default(), &mut report);
    report.finish().map_err(|mistakes| mistakes.messages())?;
    let services = model.plan.services.iter();
    Ok(services.map(|service| service.scope).collect())
}

fn is(scope: ScopeSyntax) -> Option<Scope> {
    match scope {
        ScopeSyntax::Is(scope) => Some(scope),
        ScopeSyntax::Absent | ScopeSyntax::Unreadable => None,
    }
}

#[test]
fn a_service_needs_only_those_that_live_as_long() {
    for composition in SAID {
        for needed in SAID {
            for needing in SAID {
                let own = |said| is(said).or(is(composition)).unwrap_or(Scope::Test);
                let expected = [own(needed), own(needing)];
                match scopes(composition, needed, needing) {
                    Ok(scopes) => {
                        assert_eq!(scopes, expected);
                        assert!(expected[0] >= expected[1], "{expected:?}");
                    }
                    Err(messages) => {
                        assert_eq!(messages.len(), 1, "{messages:?}");
                        assert!(expected[0] < expected[1], "{expected:?}: {messages:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_message_says_how_many_there_are_of_each() {
    let message = |needed, needing| {
        let (needed, needing) = (ScopeSyntax::Is(needed), ScopeSyntax::Is(needing));
        scopes(ScopeSyntax::Absent, needed, needing)
            .expect_err("it is gone earlier")
            .concat()
    };
    assert_eq!(
        message(Scope::Binary, Scope::Run),
        "`needing` (one per run) cannot need `needed` (one per test process), which is gone earlier; write `scope = run` on `needed`, or `scope = binary` on `needing`"
    );
    assert_eq!(
        message(Scope::Test, Scope::Run),
        "`needing` (one per run) cannot need `needed` (one per test), which is gone earlier; write `scope = run` on `needed`, or `scope = test` on `needing`"
    );
}

#[test]
fn a_scope_that_is_not_there_yet_is_not_offered() {
    let message = super::plan_of(quote!(#[service(image = "a", scope = forever)] a: Service))
        .expect_err("there is no such scope")
        .concat();
    assert!(message.contains("write one of `test`"), "{message}");
    assert!(!message.contains("`keep`"), "{message}");
}
