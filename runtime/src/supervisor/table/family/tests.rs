use std::collections::BTreeMap;

use seatrial_model::{Mount, Origin, Plan, ServicePlan, Setup, Volume};
use tokio::sync::mpsc;

use super::*;
use crate::config::Config;
use crate::protocol::Kept;
use crate::settings::Settings;
use crate::supervisor::context::Run;
use crate::supervisor::identity::Role;
use crate::supervisor::sweep::History;

fn service(scope: Scope, needs: &[usize]) -> ServicePlan {
    let mut service = ServicePlan::new("db", Origin::Image("a".parse().expect("an image")));
    service.scope = scope;
    service.needs = needs.to_vec();
    service
}

fn launch(services: Vec<ServicePlan>) -> Launch {
    Launch {
        identity: "tests::Shop".to_owned(),
        plan: Plan {
            name: "Shop".to_owned(),
            services,
        },
        test: Some("a test".to_owned()),
        package_dir: "/nowhere".into(),
        workspace: "/nowhere".into(),
        binaries: Vec::new(),
        files: Vec::new(),
        user: (0, 0),
        kept: BTreeMap::new(),
    }
}

fn own() -> Launch {
    launch(vec![service(Scope::Test, &[])])
}

fn context() -> Arc<Context> {
    let run = Run::new(Role::Run, History::default(), mpsc::unbounded_channel().0);
    let config = Config::load("/nonexistent".as_ref(), &|_| None);
    Context::new(run, Settings::new(config.expect("the defaults")))
}

/// Notes that somebody wants the launch. Returns the family's position.
fn want(families: &mut Families, context: &Arc<Context>, launch: &Launch, holder: Holder) -> usize {
    let shape = Shape::of(launch).expect("it has services of its own");
    families.wanted(context, launch, shape, holder).0
}

fn spare(number: InstanceId) -> Spare {
    Spare {
        instances: vec![(0, number)],
        needs: Vec::new(),
        files: Files::of(&own(), &[]).expect("there are none"),
        taker: watch::Sender::new(None),
    }
}

#[test]
fn a_spare_needs_what_its_services_need_and_nothing_else() {
    let (test, run) = (Scope::Test, Scope::Run);
    let services = vec![
        service(run, &[]),
        service(run, &[0]),
        service(test, &[1, 4]),
        service(run, &[]),
        service(test, &[]),
    ];
    let shape = Shape::of(&launch(services)).expect("two services are each test's");
    assert_eq!(shape.own, [2, 4]);
    assert_eq!(shape.needed, [1, 0]);
}

#[test]
fn what_others_may_change_unseen_is_not_brought_up_ahead() {
    let shared = launch(vec![service(Scope::Run, &[])]);
    assert_eq!(Shape::of(&shared), None, "there is nothing");

    let below = |scope| launch(vec![service(scope, &[]), service(Scope::Test, &[0])]);
    assert!(Shape::of(&below(Scope::Run)).is_some());
    assert_eq!(Shape::of(&below(Scope::Keep)), None);
    let mut kept = below(Scope::Run);
    let key = crate::protocol::KeptKey {
        slot: String::new(),
        content: String::new(),
    };
    let stays = std::time::Duration::from_secs(1);
    kept.kept.insert(0, Kept::Wanted { key, stays });
    assert_eq!(Shape::of(&kept), None);

    for (scope, is_possible) in [(Scope::Test, true), (Scope::Run, false)] {
        let mut services = vec![service(scope, &[]), service(Scope::Test, &[])];
        for service in &mut services {
            service.volumes.push(Volume {
                name: Some("data".to_owned()),
                at: "/data".to_owned(),
            });
        }
        let shape = Shape::of(&launch(services));
        assert_eq!(shape.is_some(), is_possible, "a volume of {scope:?}");
    }
}

#[test]
fn launches_of_the_same_services_are_a_family() {
    let (mut families, context) = (Families::default(), context());
    let mut want =
        |launch: &Launch, context, client| want(&mut families, context, launch, (client, 1));
    let first = want(&own(), &context, 1);
    let mut other_test = own();
    other_test.test = None;
    assert_eq!(want(&other_test, &context, 2), first);
    let named = |launch: &Launch, name: &str| {
        let mut other = launch.clone();
        other.identity = format!("tests::{name}");
        other.plan.name = name.to_owned();
        other
    };
    assert_eq!(want(&named(&own(), "Market"), &context, 2), first);

    let mut others = vec![own(), own()];
    others[0].binaries.push("/nowhere/app".into());
    others[1].plan.services[0].memory = Some(1);
    for other in &others {
        assert_ne!(want(other, &context, 1), first);
    }
    let other_settings = self::context();
    assert_ne!(want(&own(), &other_settings, 1), first);

    let mut calls = service(Scope::Test, &[]);
    calls.setups.push(Setup {
        name: None,
        kind: SetupKind::Hook {
            binding: 0,
            name: "fill".to_owned(),
        },
        timeout: None,
        key: None,
    });
    let needs = vec![service(Scope::Test, &[1]), service(Scope::Run, &[])];
    for bound in [launch(vec![calls]), launch(needs)] {
        let one = want(&bound, &context, 1);
        assert_eq!(want(&bound, &context, 1), one);
        assert_ne!(want(&named(&bound, "Market"), &context, 1), one);
    }
}

#[test]
fn a_family_that_needs_a_clients_own_instances_is_the_clients() {
    let (mut families, context) = (Families::default(), context());
    let services = vec![service(Scope::Binary, &[]), service(Scope::Test, &[0])];
    let launch = launch(services);
    let one = want(&mut families, &context, &launch, (1, 1));
    assert_eq!(want(&mut families, &context, &launch, (1, 2)), one);
    assert_ne!(want(&mut families, &context, &launch, (2, 1)), one);
    assert_eq!(families.take_those_of(1).len(), 1);
    assert_eq!(families.take_those_of(1).len(), 0);
    assert_eq!(families.take_those_of(2).len(), 1);
}

#[test]
fn a_family_wants_as_many_spares_as_it_had_users_after_its_second_launch() {
    let (mut families, context) = (Families::default(), context());
    let at = want(&mut families, &context, &own(), (1, 1));
    families.at(at).launched();
    assert!(!families.at(at).wants_more(), "it may be the only launch");
    families.released(1, 1);
    want(&mut families, &context, &own(), (1, 2));
    assert!(!families.at(at).wants_more(), "it may not succeed");
    families.at(at).launched();
    assert!(families.at(at).wants_more());
    families.at(at).looking = 1;
    assert!(
        !families.at(at).wants_more(),
        "there was one user at a time"
    );
    want(&mut families, &context, &own(), (2, 1));
    assert!(families.at(at).wants_more());
    families.at(at).spares.push(spare(1));
    assert!(!families.at(at).wants_more());
}

#[test]
fn a_start_that_other_tests_may_see_is_for_tests_that_run_side_by_side() {
    let context = context();
    let wants = |launch: &Launch, users: &[Holder]| {
        let mut families = Families::default();
        let positions = users
            .iter()
            .map(|holder| want(&mut families, &context, launch, *holder));
        let position = positions.last().expect("there are users");
        for _ in 0..LAUNCHES_BEFORE {
            families.at(position).launched();
        }
        families.at(position).wants_more()
    };
    let on_shared = launch(vec![service(Scope::Run, &[]), service(Scope::Test, &[0])]);
    let mut writing = own();
    writing.plan.services[0].mounts.push(Mount {
        from: "data".to_owned(),
        at: "/data".to_owned(),
        mode: MountMode::Rw,
    });
    let mut writing_source = own();
    writing_source.plan.services[0].source = Source::Mounted {
        from: None,
        at: "/workspace".to_owned(),
        mode: MountMode::Rw,
    };
    for seen in [on_shared, writing, writing_source] {
        assert!(!wants(&seen, &[(1, 1)]));
        assert!(wants(&seen, &[(1, 1), (2, 1)]));
    }
    let mut reading = own();
    reading.plan.services[0].mounts.push(Mount {
        from: "data".to_owned(),
        at: "/data".to_owned(),
        mode: MountMode::Ro,
    });
    assert!(wants(&reading, &[(1, 1)]));
}

#[test]
fn a_family_whose_spares_are_of_no_use_gets_no_more() {
    let (mut families, context) = (Families::default(), context());
    let at = want(&mut families, &context, &own(), (1, 1));
    let family = families.at(at);
    family.launched();
    family.launched();
    for outcomes in [&[false, true, false][..], &[true]] {
        for was_fit in outcomes {
            family.tried(*was_fit);
        }
        assert!(family.wants_more(), "{outcomes:?}");
    }
    family.tried(false);
    family.tried(false);
    assert!(!family.wants_more());
}

#[test]
fn the_spare_that_is_furthest_is_taken_and_what_is_unfit_goes() {
    let (mut families, context) = (Families::default(), context());
    let at = want(&mut families, &context, &own(), (1, 1));
    let family = families.at(at);
    let progress = |spare: &Spare| match spare.instances[0].1 {
        1 | 3 => Progress::Unfit,
        5 => Progress::Ready,
        _ => Progress::Pending,
    };
    family.spares.extend((1..=5).map(spare));
    let numbers = |spares: Vec<Spare>| -> Vec<InstanceId> {
        spares.iter().map(|spare| spare.instances[0].1).collect()
    };
    let (taken, unfit) = family.take(progress);
    assert_eq!(numbers(Vec::from_iter(taken)), [5]);
    assert_eq!(numbers(unfit), [1, 3]);
    assert_eq!(family.unfit, 1, "once for both");
    let mut next = || numbers(Vec::from_iter(family.take(progress).0));
    assert_eq!([next(), next(), next()], [vec![2], vec![4], vec![]]);
}

#[test]
fn the_family_that_was_not_launched_for_longest_is_forgotten() {
    let (mut families, context) = (Families::default(), context());
    let with_memory = |memory: u64| {
        let mut launch = own();
        launch.plan.services[0].memory = Some(memory);
        launch
    };
    let memory = |family: &Family| family.launch.plan.services[0].memory;
    let most = MOST_FAMILIES as u64;
    for number in 0..most {
        want(&mut families, &context, &with_memory(number), (1, number));
    }
    want(&mut families, &context, &with_memory(0), (1, 1));
    let one_more = with_memory(most);
    let shape = Shape::of(&one_more).expect("it has a service");
    let (at, forgotten) = families.wanted(&context, &one_more, shape, (1, 2));
    assert_eq!(memory(&forgotten.expect("it had a place")), Some(1));
    assert_eq!(memory(families.at(at)), Some(most));
    assert_eq!(families.shares().len(), MOST_FAMILIES);
}
