//! Walks over a text and knows the line and the column.

use super::error::{Position, SyntaxError};

pub(super) struct Cursor<'a> {
    text: &'a str,
    offset: usize,
    position: Position,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, offset: 0, position: Position::START }
    }

    pub(super) fn position(&self) -> Position {
        self.position
    }

    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    /// What was passed since `start`, which [`Self::offset`] gave.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.offset).unwrap_or_default()
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.offset += character.len_utf8();
        self.position = self.position.after(character);
        Some(character)
    }

    /// Passes `prefix` if it comes next.
    pub(super) fn eat(&mut self, prefix: &str) -> bool {
        let found = self.rest().starts_with(prefix);
        if found {
            for _ in prefix.chars() {
                self.bump();
            }
        }
        found
    }

    /// Passes characters as long as `wanted` says so, and gives them.
    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let start = self.offset;
        while self.peek().is_some_and(&wanted) {
            self.bump();
        }
        self.since(start)
    }

    /// An error at the place where the cursor stands.
    pub(super) fn expected(&self, expected: &'static str) -> SyntaxError {
        SyntaxError::new(self.position, expected)
    }
}
