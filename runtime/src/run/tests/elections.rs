//! One supervisor per run, however many look for it, and whatever became of the one before.

use std::collections::HashSet;
use std::sync::Barrier;
use std::time::Duration;

use super::child::{CONNECTIONS, Connected};
use super::{Client, Fixture, SUPERVISOR, wait_until};
use crate::run::election::Election;
use crate::run::error::StartError;

const THREADS: usize = 64;
const CHILDREN: usize = 3;

#[test]
fn all_who_connect_at_once_find_one_supervisor() {
    for round in 0..20 {
        let mut fixture = Fixture::new("one");
        // It may leave as soon as nobody is connected, so it must not think so before the first is.
        if round % 2 == 0 {
            fixture.end();
        }
        let mut children: Vec<Connected> =
            (0..CHILDREN).map(|_| Connected::start(&fixture)).collect();
        let together = Barrier::new(THREADS);
        let election = fixture.election();
        let clients: Vec<Client> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    scope.spawn(|| {
                        together.wait();
                        Client::attach(&election)
                    })
                })
                .collect();
            let joined = threads.into_iter().map(|thread| thread.join());
            joined
                .map(|client| client.expect("no panic").expect("a supervisor"))
                .collect()
        });
        let mut answers: Vec<_> = clients.iter().map(|client| client.supervisor).collect();
        answers.extend(children.iter_mut().flat_map(Connected::answers));
        assert_eq!(answers.len(), THREADS + CHILDREN * CONNECTIONS);
        let supervisors: HashSet<_> = answers.into_iter().collect();
        assert_eq!(supervisors.len(), 1, "round {round}: {supervisors:?}");
        children.into_iter().for_each(Connected::end);
    }
}

#[test]
fn who_connects_while_a_supervisor_leaves_is_answered() {
    let mut fixture = Fixture::new("leaving");
    // From here on each supervisor leaves with its last connection.
    fixture.end();
    let election = fixture.election();
    let together = Barrier::new(3);
    let answered: usize = std::thread::scope(|scope| {
        let attach = || {
            // All leave at once and come again at once, while the supervisor is leaving.
            let rounds = (0..50).map(|_| {
                together.wait();
                Client::attach(&election)
            });
            rounds.filter(Result::is_ok).count()
        };
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(attach)).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined.map(|answered| answered.expect("no panic")).sum()
    });
    assert_eq!(answered, 150);
}

#[test]
fn a_supervisor_that_was_killed_is_replaced() {
    let fixture = Fixture::new("killed");
    let first = fixture.attach();
    let pid = i32::try_from(first.supervisor.pid).expect("a pid");
    // SAFETY: the call takes two numbers; the process is our own supervisor.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGKILL) }, 0);
    wait_until("it ends", || !first.supervisor.is_alive());
    assert!(fixture.directory().socket().exists());
    let second = fixture.attach();
    assert_ne!(first.supervisor, second.supervisor);
    assert!(second.supervisor.is_alive());
}

#[test]
fn a_supervisor_whose_starter_is_killed_is_not_doubled() {
    let fixture = Fixture::new("starter");
    let mut starter = Connected::start_with(&fixture, "wait");
    wait_until("a supervisor starts", || fixture.note().exists());
    starter.child.kill().expect("a signal");
    starter.child.wait().expect("its end");
    // It has the lock itself, so that nobody starts another while it is not yet listening.
    assert!(fixture.directory().try_lock().is_none());
    let supervisor = fixture.noted();
    assert_eq!(fixture.attach().supervisor, supervisor);
}

/// Whatever a supervisor does that does not come to listen.
fn refused(fixture: &Fixture, behaviour: &'static str, election: Election<'_>) -> StartError {
    let environment = [(SUPERVISOR, behaviour)];
    let election = Election {
        environment: &environment,
        ..election
    };
    let error = election.connect().expect_err("it does not listen");
    // The lock is free, and another can be started.
    let lock = fixture.directory().try_lock().expect("nobody has it");
    drop(lock);
    drop(fixture.attach());
    error
}

#[test]
fn a_supervisor_that_cannot_start_says_why() {
    let fixture = Fixture::new("fails");
    let error = refused(&fixture, "fail", fixture.election());
    let StartError::Refused { reason } = &error else {
        panic!("{error}")
    };
    assert_eq!(reason, "there is no luck:\nnone at all");
}

#[test]
fn what_a_supervisor_wrote_before_it_ended_is_in_the_error() {
    let fixture = Fixture::new("panics");
    let error = refused(&fixture, "panic", fixture.election()).to_string();
    assert!(error.contains("ended before it was ready"), "{error}");
    assert!(error.contains("out of luck"), "{error}");
}

#[test]
fn a_supervisor_that_hangs_is_killed_at_the_deadline() {
    let fixture = Fixture::new("hangs");
    let hasty = Election {
        deadline: Duration::from_secs(1),
        ..fixture.election()
    };
    let error = refused(&fixture, "hang", hasty);
    assert!(matches!(error, StartError::TimedOut { .. }), "{error}");
    // There is no note where the deadline came before the supervisor got so far.
    if fixture.note().exists() {
        let hanging = fixture.noted();
        wait_until("it is killed", || !hanging.is_alive());
    }
}
