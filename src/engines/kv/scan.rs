//! The paths of all secrets below a folder, in the order in which a client that walks the folders meets them.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::engine::View;
use crate::error::Result;

/// The paths of all secrets below a folder; an empty object where there are none.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Paths {
    /// Relative to the folder.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) keys: Vec<String>,
    /// More about each, by path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key_info: Option<Map<String, Value>>,
}

/// Those below `prefix` (empty, or ending in a slash).
pub(super) async fn below(secrets: &View, prefix: &str) -> Result<Paths> {
    let mut keys = secrets.scan(prefix).await?;
    keys.sort_unstable_by(|a, b| by_level(a, b));
    Ok(Paths { keys, key_info: None })
}

/// The secrets of a folder in byte order, then its folders, the last of them first: the order of OpenBao.
fn by_level(mut a: &str, mut b: &str) -> Ordering {
    loop {
        match (a.split_once('/'), b.split_once('/')) {
            (None, None) => return a.cmp(b),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some((folder, inner)), Some((other, other_inner))) if folder == other => (a, b) = (inner, other_inner),
            // A folder is listed with its slash.
            (Some((folder, _)), Some((other, _))) => {
                return other.bytes().chain([b'/']).cmp(folder.bytes().chain([b'/']));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn secrets_stand_before_the_folders_beside_them() {
        let mut paths = ["A/1", "a", "b", "b-x/1", "b/c", "b/d/a", "b/d/e", "b/d2", "z"];
        paths.sort_unstable_by(|a, b| by_level(a, b));
        assert_eq!(paths, ["a", "b", "z", "b/c", "b/d2", "b/d/a", "b/d/e", "b-x/1", "A/1"]);
    }

    proptest! {
        #[test]
        fn it_is_an_order(a in "[ab/-]{0,6}", b in "[ab/-]{0,6}", c in "[ab/-]{0,6}") {
            prop_assert_eq!(by_level(&a, &b), by_level(&b, &a).reverse());
            prop_assert_eq!(by_level(&a, &b) == Ordering::Equal, a == b);
            if by_level(&a, &b).is_le() && by_level(&b, &c).is_le() {
                prop_assert!(by_level(&a, &c).is_le());
            }
        }
    }
}
