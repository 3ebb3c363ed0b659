//! HCL text to lexemes.

use super::cursor::Cursor;
use super::error::{Position, SyntaxError};
use super::literal;
use super::tree::{Comment, Number};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    BraceClose,
    BraceOpen,
    BracketClose,
    BracketOpen,
    Comma,
    End,
    Equals,
    Name(String),
    Number(Number),
    Text(String),
}

#[derive(Clone, Debug)]
pub(super) struct Lexeme<'a> {
    pub(super) token: Token,
    pub(super) position: Position,
    pub(super) spelling: &'a str,
    /// The comments since the lexeme before.
    pub(super) comments: Vec<Comment>,
    /// Whether an empty line stands directly before it.
    pub(super) blank_before: bool,
    /// The line on which it ends.
    pub(super) end_line: u32,
}

/// The next lexeme and the comments before it.
pub(super) fn next<'a>(cursor: &mut Cursor<'a>) -> Result<Lexeme<'a>, SyntaxError> {
    let (comments, blank_before) = trivia(cursor)?;
    let position = cursor.position();
    let start = cursor.offset();
    let token = token(cursor)?;
    let end_line = cursor.position().line;
    Ok(Lexeme { token, position, spelling: cursor.since(start), comments, blank_before, end_line })
}

/// Passes blanks and comments; gives the comments, and whether an empty line follows the last of them.
fn trivia(cursor: &mut Cursor<'_>) -> Result<(Vec<Comment>, bool), SyntaxError> {
    let mut comments = Vec::new();
    loop {
        let blanks = cursor.take_while(|character| matches!(character, ' ' | '\t' | '\r' | '\n'));
        let blank_before = blanks.bytes().filter(|byte| *byte == b'\n').count() > 1;
        let position = cursor.position();
        let start = cursor.offset();
        if cursor.eat("#") || cursor.eat("//") {
            cursor.take_while(|character| character != '\n');
        } else if cursor.eat("/*") {
            while !cursor.eat("*/") {
                cursor.bump().ok_or_else(|| cursor.expected("*/ at the end of the comment"))?;
            }
        } else {
            return Ok((comments, blank_before));
        }
        let text = cursor.since(start).trim_end().to_owned();
        comments.push(Comment { text, position, blank_before });
    }
}

fn token(cursor: &mut Cursor<'_>) -> Result<Token, SyntaxError> {
    let Some(first) = cursor.peek() else { return Ok(Token::End) };
    let punctuation = match first {
        '{' => Token::BraceOpen,
        '}' => Token::BraceClose,
        '[' => Token::BracketOpen,
        ']' => Token::BracketClose,
        ',' => Token::Comma,
        '=' => Token::Equals,
        '"' => return literal::string(cursor).map(Token::Text),
        '<' => return literal::heredoc(cursor).map(Token::Text),
        '-' | '0'..='9' => return number(cursor),
        '_' => return Ok(name(cursor)),
        letter if letter.is_alphabetic() => return Ok(name(cursor)),
        _ => return Err(cursor.expected("a name, a value or a brace")),
    };
    cursor.bump();
    Ok(punctuation)
}

fn name(cursor: &mut Cursor<'_>) -> Token {
    let name = cursor.take_while(|character| character.is_alphanumeric() || matches!(character, '_' | '-' | '.'));
    Token::Name(name.to_owned())
}

fn number(cursor: &mut Cursor<'_>) -> Result<Token, SyntaxError> {
    let unknown = cursor.expected("a number that fits in 64 bits");
    let start = cursor.offset();
    cursor.eat("-");
    let mut before = ' ';
    while let Some(character) = cursor.peek() {
        let signed = matches!(character, '+' | '-') && matches!(before, 'e' | 'E');
        if !(character.is_ascii_alphanumeric() || character == '.' || signed) {
            break;
        }
        before = character;
        cursor.bump();
    }
    literal::number(cursor.since(start)).map(Token::Number).ok_or(unknown)
}
