//! What all test processes of a run share, counted from the engine's own events: under `cargo nextest run`, where each
//! test is a process, and under `cargo test`, where each test executable is. What is done once to what they share is counted
//! from the runtime's events, and each test looks for it itself.

mod created;
mod run;
mod stopped;

use run::{Ended, cargo_test, nextest};

/// Two hundred tests, in an executable of this name in each of three packages.
const CREW: [&str; 1] = ["crew"];

/// Everything else: three executables that include one declaration, and one without a harness.
const OTHERS: [&str; 4] = ["first", "second", "third", "main"];

/// What must happen in this order, and nothing of it more often.
const ORDER: [(&str, &str); 8] = [
    ("db", "started"),
    ("db", "setup"),
    ("db", "set_up"),
    ("db", "setup"),
    ("db", "set_up"),
    ("db", "ready"),
    ("pilot", "starting"),
    ("pilot", "started"),
];

#[test]
fn two_hundred_processes_share_one_fleet() {
    let Some(ended) = nextest(&CREW) else { return };
    ended.said("200 tests run: 200 passed");
    ended.has_shared_one_fleet();
}

#[test]
fn three_executables_with_two_hundred_tests_share_one_fleet() {
    let ended = cargo_test(&CREW);
    for (tests, executables) in [(70, 2), (60, 1)] {
        let passed = format!("test result: ok. {tests} passed; 0 failed");
        assert_eq!(
            ended.output.matches(&passed).count(),
            executables,
            "{}",
            ended.output
        );
    }
    ended.has_shared_one_fleet();
}

#[test]
fn each_scope_is_shared_as_far_as_it_says_by_processes_with_one_test() {
    let Some(ended) = nextest(&OTHERS) else {
        return;
    };
    ended.said("7 tests run: 7 passed");
    // Four tests share, each in a process; one of them has its own as well.
    ended.created([("lighthouse", 1 + 1), ("pier", 4 + 1), ("boat", 4 + 1)]);
    ended.created([("beach", 2), ("palm", 1)]);
    ended.created([("db", 1), ("pilot", 1)]);
    ended.was_set_up_once();
}

#[test]
fn each_scope_is_shared_as_far_as_it_says_by_processes_with_several_tests() {
    let ended = cargo_test(&OTHERS);
    ended.said("test a_program_shares ... ok");
    // Four tests share, in three processes; one of them has its own as well.
    ended.created([("lighthouse", 1 + 1), ("pier", 3 + 1), ("boat", 4 + 1)]);
    ended.created([("beach", 2), ("palm", 1)]);
    ended.created([("db", 1), ("pilot", 1)]);
    ended.was_set_up_once();
}

impl Ended {
    #[track_caller]
    fn said(&self, text: &str) {
        assert!(
            self.output.contains(text),
            "`{text}` is not in:\n{}",
            self.output
        );
    }

    #[track_caller]
    fn has_shared_one_fleet(&self) {
        assert_eq!(self.created.containers(), 2, "{:#?}", self.created);
        self.created([("db", 1), ("pilot", 1)]);
        self.was_set_up_once();
    }

    /// The database was set up, each setup once and after the one before; then it was ready; then what needs it was started.
    #[track_caller]
    fn was_set_up_once(&self) {
        let setups = |event| self.events.details("db", event, "setup");
        let titles = setups("setup");
        assert!(
            matches!(&titles[..], [first, then] if first.starts_with("`schema` ") && then == "`crossing` (`cross`)"),
            "{titles:?}"
        );
        assert_eq!(setups("set_up"), titles);
        let all = self.events.all();
        let of_fleet = all.iter().map(|(service, event)| (&**service, &**event));
        let in_order: Vec<_> = of_fleet.filter(|step| ORDER.contains(step)).collect();
        assert_eq!(in_order, ORDER, "{all:#?}");
    }

    /// So many instances there were of each service, and all were on one network.
    #[track_caller]
    fn created<const N: usize>(&self, instances: [(&str, usize); N]) {
        for (service, count) in instances {
            assert_eq!(
                self.created.count(service),
                count,
                "{service}: {:#?}",
                self.created
            );
            for event in ["created", "ready"] {
                assert_eq!(
                    self.events.count(service, event),
                    count,
                    "{service}: {event}"
                );
            }
        }
        self.created.assert_one_network();
    }
}
