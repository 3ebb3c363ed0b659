//! Reads a template.

use std::iter::Peekable;
use std::str::Chars;

use super::Value;
use super::functions::Function;

/// A piece of a template, before it is known what it is a part of.
#[derive(Debug)]
pub(super) enum Piece {
    /// Text that stands for itself.
    Text(String),
    /// What is between `{{` and `}}`.
    Action(String),
}

/// What may be named at some place in a template.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    pub(super) variables: Vec<String>,
    /// Whether `.` is a value of its own, and the fields are those of `$` alone.
    pub(super) has_dot: bool,
}

impl Scope {
    /// Whether a variable is set there.
    pub(super) fn knows(&self, variable: &str) -> bool {
        self.variables.iter().any(|known| known == variable)
    }
}

/// One command of a pipeline: `truncate 8`.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) head: Operand,
    pub(super) arguments: Vec<Operand>,
}

/// What a command consists of.
#[derive(Debug)]
pub(super) enum Operand {
    DisplayName,
    RoleName,
    Literal(Value),
    Function(Function),
    Pipeline(Vec<Command>),
    /// `.` in a `with`.
    Dot,
    /// `$x`, by its name.
    Variable(String),
}

/// The deepest that parentheses, and blocks, may nest.
pub(super) const DEEPEST: usize = 16;

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Number(i64),
    Pipe,
    Open,
    Close,
}

/// The pieces of `text`, without its comments.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut trims = false;
    while let Some((before, action)) = rest.split_once("{{") {
        let (inner, after) = split_action(action)?;
        let trims_before = inner.starts_with("- ");
        let trims_after = inner.ends_with(" -");
        push(&mut pieces, before, trims, trims_before);
        let inner = inner.strip_prefix("- ").unwrap_or(inner);
        let inner = inner.strip_suffix(" -").unwrap_or(inner).trim();
        if !(inner.starts_with("/*") && inner.ends_with("*/")) {
            pieces.push(Piece::Action(inner.to_owned()));
        }
        trims = trims_after;
        rest = after;
    }
    push(&mut pieces, rest, trims, false);
    Ok(pieces)
}

fn push(pieces: &mut Vec<Piece>, text: &str, trim_start: bool, trim_end: bool) {
    let text = if trim_start { text.trim_start() } else { text };
    let text = if trim_end { text.trim_end() } else { text };
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

/// What is before the action's end, and what comes after; a quoted `}}` does not end it.
fn split_action(text: &str) -> Result<(&str, &str), String> {
    let mut quote = None;
    let mut characters = text.char_indices();
    while let Some((index, character)) = characters.next() {
        match quote {
            Some('"') if character == '\\' => {
                characters.next();
            }
            Some(open) if character == open => quote = None,
            Some(_) => {}
            None if matches!(character, '"' | '`') => quote = Some(character),
            None => {
                if let Some(after) = text.get(index..).and_then(|tail| tail.strip_prefix("}}")) {
                    return Ok((text.get(..index).unwrap_or_default(), after));
                }
            }
        }
    }
    Err("an action of the username template is not closed".to_owned())
}

/// The commands of an action in `scope`.
pub(super) fn action(text: &str, scope: &Scope) -> Result<Vec<Command>, String> {
    let mut tokens = tokens(text)?.into_iter().peekable();
    let commands = commands(&mut tokens, scope, 0)?;
    if tokens.next().is_some() {
        return Err("a parenthesis in the username template is closed and was not opened".to_owned());
    }
    Ok(commands)
}

fn commands(
    tokens: &mut Peekable<impl Iterator<Item = Token>>,
    scope: &Scope,
    depth: usize,
) -> Result<Vec<Command>, String> {
    if depth > DEEPEST {
        return Err("the parentheses in the username template are nested too deeply".to_owned());
    }
    let mut commands = Vec::new();
    loop {
        let mut operands = Vec::new();
        while let Some(token) = tokens.next_if(|token| !matches!(token, Token::Pipe | Token::Close)) {
            operands.push(match token {
                Token::Text(text) => Operand::Literal(Value::Text(text)),
                Token::Number(number) => Operand::Literal(Value::Number(number)),
                Token::Word(word) => named(&word, scope)?,
                // Boxed by the vector that it is in.
                Token::Open => Operand::Pipeline(commands_within(tokens, scope, depth)?),
                Token::Pipe | Token::Close => {
                    return Err("the username template has an operator where a value belongs".to_owned());
                }
            });
        }
        let mut operands = operands.into_iter();
        let head = operands.next().ok_or("a command of the username template is empty")?;
        commands.push(Command { head, arguments: operands.collect() });
        if tokens.next_if_eq(&Token::Pipe).is_none() {
            return Ok(commands);
        }
    }
}

/// What a word stands for.
fn named(word: &str, scope: &Scope) -> Result<Operand, String> {
    match word {
        "$.DisplayName" => Ok(Operand::DisplayName),
        "$.RoleName" => Ok(Operand::RoleName),
        ".DisplayName" if !scope.has_dot => Ok(Operand::DisplayName),
        ".RoleName" if !scope.has_dot => Ok(Operand::RoleName),
        ".DisplayName" | ".RoleName" => {
            Err("in a with of the username template, $.DisplayName and $.RoleName are the fields".to_owned())
        }
        "." if scope.has_dot => Ok(Operand::Dot),
        "true" => Ok(Operand::Literal(Value::Truth(true))),
        "false" => Ok(Operand::Literal(Value::Truth(false))),
        name => match name.strip_prefix('$') {
            Some(variable) if scope.knows(variable) => Ok(Operand::Variable(variable.to_owned())),
            Some(_) => Err("the username template uses a variable that is not set there".to_owned()),
            None => Function::named(name).map(Operand::Function),
        },
    }
}

fn commands_within(
    tokens: &mut Peekable<impl Iterator<Item = Token>>,
    scope: &Scope,
    depth: usize,
) -> Result<Vec<Command>, String> {
    let tokens: &mut Peekable<_> = tokens;
    let inner = commands(tokens, scope, depth + 1)?;
    tokens.next_if_eq(&Token::Close).ok_or("a parenthesis in the username template is not closed")?;
    Ok(inner)
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let token = match character {
            c if c.is_whitespace() => continue,
            '|' => Token::Pipe,
            '(' => Token::Open,
            ')' => Token::Close,
            '"' => Token::Text(interpreted(&mut characters)?),
            '`' => Token::Text(raw(&mut characters)?),
            c if c == '-' || c.is_ascii_digit() => number(c, &mut characters)?,
            c if matches!(c, '.' | '_' | '$') || c.is_alphabetic() => word(c, &mut characters),
            _ => return Err("the username template has a character that it cannot have there".to_owned()),
        };
        tokens.push(token);
    }
    Ok(tokens)
}

fn word(first: char, characters: &mut Peekable<Chars<'_>>) -> Token {
    let mut word = String::from(first);
    while let Some(next) = characters.next_if(|c| *c == '_' || *c == '.' || c.is_alphanumeric()) {
        word.push(next);
    }
    Token::Word(word)
}

fn number(first: char, characters: &mut Peekable<Chars<'_>>) -> Result<Token, String> {
    let mut digits = String::from(first);
    while let Some(next) = characters.next_if(|c| c.is_alphanumeric() || *c == '.') {
        digits.push(next);
    }
    digits.parse().map(Token::Number).map_err(|_| "a number in the username template must be whole".to_owned())
}

fn raw(characters: &mut Peekable<Chars<'_>>) -> Result<String, String> {
    let mut text = String::new();
    for character in characters {
        if character == '`' {
            return Ok(text);
        }
        text.push(character);
    }
    Err("a text in the username template is not closed".to_owned())
}

/// The text up to the closing quote, whose escapes are those of JSON.
fn interpreted(characters: &mut Peekable<Chars<'_>>) -> Result<String, String> {
    let mut quoted = String::from('"');
    while let Some(character) = characters.next() {
        quoted.push(character);
        match character {
            '\\' => quoted.extend(characters.next()),
            '"' => {
                return serde_json::from_str(&quoted)
                    .map_err(|_| "a text in the username template has an escape that is not known".to_owned());
            }
            _ => {}
        }
    }
    Err("a text in the username template is not closed".to_owned())
}
