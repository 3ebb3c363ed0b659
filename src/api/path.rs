//! `ApiPath`: the one spelling of a request's path that routing, policies, quotas, audit and storage all see.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The part of the URL behind `/v1/`, decoded once, in its only spelling: no leading slash, no empty, `.` or `..`
/// segment, no control character. It ends in a slash only when it names a folder, as lists do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ApiPath(String);

/// Why a text is not a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// A segment is `.` or `..`.
    #[error("relative paths not supported")]
    Relative,
    /// Two slashes follow each other, or the path begins with one.
    #[error("the path has an empty segment; remove the doubled slash")]
    EmptySegment,
    /// The path has a control character.
    #[error("the path has a control character; remove it")]
    Control,
    /// The path is longer than 4,096 bytes.
    #[error("the path is longer than 4096 bytes")]
    TooLong,
}

impl ApiPath {
    /// The longest path in bytes.
    pub const MAX_LEN: usize = 4096;

    /// Reads a decoded path. The empty path is one, and has no handler.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.len() > Self::MAX_LEN {
            return Err(PathError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(PathError::Control);
        }
        let body = text.strip_suffix('/').unwrap_or(text);
        if !body.is_empty() || text == "/" {
            for segment in body.split('/') {
                match segment {
                    "" => return Err(PathError::EmptySegment),
                    "." | ".." => return Err(PathError::Relative),
                    _ => {}
                }
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the path names a folder: it ends in a slash.
    pub fn is_folder(&self) -> bool {
        self.0.ends_with('/')
    }

    /// The path without a slash at its end.
    pub fn without_slash(&self) -> &str {
        self.0.strip_suffix('/').unwrap_or(&self.0)
    }

    /// The same path without a slash at its end.
    #[must_use]
    pub fn into_leaf(mut self) -> Self {
        if self.is_folder() {
            self.0.pop();
        }
        self
    }

    /// The same path as the name of a folder.
    #[must_use]
    pub fn into_folder(mut self) -> Self {
        if !self.is_folder() && !self.0.is_empty() {
            self.0.push('/');
        }
        self
    }
}

impl fmt::Display for ApiPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ApiPath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        Self::parse(&text)
    }
}

impl From<ApiPath> for String {
    fn from(path: ApiPath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_legal() {
        for text in ["", "a", "a/", "a..b/c*", "+/x", "a b/ü", "...", "a/.hidden"] {
            assert_eq!(ApiPath::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_second_spelling_is_refused() {
        assert_eq!(ApiPath::parse("a//b"), Err(PathError::EmptySegment));
        assert_eq!(ApiPath::parse("/a"), Err(PathError::EmptySegment));
        assert_eq!(ApiPath::parse("/"), Err(PathError::EmptySegment));
        assert_eq!(ApiPath::parse("a/../b"), Err(PathError::Relative));
        assert_eq!(ApiPath::parse("a/./"), Err(PathError::Relative));
        assert_eq!(ApiPath::parse("a\nb"), Err(PathError::Control));
        assert_eq!(ApiPath::parse("a\0b"), Err(PathError::Control));
        assert_eq!(ApiPath::parse(&"a".repeat(5000)), Err(PathError::TooLong));
    }
}
