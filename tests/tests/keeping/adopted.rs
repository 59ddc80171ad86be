//! A run has what another has left, as it was left.

use seatrial_tests::engine;
use seatrial_tests::events::Events;

use crate::cases::STEPS;
use crate::machine::Machine;
use crate::run::text;

#[test]
fn a_later_run_uses_the_same_service_which_is_set_up_once() {
    let machine = Machine::new();
    let first = machine.run("uses").end();
    let db = first.text("db");
    assert!(engine::is_running(&db), "it outlives its run");
    let second = machine.run("uses").end().did_not_say("replaced");
    assert_eq!(second.text("db"), db);
    assert_eq!([first.text("steps"), second.text("steps")], [STEPS; 2]);

    let [held] = &second.kept("kept")[..] else {
        panic!("{:#}", second.record);
    };
    assert_eq!(held.idle, None);
    let [dropped] = &machine.end()[..] else {
        panic!("one is kept");
    };
    assert!(dropped.idle.is_some(), "{dropped:?}");
    for kept in [held, dropped] {
        assert_eq!([&*kept.composition, &*kept.service], ["Shop", "db"]);
        assert_eq!(kept.image, "debian:bookworm-slim");
        assert_eq!(kept.container, db);
        // Two hours, unless something says otherwise.
        assert_eq!(kept.stays.as_secs(), 2 * 60 * 60);
    }
}

#[test]
fn runs_that_begin_at_once_share_one_service() {
    let machine = Machine::new();
    let events = Events::new("keeping");
    let path = events.path().to_str().expect("it is text");
    let mut runs = [(); 2].map(|()| {
        let run = machine.run("launches_when_told");
        let mut run = run.with("SEATRIAL_EVENTS", path).begin();
        run.record();
        run
    });
    runs.iter_mut().for_each(|run| run.go());
    let [one, other] = runs.map(|mut run| {
        run.record();
        run.end()
    });
    assert_eq!(one.text("db"), other.text("db"));
    assert_eq!([one.text("steps"), other.text("steps")], [STEPS; 2]);
    let steps = ["created", "set_up", "ready"].map(|event| events.count("db", event));
    assert_eq!(steps, [1, 2, 1], "{:#?}", events.all());
    assert_eq!(machine.end().len(), 1);
}

#[test]
fn services_of_a_run_reach_what_is_kept() {
    let machine = Machine::new();
    let first = machine.run("sails").end();
    let second = machine.run("sails").end();
    let in_process = machine.run("sails");
    let in_process = in_process.with("SEATRIAL_SUPERVISOR", "in-process").end();
    for run in [&first, &second, &in_process] {
        assert_eq!(run.text("flagship"), first.text("flagship"));
        assert_eq!(run.text("answer"), "hello from flagship");
        assert_eq!(run.text("own answer"), "hello from flagship");
    }
    assert_ne!(first.text("boat"), second.text("boat"));
    assert_ne!(first.text("boat"), in_process.text("boat"));
    assert_eq!(machine.end().len(), 1);
}

#[test]
fn a_test_gets_instances_of_its_own_and_leaves_what_is_kept_alone() {
    let machine = Machine::new();
    let mut run = machine.run("has_its_own").begin();
    let record = run.record().clone();
    let [shared, own] = [&record["shared"], &record["own"]];
    for fleet in [shared, own] {
        assert_eq!(text(fleet, "answer"), "hello from flagship");
    }
    for different in ["flagship", "boat", "lookup"] {
        assert_ne!(text(shared, different), text(own, different));
    }
    let of_run = |service| engine::label(&text(own, service), "dev.seatrial.run");
    assert_eq!(of_run("flagship").as_ref(), Some(&run.id));
    run.end();

    let flagship = text(shared, "flagship");
    assert!(engine::is_running(&flagship));
    let [dropped] = &machine.end()[..] else {
        panic!("one is kept");
    };
    assert_eq!(dropped.container, flagship);
}
