//! The names of connections and roles, as paths have them.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

/// The name of a connection or of a role: letters, digits, `_`, `-` and `.`, with a letter, a digit or `_` at both ends.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(transparent)]
pub(crate) struct EntryName(String);

impl EntryName {
    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The name.
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl<'de> Deserialize<'de> for EntryName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let is_word = |c: char| c == '_' || c.is_ascii_alphanumeric();
        let ends_well = name.starts_with(is_word) && name.ends_with(is_word);
        if ends_well && name.len() <= 512 && name.chars().all(|c| is_word(c) || c == '-' || c == '.') {
            Ok(Self(name))
        } else {
            Err(de::Error::custom("a name has letters, digits, _, - and ., and a letter, a digit or _ at both ends"))
        }
    }
}

/// The path of a connection or of a role.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct EntryPath {
    /// Its name.
    pub(crate) name: EntryName,
}

/// A path without parameters.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct NoPath {}
