//! `arca`, the operator's command line: parse, run, map to an exit code.

#![expect(clippy::format_push_string, reason = "what is built here is read by people, a line at a time")]
#![expect(clippy::unused_self, reason = "every command runs the same way, those without arguments too")]

mod args;
mod argv;
mod client;
mod commands;
mod error;
mod files;
mod input;
mod json;
mod output;
mod token_helper;

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches};

use crate::args::Cli;
use crate::argv::Flags;
use crate::error::{Error, Exit, Result};
use crate::output::{Format, Output};

fn main() -> ExitCode {
    let argv = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    let mut output = Output::standard(Format::Table);
    match run(argv, &mut output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.failure(&error);
            ExitCode::from(error.exit().code())
        }
    }
}

fn run(argv: impl Iterator<Item = String>, output: &mut Output) -> Result<()> {
    let mut command = Cli::command();
    let argv = Flags::of(&command).normalise(argv);
    let parsed = command.try_get_matches_from_mut(&argv).and_then(|matches| Cli::from_arg_matches(&matches));
    let Cli { globals, command } = parsed.map_err(|error| usage(&error, &argv))?;
    *output = Output::standard(globals.format()?);
    command.run(globals, output)
}

/// A failure to parse, in the words and with the exit codes that Vault's users know.
fn usage(error: &clap::Error, argv: &[String]) -> Error {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(" "),
        Some(_) | None => String::new(),
    };
    let no_noun = argv.get(1).is_none_or(|first| first.starts_with('-'));
    let kind = error.kind();
    let text = error.to_string();
    if matches!(kind, ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return Error::usage(Exit::Success, text.trim_end());
    }
    if matches!(kind, ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand) {
        return Error::usage(if no_noun { Exit::UnknownCommand } else { Exit::Local }, text.trim_end());
    }
    if kind == ErrorKind::InvalidSubcommand {
        let name = context(ContextKind::InvalidSubcommand);
        let exit = if argv.get(1) == Some(&name) { Exit::UnknownCommand } else { Exit::Local };
        return Error::usage(exit, format!("There is no command \"{name}\" here.")).advise(help_line(argv, exit));
    }
    let name = context(ContextKind::InvalidArg);
    let message = match kind == ErrorKind::UnknownArgument {
        true if name.starts_with('-') => format!("flag provided but not defined: -{}", name.trim_start_matches('-')),
        true => "Too many arguments".to_owned(),
        false if kind == ErrorKind::MissingRequiredArgument => format!("Not enough arguments: {name} is missing"),
        false => text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    };
    Error::usage(Exit::Local, message).advise(help_line(argv, Exit::Local))
}

/// Where the help of the command is.
fn help_line(argv: &[String], exit: Exit) -> String {
    let mut command = Cli::command();
    let mut path = vec!["arca".to_owned()];
    for word in argv.iter().skip(1).filter(|word| !word.starts_with('-')) {
        let Some(next) = command.find_subcommand(word).cloned() else { break };
        path.push(next.get_name().to_owned());
        command = next;
    }
    let what = if exit == Exit::UnknownCommand { "the commands" } else { "its arguments" };
    format!("See `{} -h` for {what}.", path.join(" "))
}
