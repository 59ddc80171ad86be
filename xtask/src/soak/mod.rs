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

pub(crate) const USAGE: &str = "soak NAME [--rounds N] [--seed S]";

const COMMANDS: &[Command] = &[
    Command {
        name: "network",
        usage: "network [--rounds N]",
        about: "count the networks that an engine of its own cannot remove, with and without our lock, and after a run of ten times as many starts",
        run: network::run,
    },
    Command {
        name: "kill",
        usage: "kill [--rounds N] [--seed S]",
        about: "kill any process of a run at any moment, and check that nothing is left",
        run: kill::run,
    },
    Command {
        name: "beside",
        usage: "beside [--rounds N] [--seed S]",
        about: "kill one of two runs at any moment, and check that the other does not notice",
        run: kill::beside::run,
    },
    Command {
        name: "outage",
        usage: "outage [--rounds N] [--seed S]",
        about: "stop an engine of its own in the middle of a run and start it again, and check that tests report it and nothing is left",
        run: outage::run,
    },
    Command {
        name: "start",
        usage: "start [--rounds N]",
        about: "have 64 processes ask for one composition at the same moment, and check that it is started once",
        run: start::run,
    },
    Command {
        name: "setup",
        usage: "setup [--rounds N] [--seed S]",
        about: "kill the process that sets up a shared service in the middle of the setup, and check that the others get it complete",
        run: setup::run,
    },
    Command {
        name: "memory",
        usage: "memory [--rounds N]",
        about: "pass gigabytes of log, output and files through a test and its supervisor, and check how much memory they use",
        run: memory::run,
    },
];

/// `cargo xtask soak ..`
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    dispatch("cargo xtask soak", COMMANDS, arguments)
}
