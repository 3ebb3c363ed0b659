//! The only place that prints, and so the only place where a secret leaves the process.

mod human;
mod secret;
mod table;
mod yaml;

use std::io::{IsTerminal, Write, stderr, stdout};

use zeroize::Zeroizing;

use crate::error::{Error, Exit, Result};
use crate::json::Json;

pub(crate) use human::{plain, shown};
pub(crate) use table::{columns, key_value, section, titled, wrap};

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Columns for people.
    Table,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// As for people; kept apart for commands that have a richer form.
    Pretty,
    /// The server's bytes as they came; reads only.
    Raw,
}

impl Format {
    /// A format by its name.
    pub(crate) fn parse(name: &str) -> Result<Self> {
        match name.to_ascii_lowercase().as_str() {
            "table" => Ok(Self::Table),
            "json" => Ok(Self::Json),
            "yaml" | "yml" => Ok(Self::Yaml),
            "pretty" => Ok(Self::Pretty),
            "raw" => Ok(Self::Raw),
            _ => Err(Error::local(format!("Invalid output format: {name}"))
                .advise("Use table, json, yaml, pretty, or raw (for `arca read`).")),
        }
    }

    /// Whether people read it.
    pub(crate) fn is_for_people(self) -> bool {
        matches!(self, Self::Table | Self::Pretty)
    }
}

/// What a command has to show: text for people, JSON for programs, and fields.
pub(crate) trait Render {
    /// The text that people read, with its last newline.
    fn table(&self) -> Zeroizing<String>;
    /// What programs read.
    fn json(self) -> Json;
    /// One field alone; nothing if there is no such field, or it is null.
    fn field(&self, name: &str) -> Option<Json>;
    /// What to know beside it.
    fn warnings(&self) -> &[String] {
        &[]
    }
}

/// A plain sheet: a value, and the text that shows it.
pub(crate) struct Sheet {
    /// What programs read, and where fields are looked up.
    pub(crate) value: Json,
    /// What people read.
    pub(crate) text: Zeroizing<String>,
}

impl Sheet {
    /// A value shown by these columns.
    pub(crate) fn of(value: Json, rows: &[Vec<String>]) -> Self {
        Self { value, text: columns(rows) }
    }
}

impl Render for Sheet {
    fn table(&self) -> Zeroizing<String> {
        self.text.clone()
    }

    fn json(self) -> Json {
        self.value
    }

    fn field(&self, name: &str) -> Option<Json> {
        self.value.some(name).map(Json::copy)
    }
}

/// Standard output and standard error.
pub(crate) struct Output {
    format: Format,
    terminal: bool,
    /// Whether someone sees standard error come.
    watched: bool,
    out: Box<dyn Write>,
    err: Box<dyn Write>,
}

impl Output {
    /// The process's own.
    pub(crate) fn standard(format: Format) -> Self {
        Self {
            format,
            terminal: stdout().is_terminal(),
            watched: stderr().is_terminal(),
            out: Box::new(stdout()),
            err: Box::new(stderr()),
        }
    }

    /// The chosen format.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Says what was done, to people only: programs read the exit code.
    pub(crate) fn success(&mut self, text: &str) -> Result<()> {
        if self.format.is_for_people() { self.line(text) } else { Ok(()) }
    }

    /// A line on standard output in any format.
    pub(crate) fn line(&mut self, text: &str) -> Result<()> {
        self.verbatim(text)?;
        self.verbatim("\n")
    }

    /// Something to know, on standard error.
    pub(crate) fn note(&mut self, text: &str) -> Result<()> {
        writeln!(self.err, "{text}")?;
        Ok(())
    }

    /// How far a long command has got: one line on a terminal that is written over again, and nothing anywhere else. An
    /// empty text takes the line away.
    pub(crate) fn progress(&mut self, text: &str) -> Result<()> {
        if self.watched {
            write!(self.err, "\r{text}\x1b[K")?;
            self.err.flush()?;
        }
        Ok(())
    }

    /// A failure, on standard error.
    pub(crate) fn failure(&mut self, error: &Error) {
        let text = error.to_string();
        let written = match error.exit() {
            _ if text.is_empty() => Ok(()),
            Exit::Success => writeln!(self.out, "{text}"),
            Exit::Local | Exit::Remote | Exit::UnknownCommand => writeln!(self.err, "{}", text.trim_end()),
        };
        // Where even standard error is closed there is nobody left to tell.
        drop(written);
    }

    /// Shows what a command has to show, or one field of it.
    pub(crate) fn show(&mut self, what: impl Render, field: Option<&str>) -> Result<()> {
        if let Some(name) = field {
            let value = what.field(name).ok_or_else(|| {
                Error::local(format!("Field \"{name}\" not present in secret"))
                    .advise("Leave out -field to see which fields there are.")
            })?;
            return self.alone(&value);
        }
        match self.format {
            Format::Table | Format::Pretty => {
                let text = what.table();
                self.verbatim(&text)?;
                let warnings = what.warnings();
                if warnings.is_empty() { Ok(()) } else { self.note(&table::warnings(warnings)) }
            }
            Format::Json => self.line(&what.json().pretty()),
            Format::Yaml => self.verbatim(&yaml::document(&what.json())),
            Format::Raw => Err(Error::local("The format raw is for `arca read` only.").advise("Use json.")),
        }
    }

    /// Shows one value alone: raw, and without a newline at its end unless it goes to a terminal.
    pub(crate) fn alone(&mut self, value: &Json) -> Result<()> {
        let text = match self.format {
            Format::Json => value.pretty(),
            Format::Yaml => yaml::document(value),
            Format::Table | Format::Pretty | Format::Raw => plain(value),
        };
        self.verbatim(&text)?;
        if self.terminal { self.verbatim("\n") } else { Ok(()) }
    }

    /// A list of names: a column for people, a list for programs.
    pub(crate) fn names(&mut self, heading: &str, names: &Json) -> Result<()> {
        if self.format.is_for_people() {
            let mut rows = vec![vec![heading.to_owned()], vec!["-".repeat(heading.len())]];
            rows.extend(names.items().iter().map(|name| vec![plain(name).to_string()]));
            return self.verbatim(&columns(&rows));
        }
        self.show(Sheet { value: names.copy(), text: Zeroizing::default() }, None)
    }

    /// Text as it is. On a terminal, control characters are shown and not obeyed: a stored value must not be able to
    /// rewrite the screen of the one who reads it.
    pub(crate) fn verbatim(&mut self, text: &str) -> Result<()> {
        if self.terminal {
            let tame = Zeroizing::new(text.chars().map(tamed).collect::<String>());
            self.out.write_all(tame.as_bytes())?;
        } else {
            self.out.write_all(text.as_bytes())?;
        }
        self.out.flush()?;
        Ok(())
    }

    /// Bytes as they are, for files and pipes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.verbatim(text),
            Err(_) => Ok(self.out.write_all(bytes)?),
        }
    }
}

fn tamed(character: char) -> char {
    if character.is_control() && !matches!(character, '\n' | '\t') { '\u{fffd}' } else { character }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Rc<RefCell<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn printed(format: Format, terminal: bool, print: impl FnOnce(&mut Output) -> Result<()>) -> String {
        let (out, err) = (Shared::default(), Shared::default());
        let mut output = Output { format, terminal, watched: false, out: Box::new(out.clone()), err: Box::new(err) };
        print(&mut output).unwrap();
        String::from_utf8(out.0.borrow().clone()).unwrap()
    }

    #[test]
    fn a_value_alone_has_no_newline_unless_on_a_terminal() {
        let value = Json::text("pw");
        assert_eq!(printed(Format::Table, false, |out| out.alone(&value)), "pw");
        assert_eq!(printed(Format::Table, true, |out| out.alone(&value)), "pw\n");
        assert_eq!(printed(Format::Json, false, |out| out.alone(&value)), "\"pw\"");
    }

    #[test]
    fn success_is_said_to_people_only() {
        assert_eq!(printed(Format::Table, false, |out| out.success("Success!")), "Success!\n");
        assert_eq!(printed(Format::Json, false, |out| out.success("Success!")), "");
    }

    #[test]
    fn a_terminal_is_not_commanded_by_a_value() {
        let value = Json::text("a\u{1b}[2Jb\r");
        assert_eq!(printed(Format::Table, true, |out| out.alone(&value)), "a\u{fffd}[2Jb\u{fffd}\n");
        assert_eq!(printed(Format::Table, false, |out| out.alone(&value)), "a\u{1b}[2Jb\r");
    }

    #[test]
    fn names_are_a_column_or_a_list() {
        let names = Json::texts(["a", "b/"]);
        assert_eq!(printed(Format::Table, false, |out| out.names("Keys", &names)), "Keys\n----\na\nb/\n");
        assert_eq!(printed(Format::Json, false, |out| out.names("Keys", &names)), "[\n  \"a\",\n  \"b/\"\n]\n");
        assert_eq!(printed(Format::Yaml, false, |out| out.names("Keys", &names)), "- a\n- b/\n");
    }
}
