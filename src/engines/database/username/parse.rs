//! Reads a template.

use std::iter::Peekable;
use std::str::Chars;

use super::Value;
use super::functions::Function;

/// A piece of a template.
#[derive(Debug)]
pub(super) enum Part {
    /// Text that stands for itself.
    Text(String),
    /// `{{ … }}`
    Action(Vec<Command>),
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
}

/// The deepest that parentheses may nest.
const DEEPEST: usize = 16;

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Number(i64),
    Pipe,
    Open,
    Close,
}

/// The parts of `text`.
pub(super) fn template(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    let mut trims = false;
    while let Some((before, action)) = rest.split_once("{{") {
        let (inner, after) = split_action(action)?;
        let trims_before = inner.starts_with("- ");
        let trims_after = inner.ends_with(" -");
        push(&mut parts, before, trims, trims_before);
        let inner = inner.strip_prefix("- ").unwrap_or(inner);
        let inner = inner.strip_suffix(" -").unwrap_or(inner).trim();
        if !(inner.starts_with("/*") && inner.ends_with("*/")) {
            parts.push(Part::Action(action_of(inner)?));
        }
        trims = trims_after;
        rest = after;
    }
    push(&mut parts, rest, trims, false);
    Ok(parts)
}

fn push(parts: &mut Vec<Part>, text: &str, trim_start: bool, trim_end: bool) {
    let text = if trim_start { text.trim_start() } else { text };
    let text = if trim_end { text.trim_end() } else { text };
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
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

fn action_of(text: &str) -> Result<Vec<Command>, String> {
    let mut tokens = tokens(text)?.into_iter().peekable();
    let commands = commands(&mut tokens, 0)?;
    if tokens.next().is_some() {
        return Err("a parenthesis in the username template is closed and was not opened".to_owned());
    }
    Ok(commands)
}

fn commands(tokens: &mut Peekable<impl Iterator<Item = Token>>, depth: usize) -> Result<Vec<Command>, String> {
    if depth > DEEPEST {
        return Err("the parentheses in the username template are nested too deeply".to_owned());
    }
    let mut commands = Vec::new();
    loop {
        let mut operands = Vec::new();
        while let Some(token) = tokens.next_if(|token| !matches!(token, Token::Pipe | Token::Close)) {
            operands.push(operand(token, tokens, depth)?);
        }
        let mut operands = operands.into_iter();
        let head = operands.next().ok_or("a command of the username template is empty")?;
        commands.push(Command { head, arguments: operands.collect() });
        if tokens.next_if_eq(&Token::Pipe).is_none() {
            return Ok(commands);
        }
    }
}

fn operand(token: Token, tokens: &mut Peekable<impl Iterator<Item = Token>>, depth: usize) -> Result<Operand, String> {
    match token {
        Token::Text(text) => Ok(Operand::Literal(Value::Text(text))),
        Token::Number(number) => Ok(Operand::Literal(Value::Number(number))),
        Token::Word(word) => match word.as_str() {
            ".DisplayName" => Ok(Operand::DisplayName),
            ".RoleName" => Ok(Operand::RoleName),
            name => Function::named(name).map(Operand::from),
        },
        Token::Open => {
            // Boxed by the vector that it is in.
            let inner = commands_within(tokens, depth)?;
            Ok(Operand::Pipeline(inner))
        }
        Token::Pipe | Token::Close => Err("the username template has an operator where a value belongs".to_owned()),
    }
}

fn commands_within(tokens: &mut Peekable<impl Iterator<Item = Token>>, depth: usize) -> Result<Vec<Command>, String> {
    let tokens: &mut Peekable<_> = tokens;
    let inner = commands(tokens, depth + 1)?;
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
            c if c == '.' || c == '_' || c.is_alphabetic() => word(c, &mut characters),
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
