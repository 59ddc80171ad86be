//! A table of commands: what a command is, which one the arguments name, and the usage of all.
//!
//! It knows no command itself.

use anyhow::{Result, bail};

/// A command: what it is called, how it is used, what it is for (in lines), and what it does with its arguments.
pub(crate) struct Command {
    pub(crate) name: &'static str,
    pub(crate) usage: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&[String]) -> Result<()>,
}

/// Runs the command of a table that the first argument names, with the others, or shows the table if it asks for help.
/// `path` is what was typed before it: a command may have a table of its own.
pub(crate) fn dispatch(path: &str, commands: &[Command], arguments: &[String]) -> Result<()> {
    let Some((name, rest)) = arguments.split_first() else {
        bail!("missing command\n\n{}", help(path, commands));
    };
    if matches!(name.as_str(), "help" | "-h" | "--help") {
        println!("{}", help(path, commands));
        return Ok(());
    }
    let Some(command) = commands.iter().find(|command| command.name == name) else {
        bail!("unknown command `{name}`\n\n{}", help(path, commands));
    };
    (command.run)(rest)
}

/// The usage of all commands of a table.
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
