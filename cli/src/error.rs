//! What went wrong, what to do next, and the exit code: 1 used wrongly or local, 2 the server said no, as Vault's.

use std::fmt;
use std::io;

/// The result of everything that a command does.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// How the process ends when a command did not simply succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what was asked for without saying so in the usual way.
    Success,
    /// Used wrongly, or a local file or terminal failed.
    Local,
    /// The server said no, or has nothing there, or cannot be reached.
    Remote,
    /// There is no such command.
    UnknownCommand,
}

impl Exit {
    /// The number that the shell sees.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Local => 1,
            Self::Remote => 2,
            Self::UnknownCommand => 127,
        }
    }
}

/// A failure: the exit code, a message (empty if the output has said it all) and advice on what to do next.
#[derive(Debug)]
pub(crate) struct Error {
    exit: Exit,
    status: Option<u16>,
    message: String,
    advice: Option<String>,
}

impl Error {
    /// The command was used wrongly, or something on this machine failed.
    pub(crate) fn local(message: impl Into<String>) -> Self {
        Self { exit: Exit::Local, status: None, message: message.into(), advice: None }
    }

    /// The server said no, or cannot be reached.
    pub(crate) fn remote(message: impl Into<String>) -> Self {
        Self { exit: Exit::Remote, status: None, message: message.into(), advice: None }
    }

    /// Nothing more to say: the output has said it.
    pub(crate) fn quiet(exit: Exit) -> Self {
        Self { exit, status: None, message: String::new(), advice: None }
    }

    /// Not enough, or too many, arguments.
    pub(crate) fn usage(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, status: None, message: message.into(), advice: None }
    }

    /// Nothing is at `path`.
    pub(crate) fn absent(path: &str) -> Self {
        Self::remote(format!("No value found at {path}"))
            .advise("Check the path; `arca list` shows what is in a folder, `arca secrets list` what is mounted.")
    }

    /// The same failure with what to do next, unless that is already said.
    #[must_use]
    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice.get_or_insert_with(|| advice.into());
        self
    }

    /// The same failure, introduced by what was being done.
    #[must_use]
    pub(crate) fn context(mut self, what: impl fmt::Display) -> Self {
        if !self.message.is_empty() && self.exit != Exit::Success {
            self.message = format!("{what}: {}", self.message);
        }
        self
    }

    /// The same failure with another exit code.
    #[must_use]
    pub(crate) fn exiting(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The same failure with the HTTP status that it came with.
    #[must_use]
    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// How the process ends.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The HTTP status, if a server answered.
    pub(crate) fn status(&self) -> Option<u16> {
        self.status
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.advice {
            Some(advice) if !self.message.is_empty() => write!(f, "\n\n{advice}"),
            Some(_) | None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// Writing the output failed. A reader that went away (`arca … | head`) has what it wanted: that is success.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::quiet(Exit::Success);
        }
        Self::local(format!("Error writing the output: {error}")).advise("Check where the output goes, and its space.")
    }
}

/// An error of the operating system without its number, in the words that operators know.
pub(crate) fn os_message(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_went_away_is_success() {
        let error = Error::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(error.exit().code(), 0);
        assert_eq!(error.to_string(), "");
    }

    #[test]
    fn advice_follows_the_message_and_the_first_stays() {
        let error = Error::remote("no").advise("do this").advise("do that").context("Error reading x");
        assert_eq!(error.to_string(), "Error reading x: no\n\ndo this");
        assert_eq!(error.exit().code(), 2);
    }

    #[test]
    fn the_number_of_an_os_error_is_left_out() {
        assert_eq!(os_message(&io::Error::from_raw_os_error(2)), "no such file or directory");
    }
}
