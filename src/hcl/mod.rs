//! The configuration language of policies and of the server's file: HCL version 1, and its JSON form.
//!
//! Version 2 of the language refuses what existing files have (several attributes on one line, objects with quoted
//! keys as blocks), so this reads version 1. Both forms end in one tree, whose items know where they were written.
//! No message repeats what was in the text: it may be a secret in the wrong place.

mod cursor;
mod error;
mod format;
mod json;
mod lexer;
mod literal;
mod parser;
mod tree;

pub use error::{Position, SyntaxError};
pub use format::format;
pub use tree::{Block, Comment, Element, Item, Key, Kind, List, Misshapen, Number, Object, Value};

/// How many objects and lists may stand inside each other.
pub const MAX_DEPTH: usize = 64;

/// Reads a document, HCL or (if its first character is a brace) JSON.
pub fn parse(bytes: &[u8]) -> Result<Object, SyntaxError> {
    let text = decode(bytes)?;
    if is_json(text) { json::parse(text) } else { parser::parse(text) }
}

/// Whether the text is the JSON form: its first character that is not a blank is a brace.
fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// The text of `bytes`, without a byte order mark.
fn decode(bytes: &[u8]) -> Result<&str, SyntaxError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let valid = std::str::from_utf8(valid).unwrap_or_default();
        SyntaxError::new(Position::behind(valid), "text in UTF-8")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

#[cfg(test)]
mod tests;
