//! The scope of each service, and the scopes that it may depend on, in every combination; the time to live of kept services.

use std::time::Duration;

use quote::{format_ident, quote};
use seatrial_model::Scope;
use syn::DeriveInput;

use crate::environment::Environment;
use crate::report::Report;
use crate::syntax::ScopeSyntax;
use crate::{check, model, parse};

/// Every declaration of a scope.
const DECLARED: [ScopeSyntax; 5] = [
    ScopeSyntax::Absent,
    ScopeSyntax::Known(Scope::Test),
    ScopeSyntax::Known(Scope::Binary),
    ScopeSyntax::Known(Scope::Run),
    ScopeSyntax::Known(Scope::Keep),
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
            #[service(image = "a", ready(running))] needed: Service,
            #[service(image = "b", needs(needed), ready(running))] needing: Service,
        }
    };
    let mut report = Report::new();
    let mut declaration = parse::structure(&item, &mut report).declaration;
    declaration.settings.scope = composition;
    declaration.services[0].scope = needed;
    declaration.services[1].scope = needing;
    let model = model::model(
        declaration,
        &crate::environment::Environment::default(),
        &mut report,
    );
    check::services(&model, &Environment::default(), &mut report);
    report.finish().map_err(|mistakes| mistakes.messages())?;
    let services = model.plan.services.iter();
    Ok(services.map(|service| service.scope).collect())
}

fn is(scope: ScopeSyntax) -> Option<Scope> {
    match scope {
        ScopeSyntax::Known(scope) => Some(scope),
        ScopeSyntax::Absent | ScopeSyntax::Unreadable => None,
    }
}

#[test]
fn a_service_depends_only_on_services_that_live_as_long() {
    for composition in DECLARED {
        for needed in DECLARED {
            for needing in DECLARED {
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
        let (needed, needing) = (ScopeSyntax::Known(needed), ScopeSyntax::Known(needing));
        scopes(ScopeSyntax::Absent, needed, needing)
            .expect_err("it is gone earlier")
            .concat()
    };
    assert_eq!(
        message(Scope::Binary, Scope::Run),
        "`needing` (one per run) cannot depend on `needed` (one per test process), which ends earlier; write `scope = run` on `needed`, or `scope = binary` on `needing`"
    );
    assert_eq!(
        message(Scope::Test, Scope::Run),
        "`needing` (one per run) cannot depend on `needed` (one per test), which ends earlier; write `scope = run` on `needed`, or `scope = test` on `needing`"
    );
    assert_eq!(
        message(Scope::Run, Scope::Keep),
        "`needing` (one per machine) cannot depend on `needed` (one per run), which ends earlier; write `scope = keep` on `needed`, or `scope = run` on `needing`"
    );
}

#[test]
fn an_unknown_scope_is_answered_with_all() {
    let message =
        super::plan_of(quote!(#[service(image = "a", scope = forever, ready(running))] a: Service))
            .expect_err("there is no such scope")
            .concat();
    let all = "write one of `test`, `binary`, `run` or `keep`";
    assert!(message.contains(all), "{message}");
}

#[test]
fn a_kept_service_has_its_own_time_to_live_or_that_of_the_composition() {
    let plan = super::composition(
        quote! {
            #[composition(source(none), scope = keep, keep = "1d")]
            struct Shop {
                #[service(image = "a", ready(running))] a: Service,
                #[service(image = "b", keep = "30m", ready(running))] b: Service,
                #[service(image = "c", scope = run, ready(running))] c: Service,
            }
        },
        &Environment::default(),
    )
    .expect("it is well formed");
    let of = |position: usize| (plan.services[position].scope, plan.services[position].keep);
    let hours = |hours: u64| Some(Duration::from_secs(hours * 60 * 60));
    assert_eq!(of(0), (Scope::Keep, hours(24)));
    assert_eq!(of(1), (Scope::Keep, Some(Duration::from_secs(30 * 60))));
    assert_eq!(of(2), (Scope::Run, None));

    let plan =
        super::plan_of(quote!(#[service(image = "a", scope = keep, ready(running))] a: Service));
    let plan = plan.expect("it is well formed");
    assert_eq!(plan.services[0].keep, None);
}

#[test]
fn services_that_share_a_volume_are_all_kept_or_none() {
    let all = [Scope::Test, Scope::Binary, Scope::Run, Scope::Keep];
    for (one, other) in all
        .into_iter()
        .flat_map(|one| all.map(|other| (one, other)))
    {
        let [first, second] = [one, other].map(|scope| format_ident!("{}", scope.as_str()));
        let outcome = super::plan_of(quote! {
            #[service(image = "a", scope = #first, volume(data = "/data", "/own"), ready(running))] a: Service,
            #[service(image = "b", scope = #second, volume("/own", data = "/in"), ready(running))] b: Service
        });
        let is_kept = [one, other].map(|scope| scope == Scope::Keep);
        let expected = match is_kept {
            [true, false] => Some("share the volume `data` with `a`"),
            [false, true] => Some("share the volume `data` with `b`"),
            _ => None,
        };
        match (outcome, expected) {
            (Ok(_), None) => {}
            (Err(messages), Some(part)) => {
                assert_eq!(messages.len(), 1, "{messages:?}");
                assert!(messages[0].contains(part), "{messages:?}");
            }
            (outcome, _) => panic!("{first} and {second}: {outcome:?}"),
        }
    }
}
