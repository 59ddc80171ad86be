//! When a supervisor leaves, and what it leaves.

use super::child::Connected;
use super::{Fixture, wait_until};

#[test]
fn the_last_to_leave_takes_everything_with_it() {
    let mut fixture = Fixture::new("last");
    let (one, other) = (fixture.attach(), fixture.attach());
    let supervisor = one.supervisor;
    drop(one);
    fixture.end();
    // It stays for who is connected, and for who connects then.
    let third = fixture.attach();
    assert_eq!(third.supervisor, supervisor);
    drop((other, third));
    fixture.wait_until_nothing_is_left();
    wait_until("it ends", || !supervisor.is_alive());
}

#[test]
fn a_supervisor_outlives_a_test_process_that_is_killed_until_its_run_has_ended() {
    let mut fixture = Fixture::new("outlives");
    let mut starter = Connected::start(&fixture);
    let supervisor = starter.answers()[0];
    starter.child.kill().expect("a signal");
    starter.child.wait().expect("its end");
    // Nobody is connected; the run goes on.
    assert_eq!(fixture.attach().supervisor, supervisor);
    assert!(supervisor.is_alive());
    fixture.end();
    fixture.wait_until_nothing_is_left();
    wait_until("it ends", || !supervisor.is_alive());
}
