//! `PolicyName`: the one spelling of a policy's name.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::api::ApiPath;

/// A policy's name: in lower case, without blanks at its ends, 1 to 512 bytes, no control character, and (as it is a
/// part of a path) no empty, `.` or `..` segment. Two spellings of a name are the same value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PolicyName(String);

/// A text that cannot name a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a policy's name must have 1 to 512 bytes, no control characters and no relative or empty parts")]
pub struct BadName;

impl PolicyName {
    /// The longest name in bytes.
    pub const MAX_LEN: usize = 512;

    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let name = text.trim().to_lowercase();
        let good =
            !name.is_empty() && name.len() <= Self::MAX_LEN && !name.ends_with('/') && ApiPath::parse(&name).is_ok();
        if good { Ok(Self(name)) } else { Err(BadName) }
    }

    /// The policy that allows everything.
    pub fn root() -> Self {
        Self("root".to_owned())
    }

    /// The policy that every token has unless it is made without it.
    pub fn default_policy() -> Self {
        Self("default".to_owned())
    }

    /// The policy of wrapping tokens.
    pub fn response_wrapping() -> Self {
        Self("response-wrapping".to_owned())
    }

    /// Whether this is the policy that allows everything.
    pub fn is_root(&self) -> bool {
        self.0 == "root"
    }

    /// Whether the policy is built in and can be neither written nor deleted.
    pub fn is_fixed(&self) -> bool {
        matches!(self.0.as_str(), "root" | "response-wrapping")
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for PolicyName {
    type Error = BadName;

    fn try_from(text: String) -> Result<Self, BadName> {
        Self::parse(&text)
    }
}

impl From<PolicyName> for String {
    fn from(name: PolicyName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_root_are_root() {
        for text in ["root", "ROOT", " root", "Root ", "\troot\n"] {
            assert!(PolicyName::parse(text).unwrap().is_root(), "{text}");
        }
    }

    #[test]
    fn odd_names_are_names() {
        for text in ["a.b", "a b", "a/b", "é", "a,b", "+", "-", "a*b"] {
            assert_eq!(PolicyName::parse(text).unwrap().as_str(), text);
        }
        assert_eq!(PolicyName::parse("É").unwrap(), PolicyName::parse("é").unwrap());
    }

    #[test]
    fn paths_into_elsewhere_are_not_names() {
        for text in ["", " ", "../root/x", "ns/../x", "a//b", "/a", "a/", "./a", "a\0b", "a\nb", &"x".repeat(513)] {
            assert_eq!(PolicyName::parse(text), Err(BadName), "{text}");
        }
    }
}
