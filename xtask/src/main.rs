//! The project's commands, run as `cargo xtask <command>`: the table of them, and how each is called.
//!
//! A command here arranges what others do (cargo, the engine, the package manager) and says what it does. It tests
//! nothing itself and knows nothing of the product's inside.

mod api;
mod bench;
mod commands;
mod daemon;
mod demo;
mod engine;
mod fuzz;
mod images;
mod install;
mod leftovers;
mod packages;
mod soak;
mod steps;
mod test;
#[cfg(test)]
mod words;
mod workspace;

use std::process::ExitCode;

use commands::{Command, dispatch};

const COMMANDS: &[Command] = &[
    Command {
        name: "demo",
        usage: "demo",
        about: "install what is missing and run the shop example's tests on real services",
        run: demo::run,
    },
    Command {
        name: "test",
        usage: test::USAGE,
        about: "check everything that CI checks\n\
                --full: everything under both harnesses, on every engine; ROUNDS=n repeats the engine's tests\n\
                --quick: what needs no engine\n\
                --strict: fail also for a test that passes when it is tried again",
        run: test::run,
    },
    Command {
        name: "images",
        usage: "images",
        about: "get the images that the tests run on, or make them, and test them",
        run: images::run,
    },
    Command {
        name: "soak",
        usage: soak::USAGE,
        about: "provoke rare events, often enough to count them: networks that get stuck, runs that are killed,\n\
                engines that go away, many processes that start at once, setups that are cut short;\n\
                --help: the names",
        run: soak::run,
    },
    Command {
        name: "bench",
        usage: bench::USAGE,
        about: "measure Seatrial beside testcontainers and raw calls of the engine's API; --help: the scenarios\n\
                --update: write the table and the chart into README.md",
        run: bench::run,
    },
    Command {
        name: "fuzz",
        usage: fuzz::USAGE,
        about: "run the parsers on malformed input, 20 minutes each; needs a nightly toolchain",
        run: fuzz::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch("cargo xtask", COMMANDS, &arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
