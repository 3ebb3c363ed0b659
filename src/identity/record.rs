//! What is stored of an entity, an alias and a group.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::barrier::Record;
use crate::error::{Error, Result};
use crate::time::Timestamp;

/// The most keys in one metadata.
const MOST_KEYS: usize = 64;
/// The longest key of a metadata, in characters.
const LONGEST_KEY: usize = 128;
/// The longest value in a metadata, in characters.
const LONGEST_VALUE: usize = 512;

/// Somebody or something, whatever auth method it comes through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// Its id, a UUID.
    pub id: String,
    /// Its name; its case does not count.
    pub name: String,
    /// What operators say about it.
    pub metadata: BTreeMap<String, String>,
    /// The policies that its tokens get beside their own, sorted.
    pub policies: Vec<String>,
    /// Whether its tokens are refused.
    pub disabled: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
    /// The ids of entities that went up in it; their tokens are its tokens.
    pub merged_ids: Vec<String>,
    /// The aliases by which auth methods know it, at most one a mount.
    pub aliases: Vec<Alias>,
    /// The groups that it is in itself. One that is not there any more counts for nothing.
    pub group_ids: Vec<String>,
}

impl Record for Entity {}

/// The name by which one mount knows an entity or an external group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    /// Its id, a UUID.
    pub id: String,
    /// The name at the mount; its case does not count.
    pub name: String,
    /// The accessor of the mount.
    pub mount_accessor: String,
    /// What the auth method says about it.
    pub metadata: BTreeMap<String, String>,
    /// What operators say about it; nothing where none ever did.
    pub custom_metadata: Option<BTreeMap<String, String>>,
    /// Whether it is of a mount that is meant for one cluster only.
    pub local: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
    /// The ids of the entities that it was of before they were merged.
    pub merged_from: Vec<String>,
}

/// Who decides about the members of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupKind {
    /// Operators do.
    #[default]
    Internal,
    /// An auth method does, at each login.
    External,
}

impl GroupKind {
    /// As it is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::External => "external",
        }
    }

    /// Reads the word for it; an empty one is the default.
    pub fn parse(word: &str) -> Result<Self> {
        match word {
            "" | "internal" => Ok(Self::Internal),
            "external" => Ok(Self::External),
            _ => Err(Error::invalid("invalid group type; it must be internal or external")),
        }
    }
}

/// Entities and groups that share policies. Its member entities are in an index of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its id, a UUID.
    pub id: String,
    /// Its name; its case does not count.
    pub name: String,
    /// Who decides about its members.
    pub kind: GroupKind,
    /// The policies of its members, and of the members of the groups below it.
    pub policies: Vec<String>,
    /// What operators say about it.
    pub metadata: BTreeMap<String, String>,
    /// The groups directly below it.
    pub member_group_ids: Vec<String>,
    /// The groups directly above it.
    pub parent_group_ids: Vec<String>,
    /// The name by which a mount knows it, for an external one.
    pub alias: Option<Alias>,
    /// Counts its changes, from 1.
    pub modify_index: u64,
    /// When it was made.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
}

impl Record for Group {}

impl Entity {
    /// Its alias at the mount of this accessor.
    pub fn alias_at(&self, accessor: &str) -> Option<&Alias> {
        self.aliases.iter().find(|alias| alias.mount_accessor == accessor)
    }

    /// Its alias of this id.
    pub fn alias(&self, id: &str) -> Option<&Alias> {
        self.aliases.iter().find(|alias| alias.id == id)
    }
}

/// Policies as an entity or a group may have them: lower case, sorted, each once, and not `root`.
pub fn policy_names(names: &[String]) -> Result<Vec<String>> {
    let mut names: Vec<String> = names.iter().map(|name| name.trim().to_lowercase()).collect();
    names.retain(|name| !name.is_empty());
    names.sort_unstable();
    names.dedup();
    if names.iter().any(|name| name == "root") {
        return Err(Error::invalid("policies cannot contain root"));
    }
    Ok(names)
}

/// Metadata within its bounds: at most 64 keys of at most 128 characters, with values of at most 512.
pub fn checked_metadata(metadata: BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    let refused = |why: &str| Err(Error::invalid(format!("invalid metadata: {why}")));
    if metadata.len() > MOST_KEYS {
        return refused("metadata cannot contain more than 64 key/value pairs");
    }
    for (key, value) in &metadata {
        if key.is_empty() {
            return refused("key cannot be blank");
        }
        if key.chars().count() > LONGEST_KEY {
            return refused("key is too long (limit: 128 characters)");
        }
        if value.chars().count() > LONGEST_VALUE {
            return refused("value is too long (limit: 512 characters)");
        }
        if !key.chars().chain(value.chars()).all(|character| !character.is_control()) {
            return refused("keys and values must not have control characters");
        }
    }
    Ok(metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn policies_have_one_spelling_and_root_is_none_of_them() {
        assert_eq!(policy_names(&names(&["P1", " p0 ", "p1", ""])).unwrap(), ["p0", "p1"]);
        for root in ["root", "Root", " ROOT "] {
            assert!(policy_names(&names(&["a", root])).is_err(), "{root}");
        }
    }

    #[test]
    fn metadata_has_bounds() {
        let one = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
        assert!(checked_metadata(one(&"k".repeat(128), &"ü".repeat(512))).is_ok());
        assert!(checked_metadata(one(&"k".repeat(129), "v")).is_err());
        assert!(checked_metadata(one("k", &"v".repeat(513))).is_err());
        assert!(checked_metadata(one("", "v")).is_err());
        assert!(checked_metadata(one("k", "a\nb")).is_err());
        let many = |count: usize| (0..count).map(|number| (number.to_string(), String::new())).collect();
        assert!(checked_metadata(many(64)).is_ok());
        assert!(checked_metadata(many(65)).is_err());
    }

    #[test]
    fn a_group_is_of_one_of_two_kinds() {
        assert_eq!(GroupKind::parse("").unwrap(), GroupKind::Internal);
        assert_eq!(GroupKind::parse("external").unwrap().as_str(), "external");
        assert!(GroupKind::parse("strange").is_err());
    }
}
