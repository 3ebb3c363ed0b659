//! Strings, heredocs and numbers: from their spelling to what they mean, and back.

use super::cursor::Cursor;
use super::error::SyntaxError;
use super::tree::Number;

/// Reads a quoted string; the cursor stands on the opening quote. What stands in `${…}` is kept as it is.
pub(super) fn string(cursor: &mut Cursor<'_>) -> Result<String, SyntaxError> {
    const CLOSING: &str = "the closing quote of the text on the same line";
    let mut text = String::new();
    let mut open_braces = 0_u32;
    cursor.bump();
    loop {
        if open_braces == 0 && cursor.eat("\"") {
            return Ok(text);
        }
        if open_braces == 0 && cursor.peek() == Some('\\') {
            text.push(escape(cursor)?);
            continue;
        }
        if cursor.eat("${") {
            open_braces = open_braces.saturating_add(1);
            text.push_str("${");
            continue;
        }
        match cursor.peek().ok_or_else(|| cursor.expected(CLOSING))? {
            '\n' if open_braces == 0 => return Err(cursor.expected(CLOSING)),
            '{' if open_braces > 0 => open_braces = open_braces.saturating_add(1),
            '}' if open_braces > 0 => open_braces -= 1,
            _ => {}
        }
        text.extend(cursor.bump());
    }
}

/// Reads an escape; the cursor stands on the backslash.
fn escape(cursor: &mut Cursor<'_>) -> Result<char, SyntaxError> {
    const KNOWN: &str = r#"one of the escapes \a \b \f \n \r \t \v \\ \" \x \u \U or three octal digits"#;
    let unknown = cursor.expected(KNOWN);
    cursor.bump();
    match cursor.peek().ok_or(unknown)? {
        '0'..='7' => code_point(cursor, 3, 8),
        letter => {
            cursor.bump();
            match letter {
                'a' => Ok('\u{07}'),
                'b' => Ok('\u{08}'),
                'f' => Ok('\u{0c}'),
                'n' => Ok('\n'),
                'r' => Ok('\r'),
                't' => Ok('\t'),
                'v' => Ok('\u{0b}'),
                '\\' => Ok('\\'),
                '"' => Ok('"'),
                'x' => code_point(cursor, 2, 16),
                'u' => code_point(cursor, 4, 16),
                'U' => code_point(cursor, 8, 16),
                _ => Err(unknown),
            }
        }
    }
}

/// The character whose number stands in the next `count` digits.
fn code_point(cursor: &mut Cursor<'_>, count: usize, base: u32) -> Result<char, SyntaxError> {
    let unknown = cursor.expected("the number of a character, with all of its digits");
    let mut number = 0_u32;
    for _ in 0..count {
        let digit = cursor.peek().and_then(|digit| digit.to_digit(base)).ok_or(unknown)?;
        number = number.wrapping_mul(base).wrapping_add(digit);
        cursor.bump();
    }
    char::from_u32(number).ok_or(unknown)
}

/// Reads `<<MARK … MARK` or `<<-MARK … MARK`; the cursor stands on the first `<`. Of the second form the blanks that
/// all lines begin with are dropped, if the closing mark is not indented less.
pub(super) fn heredoc(cursor: &mut Cursor<'_>) -> Result<String, SyntaxError> {
    if !cursor.eat("<<") {
        return Err(cursor.expected("<< and a mark"));
    }
    let indented = cursor.eat("-");
    let mark = cursor.take_while(|character| character.is_alphanumeric() || character == '_');
    cursor.eat("\r");
    if mark.is_empty() || !cursor.eat("\n") {
        return Err(cursor.expected("the mark of a heredoc and the end of the line"));
    }
    let start = cursor.offset();
    loop {
        let body = cursor.since(start);
        let rest = cursor.rest();
        let line = rest.split('\n').next().unwrap_or_default();
        let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
        if line.trim_end_matches('\r').get(blanks..) == Some(mark) {
            cursor.eat(line.trim_end_matches('\r'));
            return Ok(if indented {
                unindented(body, line.get(..blanks).unwrap_or_default())
            } else {
                body.to_owned()
            });
        }
        cursor.eat(line);
        if !cursor.eat("\n") {
            return Err(cursor.expected("the closing mark of the heredoc on a line of its own"));
        }
    }
}

/// `body` without `indent` at the start of its lines, if all of them have it.
fn unindented(body: &str, indent: &str) -> String {
    let lines = || body.split_inclusive('\n');
    if indent.is_empty() || !lines().all(|line| line.starts_with(indent)) {
        return body.to_owned();
    }
    lines().map(|line| line.strip_prefix(indent).unwrap_or(line)).collect()
}

/// What a number's spelling means: decimal, `0x` hexadecimal, octal with a leading zero, or with a point or exponent.
pub(super) fn number(spelling: &str) -> Option<Number> {
    let (sign, digits) = spelling.strip_prefix('-').map_or(("", spelling), |digits| ("-", digits));
    if !digits.starts_with(|character: char| character.is_ascii_digit()) {
        return None;
    }
    let (base, body) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(body) => (16, body),
        None if digits.contains(['.', 'e', 'E']) => return float(spelling),
        None if digits.len() > 1 && digits.starts_with('0') => (8, digits),
        None => (10, digits),
    };
    let body = body.starts_with(|character: char| character.is_ascii_hexdigit()).then_some(body)?;
    i64::from_str_radix(&format!("{sign}{body}"), base).ok().map(Number::Integer)
}

/// A number with a point or exponent, as JSON and HCL both write it.
pub(super) fn float(spelling: &str) -> Option<Number> {
    let written =
        spelling.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    let number = written.then(|| spelling.parse::<f64>().ok()).flatten()?;
    number.is_finite().then_some(Number::Float(number))
}
