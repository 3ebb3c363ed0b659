//! HCL text to the tree.

use super::cursor::Cursor;
use super::error::{Position, SyntaxError};
use super::lexer::{self, Lexeme, Token};
use super::tree::{Comment, Element, Item, Key, Kind, List, Margin, Object, Value};
use super::{MAX_DEPTH, json};

/// Reads a whole document.
pub(super) fn parse(text: &str) -> Result<Object, SyntaxError> {
    let mut cursor = Cursor::new(text);
    let ahead = lexer::next(&mut cursor)?;
    let mut parser = Parser { cursor, ahead, last_line: 0, depth: 0 };
    let object = parser.object()?;
    if parser.ahead.token == Token::End { Ok(object) } else { Err(parser.expected("a key")) }
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    ahead: Lexeme<'a>,
    /// The line on which the last lexeme that was taken ends.
    last_line: u32,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// Items up to a closing brace or the end, which is not taken.
    fn object(&mut self) -> Result<Object, SyntaxError> {
        let mut items = Vec::new();
        loop {
            if let Token::BraceClose | Token::End = self.ahead.token {
                let tail = self.comments();
                return Ok(Object { items, tail });
            }
            let item = self.item()?;
            items.push(item);
            if self.depth > 0 && self.ahead.token == Token::Comma {
                let trailing = self.trailing();
                self.comma(trailing, items.last_mut().map(|item| &mut item.margin))?;
            }
        }
    }

    fn item(&mut self) -> Result<Item, SyntaxError> {
        let mut margin = self.margin();
        let mut keys = vec![self.key()?];
        while let Token::Name(_) | Token::Text(_) = self.ahead.token {
            margin.leading.extend(self.comments());
            keys.push(self.key()?);
        }
        margin.leading.extend(self.comments());
        let assigned = self.ahead.token == Token::Equals;
        if assigned {
            if keys.len() > 1 {
                return Err(self.expected("an opening brace: a block with a label has no equals sign"));
            }
            self.take()?;
            margin.leading.extend(self.comments());
        } else if self.ahead.token != Token::BraceOpen {
            return Err(self.expected("an equals sign or an opening brace"));
        }
        let value = self.value()?;
        margin.trailing = self.trailing();
        Ok(Item { keys, value, assigned, margin })
    }

    fn key(&mut self) -> Result<Key, SyntaxError> {
        let text = match &self.ahead.token {
            Token::Name(text) => text.clone(),
            Token::Text(text) if self.ahead.spelling.starts_with('"') => text.clone(),
            Token::Text(_)
            | Token::BraceClose
            | Token::BraceOpen
            | Token::BracketClose
            | Token::BracketOpen
            | Token::Comma
            | Token::End
            | Token::Equals
            | Token::Number(_) => return Err(self.expected("a key")),
        };
        let lexeme = self.take()?;
        Ok(Key { text, position: lexeme.position, spelling: lexeme.spelling.to_owned() })
    }

    fn value(&mut self) -> Result<Value, SyntaxError> {
        let lexeme = self.take()?;
        let kind = match lexeme.token {
            Token::BraceOpen => Kind::Object(self.nested(lexeme.position, Self::object, &Token::BraceClose)?),
            Token::BracketOpen => Kind::List(self.nested(lexeme.position, Self::list, &Token::BracketClose)?),
            Token::Name(name) if name == "true" => Kind::Bool(true),
            Token::Name(name) if name == "false" => Kind::Bool(false),
            Token::Number(number) => Kind::Number(number),
            Token::Text(text) => Kind::Text(text),
            Token::Name(_) | Token::BraceClose | Token::BracketClose | Token::Comma | Token::End | Token::Equals => {
                return Err(SyntaxError::new(lexeme.position, "a value"));
            }
        };
        let one_line = self.last_line == lexeme.position.line;
        Ok(Value { kind, position: lexeme.position, spelling: lexeme.spelling.to_owned(), one_line })
    }

    /// What stands between an opening mark, which is taken already, and `close`.
    fn nested<T>(
        &mut self,
        start: Position,
        inside: impl FnOnce(&mut Self) -> Result<T, SyntaxError>,
        close: &Token,
    ) -> Result<T, SyntaxError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(SyntaxError::new(start, json::SHALLOWER));
        }
        let found = inside(self)?;
        if self.ahead.token != *close {
            return Err(self.expected("a key or the closing brace"));
        }
        self.take()?;
        self.depth -= 1;
        Ok(found)
    }

    /// Values up to a closing bracket, which is not taken.
    fn list(&mut self) -> Result<List, SyntaxError> {
        let mut elements: Vec<Element> = Vec::new();
        loop {
            if self.ahead.token == Token::BracketClose {
                let tail = self.comments();
                return Ok(List { elements, tail });
            }
            let margin = self.margin();
            let value = self.value()?;
            let trailing = self.trailing();
            elements.push(Element { value, margin });
            let margin = elements.last_mut().map(|element| &mut element.margin);
            if self.ahead.token == Token::Comma {
                self.comma(trailing, margin)?;
            } else if self.ahead.token == Token::BracketClose {
                attach(margin, trailing);
            } else {
                return Err(self.expected("a comma or the end of the list"));
            }
        }
    }

    /// Takes a comma; comments before it and behind it on its line belong to the item before it.
    fn comma(&mut self, trailing: Option<Comment>, margin: Option<&mut Margin>) -> Result<(), SyntaxError> {
        let before = self.comments();
        self.take()?;
        let behind = self.trailing();
        let Some(margin) = margin else { return Ok(()) };
        let mut comments: Vec<Comment> =
            margin.trailing.take().into_iter().chain(trailing).chain(before).chain(behind).collect();
        margin.trailing = comments.pop();
        margin.leading.extend(comments);
        Ok(())
    }

    /// The first comment ahead, if it begins on the line on which the last lexeme ended.
    fn trailing(&mut self) -> Option<Comment> {
        let follows = self.ahead.comments.first().is_some_and(|comment| comment.position.line == self.last_line);
        follows.then(|| self.ahead.comments.remove(0))
    }

    fn comments(&mut self) -> Vec<Comment> {
        std::mem::take(&mut self.ahead.comments)
    }

    /// What stands before the next lexeme.
    fn margin(&mut self) -> Margin {
        let leading = self.comments();
        let blank = self.ahead.blank_before;
        let blank_before = leading.first().map_or(blank, |comment| comment.blank_before);
        Margin { gap: blank && !leading.is_empty(), leading, trailing: None, blank_before }
    }

    /// Gives the lexeme ahead and reads the next one.
    fn take(&mut self) -> Result<Lexeme<'a>, SyntaxError> {
        let next = lexer::next(&mut self.cursor)?;
        self.last_line = self.ahead.end_line;
        Ok(std::mem::replace(&mut self.ahead, next))
    }

    fn expected(&self, expected: &'static str) -> SyntaxError {
        SyntaxError::new(self.ahead.position, expected)
    }
}

fn attach(margin: Option<&mut Margin>, trailing: Option<Comment>) {
    if let Some(margin) = margin {
        margin.trailing = trailing;
    }
}
