//! What is kept makes way for another: where its declaration has changed, and where it is not as it was.

use seatrial_tests::engine::{self, has_container, is_running};

use crate::cases::STEPS;
use crate::machine::{Machine, until};
use crate::run::text;

/// Said where what is kept cannot be used any more.
const REPLACED: &str = "seatrial: the service `db` of `Shop` that was kept is replaced: ";

#[track_caller]
fn until_gone(container: &str) {
    until("what is of no use any more is removed", || {
        !has_container(container)
    });
}

#[test]
fn a_declaration_that_has_changed_gets_a_new_service_in_place_of_the_old_one() {
    let machine = Machine::new();
    let mut latest = machine.run("forms::first").end().text("db");
    for form in [
        "of_another_variable",
        "of_another_image",
        "with_another_file",
        "with_another_setup",
        "of_another_key",
    ] {
        let run = machine.run(&format!("forms::{form}")).end();
        let run = run.did_not_say("replaced");
        assert_ne!(run.text("db"), latest, "{form}");
        until_gone(&latest);
        latest = run.text("db");
    }
    let [dropped] = &machine.end()[..] else {
        panic!("one is kept");
    };
    assert_eq!(dropped.container, latest);
}

#[test]
fn each_value_of_a_variable_keeps_its_own() {
    let machine = Machine::new();
    let with = |image| {
        machine
            .run("forms::of_a_variable")
            .with("TIDE_IMAGE", image)
    };
    let debian = machine.run("forms::of_a_variable").end().text("db");
    let redis = with("redis:7").end().text("db");
    assert_ne!(redis, debian);
    // Neither takes the other's place.
    assert_eq!(with("").end().text("db"), debian);
    assert_eq!(with("redis:7").end().text("db"), redis);
    assert_eq!(machine.end().len(), 2);
}

#[test]
fn what_a_declaration_said_before_stays_while_somebody_uses_it() {
    let machine = Machine::new();
    let mut holder = machine.run("forms::first").begin();
    let old = text(holder.record(), "db");
    let new = machine.run("forms::of_another_key").end().text("db");
    assert_ne!(old, new);
    assert!(is_running(&old));
    holder.end();
    until_gone(&old);
    assert!(is_running(&new));
    machine.end();
}

/// A name for an image, which is another image's from time to time.
struct Name(String);

impl Name {
    #[track_caller]
    fn is_of(&self, image: &str) {
        let (name, tag) = self.0.split_once(':').expect("a tag");
        let path = format!("/images/{image}/tag?repo={name}&tag={tag}");
        let (status, body) = engine::ask("POST", &path);
        assert_eq!(status, 201, "{body}");
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        engine::ask("DELETE", &format!("/images/{}", self.0));
    }
}

#[test]
fn another_image_behind_a_name_replaces_what_was_made_from_the_one_before() {
    const IMAGES: [&str; 2] = ["debian:bookworm-slim", "redis:7"];
    let machine = Machine::new();
    let is_there = |image: &str| engine::ask("GET", &format!("/images/{image}/json")).0 == 200;
    if !IMAGES.into_iter().all(is_there) {
        machine.run("has_images").end();
    }
    let name = Name(format!("localhost/{}:1", machine.name()));
    let substitution = format!("localhost/seatrial/keeping:1={}", name.0);
    let run = || {
        let run = machine.run("forms::of_a_name");
        run.with("SEATRIAL_SUBSTITUTIONS", &substitution).end()
    };
    name.is_of(IMAGES[0]);
    let before = run().text("db");
    assert_eq!(run().did_not_say("replaced").text("db"), before);
    name.is_of(IMAGES[1]);
    let after = run();
    let after =
        after.said("the service `db` of `Form` that was kept is replaced: its image has changed\n");
    assert_ne!(after.text("db"), before);
    until_gone(&before);
    assert_eq!(machine.end().len(), 1);
}

#[test]
fn what_does_not_run_any_more_is_replaced_and_that_is_said() {
    let machine = Machine::new();
    let mut latest = machine.run("uses").end().text("db");
    for (method, end, why) in [
        ("POST", "/stop", "the container exited with code 0"),
        ("POST", "/kill", "the container exited with code 137"),
        ("POST", "/pause", "its container is paused\n"),
        ("DELETE", "?force=1", "its container was removed\n"),
    ] {
        let (status, body) = engine::ask(method, &format!("/containers/{latest}{end}"));
        assert_eq!(status, 204, "{method} {end}: {body}");
        until("it does not run", || !is_running(&latest));
        let run = machine.run("uses").end();
        let run = run.said(&format!("{REPLACED}{why}"));
        assert_ne!(run.text("db"), latest, "{method} {end}");
        // With a volume of its own: the setup would have failed on the other's.
        assert_eq!(run.text("steps"), STEPS);
        until_gone(&latest);
        latest = run.text("db");
    }
    assert_eq!(machine.end().len(), 1);
}

#[test]
fn who_has_what_was_broken_is_not_handed_another() {
    let machine = Machine::new();
    let mut holder = machine.run("uses").begin();
    let broken = text(holder.record(), "db");
    let (status, body) = engine::ask("POST", &format!("/containers/{broken}/kill"));
    assert_eq!(status, 204, "{body}");
    until("it does not run", || !is_running(&broken));

    let next = machine.run("uses").end().said(REPLACED);
    assert_eq!(next.text("steps"), STEPS);
    assert!(has_container(&broken), "somebody has it");
    let holder = holder.end();
    assert_eq!(holder.text("db"), broken);
    assert!(holder.record["steps"].is_null(), "{:#}", holder.record);
    until_gone(&broken);
    assert!(is_running(&next.text("db")));
    assert_eq!(machine.end().len(), 1);
}
