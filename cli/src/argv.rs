//! The command line as Vault's users write it, turned into the one spelling that the parser knows.
//!
//! `-format=json`, `--format json` and `-format json` are the same; a switch may say `-force=false`; flags stand
//! before or after the path. `--` ends the flags.

use std::collections::BTreeSet;

use clap::{ArgAction, Command};

/// The names of all flags of a command tree.
#[derive(Default)]
pub(crate) struct Flags {
    /// Flags without a value.
    switches: BTreeSet<String>,
    /// Flags that always have a value.
    valued: BTreeSet<String>,
}

impl Flags {
    /// The flags of `command` and of all commands below it.
    pub(crate) fn of(command: &Command) -> Self {
        let mut flags = Self::default();
        flags.collect(command);
        flags
    }

    fn collect(&mut self, command: &Command) {
        for argument in command.get_arguments() {
            let names = argument.get_long_and_visible_aliases().unwrap_or_default();
            let hidden = argument.get_all_aliases().unwrap_or_default();
            let names = names.into_iter().chain(hidden).map(str::to_owned);
            let action = argument.get_action();
            if matches!(action, ArgAction::SetTrue) {
                self.switches.extend(names);
            } else if matches!(action, ArgAction::Set | ArgAction::Append) && !argument.is_require_equals_set() {
                self.valued.extend(names);
            }
        }
        for command in command.get_subcommands() {
            self.collect(command);
        }
    }

    /// `argv` with every flag as `--name` or `--name=value`. The first item is the program's name.
    pub(crate) fn normalise(&self, argv: impl IntoIterator<Item = String>) -> Vec<String> {
        let mut argv = argv.into_iter().enumerate();
        let mut out = Vec::new();
        while let Some((index, argument)) = argv.next() {
            let Some(body) = argument.strip_prefix('-').filter(|body| index > 0 && !body.is_empty()) else {
                out.push(argument);
                continue;
            };
            if argument == "--" {
                out.push(argument);
                break;
            }
            let body = body.strip_prefix('-').unwrap_or(body);
            let (name, value) = match body.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (body, None),
            };
            match (name, value) {
                ("h" | "help", None) => out.push("--help".to_owned()),
                ("v" | "version", None) if index == 1 => out.push("--version".to_owned()),
                (_, None) if self.valued.contains(name) => match argv.next() {
                    Some((_, value)) => out.push(format!("--{name}={value}")),
                    None => out.push(format!("--{name}")),
                },
                (_, Some(value)) if self.switches.contains(name) => match truth(value) {
                    Some(true) => out.push(format!("--{name}")),
                    Some(false) => {}
                    None => out.push(format!("--{body}")),
                },
                _ => out.push(format!("--{body}")),
            }
        }
        out.extend(argv.map(|(_, argument)| argument));
        out
    }
}

/// A truth value as Vault's flags take it.
pub(crate) fn truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Cli;

    fn normalised(line: &str) -> String {
        let flags = Flags::of(&Cli::command());
        flags.normalise(line.split(' ').map(str::to_owned)).join(" ")
    }

    #[test]
    fn one_dash_and_two_are_the_same() {
        assert_eq!(normalised("arca read -format=json a/b"), "arca read --format=json a/b");
        assert_eq!(normalised("arca read --format json a/b"), "arca read --format=json a/b");
        assert_eq!(normalised("arca read a/b -format json"), "arca read a/b --format=json");
        assert_eq!(normalised("arca kv put -cas -1 a b=c"), "arca kv put --cas=-1 a b=c");
        assert_eq!(normalised("arca kv get -version 2 a"), "arca kv get --version=2 a");
    }

    #[test]
    fn switches_take_a_truth_value() {
        assert_eq!(normalised("arca write -f a"), "arca write --f a");
        assert_eq!(normalised("arca write -force=true a"), "arca write --force a");
        assert_eq!(normalised("arca write -force=false a"), "arca write a");
        assert_eq!(normalised("arca write -force=maybe a"), "arca write --force=maybe a");
        assert_eq!(normalised("arca token create -renewable=false"), "arca token create --renewable=false");
        assert_eq!(normalised("arca token create -renewable -ttl 1h"), "arca token create --renewable --ttl=1h");
    }

    #[test]
    fn help_and_version_have_their_short_forms() {
        assert_eq!(normalised("arca -v"), "arca --version");
        assert_eq!(normalised("arca read -h"), "arca read --help");
    }

    #[test]
    fn stdin_and_everything_behind_two_dashes_stay_as_they_are() {
        assert_eq!(normalised("arca write a -"), "arca write a -");
        assert_eq!(normalised("arca write a b=-"), "arca write a b=-");
        assert_eq!(normalised("arca write a -- -x=y --z"), "arca write a -- -x=y --z");
        assert_eq!(normalised("arca read -format"), "arca read --format");
    }

    #[test]
    fn no_flag_is_a_switch_here_and_has_a_value_there() {
        let flags = Flags::of(&Cli::command());
        let both: Vec<_> = flags.switches.intersection(&flags.valued).collect();
        assert!(both.is_empty(), "{both:?}");
        assert!(flags.switches.contains("f") && flags.valued.contains("ns") && flags.valued.contains("format"));
    }
}
