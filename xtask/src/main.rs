//! The project's commands, run as `cargo xtask <command>`: the table of them, and how each is called.
//!
//! A command here arranges what others do (cargo, the engine, the package manager) and says what it does. It tests
//! nothing itself and knows nothing of the product's inside.

mod api;
mod demo;
mod engine;
mod images;
mod install;
mod leftovers;
mod packages;
mod steps;
mod test;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

/// A command: what it is called, how it is used, what it is for, and what it does with its arguments.
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
        usage: "test [--quick]",
        about: "check everything that CI checks; --quick: what needs no engine",
        run: test::run,
    },
    Command {
        name: "images",
        usage: "images",
        about: "get the images that the tests run on, or make them, and test them",
        run: images::run,
    },
    Command {
        name: "help",
        usage: "help",
        about: "show this",
        run: |_| {
            println!("{}", help());
            Ok(())
        },
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<()> {
    let Some((name, rest)) = arguments.split_first() else {
        bail!("no command is given\n\n{}", help());
    };
    let name = match name.as_str() {
        "-h" | "--help" => "help",
        name => name,
    };
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        bail!("there is no command `{name}`\n\n{}", help());
    };
    (command.run)(rest)
}

fn help() -> String {
    let mut text = "usage: cargo xtask <command>\n".to_owned();
    for command in COMMANDS {
        text += &format!("\n  {:<22} {}", command.usage, command.about);
    }
    text
}
