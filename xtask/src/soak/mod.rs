//! `cargo xtask soak`: what happens rarely, provoked often enough to be counted. By hand only: it takes minutes, and
//! what it looks for is rare.

mod crowd;
mod kill;
mod left;
mod memory;
mod network;
mod next;
mod options;
mod outage;
mod package;
mod process;
mod random;
mod report;
mod round;
mod setup;
mod start;

use anyhow::Result;

use crate::commands::{Command, dispatch};

pub(crate) const USAGE: &str =
    "soak network|kill|beside|outage|start|setup|memory [--rounds N] [--seed S]";

const COMMANDS: &[Command] = &[
    Command {
        name: "network",
        usage: "network [--rounds N]",
        about: "count the networks that an engine of its own cannot remove, with and without our lock",
        run: network::run,
    },
    Command {
        name: "kill",
        usage: "kill [--rounds N] [--seed S]",
        about: "kill any process of a run at any moment, and see that nothing is left",
        run: kill::run,
    },
    Command {
        name: "beside",
        usage: "beside [--rounds N] [--seed S]",
        about: "kill one of two runs at any moment, and see that the other does not notice",
        run: kill::beside::run,
    },
    Command {
        name: "outage",
        usage: "outage [--rounds N] [--seed S]",
        about: "stop an engine of its own in the middle of a run and start it again, and see that tests say so and nothing is left",
        run: outage::run,
    },
    Command {
        name: "start",
        usage: "start [--rounds N]",
        about: "have 64 processes ask for one composition at the same moment, and see that it is started once",
        run: start::run,
    },
    Command {
        name: "setup",
        usage: "setup [--rounds N] [--seed S]",
        about: "kill the process that sets a shared service up, in the middle, and see that the others get it whole",
        run: setup::run,
    },
    Command {
        name: "memory",
        usage: "memory [--rounds N]",
        about: "have gigabytes of log, output and files pass through a test and its supervisor, and see how much memory they use",
        run: memory::run,
    },
];

/// `cargo xtask soak ..`
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    dispatch("cargo xtask soak", COMMANDS, arguments)
}
