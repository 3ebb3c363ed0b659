//! Reads a template into its parts: text, actions, and the blocks that they make.

use super::parse::{self, Command, DEEPEST, Piece, Scope};

/// A piece of a template.
#[derive(Debug)]
pub(super) enum Part {
    /// Text that stands for itself.
    Text(String),
    /// `{{ … }}`
    Action(Vec<Command>),
    /// `{{ $x := … }}`
    Setting(Setting),
    /// `{{ if … }} … {{ end }}`
    Choice(Choice),
}

/// A variable that gets a value.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) variable: String,
    /// Whether it is a new one (`:=`), to the end of the block.
    pub(super) is_new: bool,
    pub(super) value: Vec<Command>,
}

/// What one of two things is made by.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) subject: Subject,
    /// The variable that the condition is kept in, if it is.
    pub(super) variable: Option<String>,
    pub(super) condition: Vec<Command>,
    pub(super) then: Vec<Part>,
    pub(super) otherwise: Vec<Part>,
}

/// What `.` is where the condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// What it is outside: `if`.
    Kept,
    /// The condition: `with`.
    Condition,
}

/// What ends a list of parts.
#[derive(Debug, PartialEq, Eq)]
enum Ending {
    /// The end of the template.
    Text,
    /// `{{ end }}`
    End,
    /// `{{ else }}`, with what follows the word.
    Else(String),
}

/// The parts of `text`.
pub(super) fn template(text: &str) -> Result<Vec<Part>, String> {
    let mut reader = Reader { pieces: parse::pieces(text)?.into_iter(), depth: 0 };
    match reader.parts(&mut Scope::default())? {
        (parts, Ending::Text) => Ok(parts),
        (_, Ending::End | Ending::Else(_)) => {
            Err("the username template has an end or an else without an if or a with".to_owned())
        }
    }
}

struct Reader {
    pieces: std::vec::IntoIter<Piece>,
    depth: usize,
}

impl Reader {
    fn parts(&mut self, scope: &mut Scope) -> Result<(Vec<Part>, Ending), String> {
        let mut parts = Vec::new();
        while let Some(piece) = self.pieces.next() {
            let action = match piece {
                Piece::Text(text) => {
                    parts.push(Part::Text(text));
                    continue;
                }
                Piece::Action(action) => action,
            };
            let (word, rest) = first_word(&action);
            match word {
                "end" if rest.is_empty() => return Ok((parts, Ending::End)),
                "else" => return Ok((parts, Ending::Else(rest.to_owned()))),
                "if" => parts.push(Part::Choice(self.choice(Subject::Kept, rest, scope)?)),
                "with" => parts.push(Part::Choice(self.choice(Subject::Condition, rest, scope)?)),
                _ => parts.push(match setting(&action, scope)? {
                    Some(setting) => Part::Setting(setting),
                    None => Part::Action(parse::action(&action, scope)?),
                }),
            }
        }
        Ok((parts, Ending::Text))
    }

    /// What follows `{{ if condition }}` up to its end. Variables that are set in it are known in it alone.
    fn choice(&mut self, subject: Subject, condition: &str, scope: &Scope) -> Result<Choice, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("the blocks of the username template are nested too deeply".to_owned());
        }
        let mut scope = scope.clone();
        let (variable, condition) = match setting(condition, &mut scope)? {
            Some(Setting { variable, value, .. }) => (Some(variable), value),
            None => (None, parse::action(condition, &scope)?),
        };
        let mut within = scope.clone();
        within.has_dot |= subject == Subject::Condition;
        let (then, ending) = self.parts(&mut within)?;
        let otherwise = match ending {
            Ending::End => Vec::new(),
            Ending::Else(rest) => self.otherwise(&rest, &mut scope)?,
            Ending::Text => return Err(OPEN.to_owned()),
        };
        self.depth -= 1;
        Ok(Choice { subject, variable, condition, then, otherwise })
    }

    /// What follows `{{ else }}`, or `{{ else if condition }}`, up to the end.
    fn otherwise(&mut self, rest: &str, scope: &mut Scope) -> Result<Vec<Part>, String> {
        match first_word(rest) {
            ("", _) => match self.parts(scope)? {
                (parts, Ending::End) => Ok(parts),
                (_, Ending::Else(_)) => Err("a block of the username template has an else after its else".to_owned()),
                (_, Ending::Text) => Err(OPEN.to_owned()),
            },
            ("if", condition) => Ok(vec![Part::Choice(self.choice(Subject::Kept, condition, scope)?)]),
            ("with", condition) => Ok(vec![Part::Choice(self.choice(Subject::Condition, condition, scope)?)]),
            _ => Err("an else in the username template is followed by if, by with or by nothing".to_owned()),
        }
    }
}

const OPEN: &str = "an if or a with in the username template has no end";

/// The word that an action begins with, and the rest.
fn first_word(action: &str) -> (&str, &str) {
    let length = action.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(action.len());
    let (word, rest) = action.split_at(length);
    (word, rest.trim())
}

/// `$x := …` or `$x = …`, if `action` is that. The variable is known from there on.
fn setting(action: &str, scope: &mut Scope) -> Result<Option<Setting>, String> {
    let Some(text) = action.strip_prefix('$') else { return Ok(None) };
    let length = text.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(text.len());
    let (variable, rest) = text.split_at(length);
    let rest = rest.trim_start();
    let (is_new, value) = match (rest.strip_prefix(":="), rest.strip_prefix('=')) {
        (Some(value), _) => (true, value),
        (None, Some(value)) => (false, value),
        (None, None) => return Ok(None),
    };
    if variable.is_empty() || (!is_new && !scope.knows(variable)) {
        return Err("the username template sets a variable that has no name or was not made with :=".to_owned());
    }
    let value = parse::action(value, scope)?;
    if is_new {
        scope.variables.push(variable.to_owned());
    }
    Ok(Some(Setting { variable: variable.to_owned(), is_new, value }))
}
