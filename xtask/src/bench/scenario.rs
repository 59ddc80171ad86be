//! The scenarios: what each is called, what it measures, and which cases it has. It runs none.

use std::fmt;

use super::sample::Contender;

/// What a case's samples are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Seconds.
    Time,
    /// Things that are counted.
    Count,
}

/// One thing that a scenario measures, as its samples name it.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) unit: Unit,
}

/// A test of each contender.
pub(super) struct Test {
    pub(super) name: &'static str,
    /// Whether Seatrial may start services ahead, as it does by default.
    pub(super) may_start_ahead: bool,
}

/// How a scenario is measured.
pub(super) enum Method {
    /// These tests of each contender, each in a process of its own, which reports samples.
    Tests(&'static [Test]),
    /// All tests of a package of each contender, by a command of cargo: how long the command takes.
    Commands,
    /// Builds from nothing.
    Builds,
}

pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// How many rounds there are where no number is given.
    pub(super) rounds: u32,
    pub(super) method: Method,
    pub(super) contenders: &'static [Contender],
    pub(super) cases: &'static [Case],
    /// Whether it runs on the server that says when it was ready.
    pub(super) needs_server: bool,
    /// Whether the 95th percentile of each case is in the table, too.
    pub(super) tail: bool,
    /// What a reader of the figures has to know.
    pub(super) note: &'static str,
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

const fn time(name: &'static str) -> Case {
    Case {
        name,
        unit: Unit::Time,
    }
}

const fn test(name: &'static str) -> Test {
    Test {
        name,
        may_start_ahead: true,
    }
}

const fn nothing_ahead(name: &'static str) -> Test {
    Test {
        name,
        may_start_ahead: false,
    }
}

const ALL: &[Contender] = &Contender::ALL;
const FLOOR: &[Contender] = &[Contender::Floor];
const FRAMEWORKS: &[Contender] = &[Contender::Seatrial, Contender::Testcontainers];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "one",
        about: "one Redis, until it answers PING",
        rounds: 4,
        method: Method::Tests(&[
            nothing_ahead("one"),
            test("one_ahead"),
            test("one_on_a_network"),
        ]),
        contenders: ALL,
        cases: &[
            time("warm"),
            time("started ahead"),
            time("cold"),
            time("cold, on a new network"),
        ],
        needs_server: false,
        tail: false,
        note: "until Redis answers PING. warm: a later start of a process, after what it had started before is gone; \
               Seatrial has prepared network namespaces (`ahead = 0`). started ahead: the same with Seatrial's defaults, \
               from the third start on; the others have nothing like it, and start as ever. cold: the first start of a \
               new process; with Seatrial also of a new run, whose supervisor is started and whose network is made. The \
               others use the engine's default network. on a new network: they make one, too, as is needed wherever \
               services find each other by name.",
    },
    Scenario {
        name: "twenty",
        about: "twenty Redis at once, until all answer",
        rounds: 3,
        method: Method::Tests(&[nothing_ahead("twenty"), test("twenty_ahead")]),
        contenders: ALL,
        cases: &[time("warm"), time("started ahead"), time("cold")],
        needs_server: false,
        tail: false,
        note: "until all answer PING; testcontainers and the raw calls start all at the same time, too.",
    },
    Scenario {
        name: "chain",
        about: "four services, each of which needs the one before it, until the last answers",
        rounds: 4,
        method: Method::Tests(&[nothing_ahead("chain"), test("chain_ahead")]),
        contenders: ALL,
        cases: &[time("warm"), time("started ahead"), time("cold")],
        needs_server: false,
        tail: false,
        note: "each service has the address of the one before it in a variable. testcontainers has no dependencies: its \
               containers are started one after another.",
    },
    Scenario {
        name: "fifty",
        about: "fifty tests with a fresh Redis each, under `cargo test` and `cargo nextest run`",
        rounds: 2,
        method: Method::Commands,
        contenders: ALL,
        cases: &[time("cargo test"), time("cargo nextest run")],
        needs_server: false,
        tail: false,
        note: "the whole command, with everything built, and as many tests at a time as the harness chooses.",
    },
    Scenario {
        name: "attach",
        about: "a new test process uses a service that runs already",
        rounds: 3,
        method: Method::Tests(&[test("attach")]),
        contenders: ALL,
        cases: &[time("new process")],
        needs_server: false,
        tail: false,
        note: "until Redis answers PING. Seatrial: `scope = run`, which checks the service again. testcontainers: \
               `ReuseDirective::Always`, which checks nothing, and nothing removes the container. Raw calls: one look at \
               the container, whose id is known.",
    },
    Scenario {
        name: "lag",
        about: "from a service's readiness to the return of its start, by tcp, log and http",
        rounds: 4,
        method: Method::Tests(&[nothing_ahead("lag_after_readiness")]),
        contenders: FRAMEWORKS,
        cases: &[time("tcp"), time("log"), time("http")],
        needs_server: true,
        tail: true,
        note: "a server becomes ready 150 to 700 ms after its start, and says when that was. testcontainers has no check \
               for tcp; the interval of its HTTP check is its default, 100 ms.",
    },
    Scenario {
        name: "teardown",
        about: "from the last statement of a test to the end of its process",
        rounds: 4,
        method: Method::Tests(&[test("teardown_of_one"), test("teardown_of_ten")]),
        contenders: ALL,
        cases: &[time("one service"), time("ten services")],
        needs_server: false,
        tail: false,
        note: "testcontainers removes containers one after another where they are dropped. With Seatrial the supervisor \
               removes them after the process has ended. The raw calls remove all at the same time.",
    },
    Scenario {
        name: "calls",
        about: "each call of a start and of a removal, by the kind of network",
        rounds: 3,
        method: Method::Tests(&[test("all_calls")]),
        contenders: FLOOR,
        cases: &[
            time("create a network"),
            time("create a container"),
            time("start: default network, published port"),
            time("start: network of its own, published port"),
            time("start: network of its own"),
            time("start: namespace of another"),
            time("start: no network"),
            time("Redis begins to answer"),
            time("remove: default network, published port"),
            time("remove: network of its own, published port"),
            time("remove: network of its own"),
            time("remove: namespace of another"),
            time("remove: no network"),
            time("remove a network"),
        ],
        needs_server: false,
        tail: false,
        note: "one call after another, nothing beside them. docs/start.md says what follows from the figures.",
    },
    Scenario {
        name: "build",
        about: "the crates, and a clean debug build, of the same test",
        rounds: 2,
        method: Method::Builds,
        contenders: FRAMEWORKS,
        cases: &[
            Case {
                name: "crates",
                unit: Unit::Count,
            },
            time("clean build"),
            time("processor time"),
        ],
        needs_server: false,
        tail: false,
        note: "the tests of `examples/source-to-mysql`, and the same tests with testcontainers and its default features.",
    },
];

/// The scenario of this name.
pub(super) fn find(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}

/// The names of all.
pub(super) fn names() -> String {
    let names: Vec<&str> = SCENARIOS.iter().map(|it| it.name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_scenario_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = SCENARIOS.iter().map(|it| it.name).collect();
        assert_eq!(names.len(), SCENARIOS.len());
        for name in names {
            assert_eq!(find(name).map(|it| it.name), Some(name));
        }
        assert!(find("two").is_none());
    }
}
