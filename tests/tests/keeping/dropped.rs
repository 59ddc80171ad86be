//! The end of what is kept: in time, on request, and with a keeper that is killed. And runs that keep nothing.

use seatrial_tests::child::{self, is_gone};
use seatrial_tests::engine::{self, has_container, is_running};

use crate::cases::STEPS;
use crate::machine::{Machine, until};
use crate::run::{kept, text};

#[test]
fn what_nobody_uses_for_its_time_is_gone_and_the_keeper_with_it() {
    let machine = Machine::new();
    let run = machine.run("is_fleeting").with("SEATRIAL_KEEP", "300ms");
    let run = run.end();
    let stays = run.kept("kept").into_iter();
    let stays: Vec<_> = stays
        .map(|kept| (kept.service, kept.stays.as_millis()))
        .collect();
    assert_eq!(
        stays,
        [("mayfly".to_owned(), 200), ("wave".to_owned(), 300)]
    );
    machine.end_by_itself();
}

#[test]
fn a_run_that_keeps_nothing_neither_uses_nor_touches_what_is_kept() {
    let machine = Machine::new();
    let db = machine.run("uses").end().text("db");
    let mut off = machine.run("uses").with("SEATRIAL_KEEP", "off").begin();
    let own = text(off.record(), "db");
    assert_ne!(own, db);
    assert_eq!(
        engine::label(&own, "dev.seatrial.run").as_ref(),
        Some(&off.id)
    );
    let off = off.end().did_not_say("replaced");
    assert_eq!(off.text("steps"), STEPS);
    assert!(!has_container(&own), "it goes with its run");

    let [listed] = &machine.run("lists").end().kept("kept")[..] else {
        panic!("one is kept");
    };
    assert_eq!(listed.container, db);
    assert!(listed.idle.is_some(), "{listed:?}");
    assert_eq!(machine.run("uses").end().text("db"), db);
    assert_eq!(machine.end().len(), 1);
}

#[test]
fn a_run_that_asks_for_it_removes_what_is_kept_and_keeps_nothing() {
    let machine = Machine::new();
    let mut holder = machine.run("forms::first").begin();
    let held = text(holder.record(), "db");
    let db = machine.run("uses").end().text("db");

    let mut dropping = machine.run("uses").with("SEATRIAL_KEEP", "drop").begin();
    let record = dropping.record().clone();
    let own = text(&record, "db");
    assert!(
        !has_container(&db),
        "it is gone before anything else is done"
    );
    assert_eq!(
        engine::label(&own, "dev.seatrial.run").as_ref(),
        Some(&dropping.id)
    );
    // What somebody uses goes with its last user; nobody else gets it.
    let [listed] = &kept(&record, "kept")[..] else {
        panic!("one is held: {record:#}");
    };
    assert_eq!(listed.container, held);
    assert!(is_running(&held));
    dropping.end();
    assert!(!has_container(&own), "it goes with its run");
    holder.end();
    machine.end_by_itself();
}

#[test]
fn after_a_keeper_that_was_killed_there_is_another() {
    let machine = Machine::new();
    let lost = machine.run("uses").end().text("db");
    let (owner, keeper) = machine.keeper();
    child::signal(child::number(keeper), libc::SIGKILL);
    until("it has ended", || is_gone(keeper));

    let next = machine.run("uses").end();
    assert_ne!(next.text("db"), lost);
    assert_eq!(next.text("steps"), STEPS);
    until("what the other had is removed", || {
        engine::of_owner(&owner).is_empty()
    });
    assert!(!has_container(&lost));
    let [dropped] = &machine.end()[..] else {
        panic!("one is kept");
    };
    assert_eq!(dropped.container, next.text("db"));
}
