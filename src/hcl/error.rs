//! Where something was written, and what is wrong there.

use std::fmt;

/// A place in a document. Both numbers start at 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Position {
    /// The first character of a document.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The place behind `text`.
    pub(super) fn behind(text: &str) -> Self {
        text.chars().fold(Self::START, Self::after)
    }

    /// The place behind a character that stands here.
    pub(super) fn after(self, character: char) -> Self {
        if character == '\n' {
            Self { line: self.line.saturating_add(1), column: 1 }
        } else {
            Self { line: self.line, column: self.column.saturating_add(1) }
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A document that does not follow the language: where, and what was expected there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("At {position}: expected {expected}")]
pub struct SyntaxError {
    position: Position,
    expected: &'static str,
}

impl SyntaxError {
    pub(super) fn new(position: Position, expected: &'static str) -> Self {
        Self { position, expected }
    }

    /// Where.
    pub fn position(&self) -> Position {
        self.position
    }

    /// What should stand there.
    pub fn expected(&self) -> &'static str {
        self.expected
    }
}
