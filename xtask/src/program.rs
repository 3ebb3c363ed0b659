//! Running other programs, and saying what went wrong with them.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::failure::Failure;
use crate::running::Running;

/// A program with its arguments.
#[derive(Debug)]
pub(crate) struct Program {
    command: Command,
    advice: String,
    input: Option<Vec<u8>>,
}

impl Program {
    /// The program of this name, or at this path.
    pub(crate) fn new(name: impl AsRef<OsStr>) -> Self {
        Self { command: Command::new(name), advice: "See what it says above.".to_owned(), input: None }
    }

    /// An argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Several arguments.
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// The arguments of a line, which has blanks only between them.
    pub(crate) fn words(self, line: &str) -> Self {
        self.args(line.split_whitespace())
    }

    /// A variable of its environment.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// This variable is not in its environment.
    pub(crate) fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Nothing in its environment but what is set after this.
    pub(crate) fn env_clear(mut self) -> Self {
        self.command.env_clear();
        self
    }

    /// The folder that it runs in.
    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// What it reads; nothing if this is not said.
    pub(crate) fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }

    /// What to do when it fails.
    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = advice.into();
        self
    }

    /// Runs it in the open, its output being shown as it comes.
    pub(crate) fn show(mut self) -> Result<(), Failure> {
        let status = self.command.stdin(Stdio::null()).status().map_err(|error| self.absent(&error))?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::new(format!("`{}` failed ({status})", self.line()), self.advice))
    }

    /// Runs it, and gives what it printed to its standard output.
    pub(crate) fn capture(self) -> Result<String, Failure> {
        let (line, advice) = (self.line(), self.advice.clone());
        let ended = self.end()?;
        if ended.code == 0 {
            return Ok(ended.out);
        }
        Err(Failure::new(format!("`{line}` ended with code {}:\n{}{}", ended.code, ended.out, ended.err), advice))
    }

    /// Runs it to its end, good or bad.
    pub(crate) fn end(mut self) -> Result<Ended, Failure> {
        let input = self.input.take();
        let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
        let spawned = self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|error| self.absent(&error))?;
        if let (Some(bytes), Some(mut pipe)) = (input, child.stdin.take()) {
            // A program that does not read what it is given says so by its exit code.
            let _ = pipe.write_all(&bytes);
        }
        child.wait_with_output().map(Ended::of).map_err(|error| self.absent(&error))
    }

    /// Starts it in the background, its output going to the end of `log`.
    pub(crate) fn start(mut self, log: &Path) -> Result<Running, Failure> {
        let file = File::options().create(true).append(true).open(log).map_err(|error| Failure::file(log, &error))?;
        let second = file.try_clone().map_err(|error| Failure::file(log, &error))?;
        let spawned = self.command.stdin(Stdio::null()).stdout(file).stderr(second).spawn();
        spawned.map(|child| Running::new(child, self.line(), log.to_owned())).map_err(|error| self.absent(&error))
    }

    fn absent(&self, error: &std::io::Error) -> Failure {
        let name = self.command.get_program().to_string_lossy();
        Failure::new(format!("`{name}` cannot be run: {error}"), format!("Install {name}, or check who may run it."))
    }

    /// The command line as it is shown. What is secret never goes there: it is in the environment or read as input.
    fn line(&self) -> String {
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
    }
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit code; -1 if a signal ended it.
    pub(crate) code: i32,
    /// Its standard output.
    pub(crate) out: String,
    /// Its standard error.
    pub(crate) err: String,
}

impl Ended {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Where the program of this name is, if it is on the `PATH`.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_prints_is_given() {
        assert_eq!(Program::new("cat").input("text").capture().unwrap(), "text");
    }

    #[test]
    fn a_failure_says_what_was_run_and_what_to_do() {
        let failure = Program::new("sh").args(["-c", "echo why >&2; exit 3"]).advise("Do this.").capture().unwrap_err();
        assert_eq!(failure.what, "`sh -c echo why >&2; exit 3` ended with code 3:\nwhy\n");
        assert_eq!(failure.advice, "Do this.");
        let absent = Program::new("arca-no-such-program").capture().unwrap_err();
        assert!(absent.advice.starts_with("Install arca-no-such-program"));
    }

    #[test]
    fn programs_are_found_on_the_path() {
        assert!(find("sh").is_some());
        assert!(find("arca-no-such-program").is_none());
    }
}
