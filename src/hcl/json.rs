//! JSON text to the tree. Unlike `serde_json` it knows where each item was written and keeps repeated names.

use super::MAX_DEPTH;
use super::cursor::Cursor;
use super::error::SyntaxError;
use super::literal;
use super::tree::{Element, Item, Key, Kind, List, Margin, Number, Object, Value};

pub(super) const SHALLOWER: &str = "at most 64 objects and lists inside each other";

/// Reads a whole document, which is an object.
pub(super) fn parse(text: &str) -> Result<Object, SyntaxError> {
    let mut reader = Reader { cursor: Cursor::new(text), depth: 0 };
    reader.blanks();
    let object = reader.object()?;
    reader.blanks();
    match reader.cursor.peek() {
        None => Ok(object),
        Some(_) => Err(reader.cursor.expected("the end of the document")),
    }
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    depth: usize,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        self.cursor.take_while(|character| matches!(character, ' ' | '\t' | '\r' | '\n'));
    }

    fn object(&mut self) -> Result<Object, SyntaxError> {
        let items = self.sequence(["{", "}"], "a comma or the closing brace", Self::item)?;
        Ok(Object { items, tail: Vec::new() })
    }

    fn item(&mut self) -> Result<Item, SyntaxError> {
        let position = self.cursor.position();
        let key = Key { text: self.string()?, position, spelling: String::new() };
        self.blanks();
        if !self.cursor.eat(":") {
            return Err(self.cursor.expected("a colon"));
        }
        self.blanks();
        Ok(Item { keys: vec![key], value: self.value()?, assigned: true, margin: Margin::default() })
    }

    fn value(&mut self) -> Result<Value, SyntaxError> {
        let position = self.cursor.position();
        let start = self.cursor.offset();
        let kind = match self.cursor.peek() {
            Some('{') => Kind::Object(self.object()?),
            Some('[') => {
                let element = |reader: &mut Self| Ok(Element { value: reader.value()?, margin: Margin::default() });
                let elements = self.sequence(["[", "]"], "a comma or the end of the list", element)?;
                Kind::List(List { elements, tail: Vec::new() })
            }
            Some('"') => Kind::Text(self.string()?),
            Some('-' | '0'..='9') => Kind::Number(self.number()?),
            Some(_) if self.cursor.eat("true") => Kind::Bool(true),
            Some(_) if self.cursor.eat("false") => Kind::Bool(false),
            Some(_) if self.cursor.eat("null") => Kind::Null,
            Some(_) | None => return Err(self.cursor.expected("a value")),
        };
        let spelling = if let Kind::Number(_) = kind { self.cursor.since(start).to_owned() } else { String::new() };
        Ok(Value { kind, position, spelling, one_line: false })
    }

    /// What stands between two marks, with commas between the parts and none behind the last one.
    fn sequence<T>(
        &mut self,
        [open, close]: [&str; 2],
        comma: &'static str,
        part: impl Fn(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<Vec<T>, SyntaxError> {
        if self.depth == MAX_DEPTH {
            return Err(self.cursor.expected(SHALLOWER));
        }
        if !self.cursor.eat(open) {
            return Err(self.cursor.expected("an object"));
        }
        self.depth += 1;
        let mut parts = Vec::new();
        self.blanks();
        let mut closed = self.cursor.eat(close);
        while !closed {
            parts.push(part(self)?);
            self.blanks();
            closed = self.cursor.eat(close);
            if !closed && !self.cursor.eat(",") {
                return Err(self.cursor.expected(comma));
            }
            self.blanks();
        }
        self.depth -= 1;
        Ok(parts)
    }

    /// Reads a string; its escapes and its encoding are left to `serde_json`.
    fn string(&mut self) -> Result<String, SyntaxError> {
        let malformed = self.cursor.expected("text in quotes, with the escapes of JSON");
        let start = self.cursor.offset();
        if !self.cursor.eat("\"") {
            return Err(malformed);
        }
        while !self.cursor.eat("\"") {
            self.cursor.eat("\\");
            self.cursor.bump().ok_or(malformed)?;
        }
        serde_json::from_str(self.cursor.since(start)).map_err(|_| malformed)
    }

    fn number(&mut self) -> Result<Number, SyntaxError> {
        let malformed = self.cursor.expected("a number that fits in 64 bits");
        let spelling = self
            .cursor
            .take_while(|character| character.is_ascii_digit() || matches!(character, '+' | '-' | '.' | 'e' | 'E'));
        let number: serde_json::Number = serde_json::from_str(spelling).map_err(|_| malformed)?;
        match number.as_i64() {
            Some(number) => Ok(Number::Integer(number)),
            None if number.is_f64() => literal::float(spelling).ok_or(malformed),
            None => Err(malformed),
        }
    }
}
