//! `arca completion bash|zsh|fish`

use clap::{CommandFactory, ValueEnum};
use clap_complete::{Shell as Target, generate};

use crate::args::Cli;
use crate::error::Result;
use crate::output::Output;

/// Prints a completion script. For bash: `source <(arca completion bash)`
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

/// A shell that scripts are made for.
#[derive(Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Args {
    /// Prints it.
    pub(crate) fn run(self, output: &mut Output) -> Result<()> {
        let shell = match self.shell {
            Shell::Bash => Target::Bash,
            Shell::Zsh => Target::Zsh,
            Shell::Fish => Target::Fish,
        };
        let mut script = Vec::new();
        generate(shell, &mut Cli::command(), "arca", &mut script);
        output.bytes(&script)
    }
}
