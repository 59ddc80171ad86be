//! The project's commands, run as `cargo xtask <command>`: the table of them, and how each is called.
//!
//! A command here arranges what others do (cargo, the engine, the package manager) and says what it does. It tests
//! nothing itself and knows nothing of the product's inside.

mod api;
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

use anyhow::{Result, bail};

/// A command: what it is called, how it is used, what it is for (in lines), and what it does with its arguments.
struct Command {
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Result<()>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "demo",
        usage: "demo",
        about: "get what is missing and run the shop example's tests on real services",
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
        about: "provoke what happens rarely, often enough to be counted: networks that get stuck, runs that are killed,\n\
                engines that go away, many processes that start at once, setups that are cut short",
        run: soak::run,
    },
    Command {
        name: "fuzz",
        usage: fuzz::USAGE,
        about: "give the parsers what nobody would write, 20 minutes each: needs a nightly toolchain",
        run: fuzz::run,
    },
    Command {
        name: "help",
        usage: "help",
        about: "show this",
        run: |_| {
            println!("{}", help("cargo xtask", COMMANDS));
            Ok(())
        },
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

/// Runs the command of a table that the first argument names, with the others. `path` is what was typed before it: a
/// command may have a table of its own.
fn dispatch(path: &str, commands: &[Command], arguments: &[String]) -> Result<()> {
    let Some((name, rest)) = arguments.split_first() else {
        bail!("no command is given\n\n{}", help(path, commands));
    };
    let name = match name.as_str() {
        "-h" | "--help" => "help",
        name => name,
    };
    let Some(command) = commands.iter().find(|command| command.name == name) else {
        bail!("there is no command `{name}`\n\n{}", help(path, commands));
    };
    (command.run)(rest)
}

fn help(path: &str, commands: &[Command]) -> String {
    let width = commands.iter().map(|command| command.usage.len()).max();
    let width = width.unwrap_or(0);
    let mut text = format!("usage: {path} <command>\n");
    for command in commands {
        let mut usage = command.usage;
        for line in command.about.lines() {
            text += &format!("\n  {usage:<width$}  {line}");
            usage = "";
        }
    }
    text
}
