//! `?after=b&limit=2`: which part of a list is wanted.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::{LooseInt, LooseText};
use crate::storage::Page;

/// Which part of a list is wanted.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Paging {
    /// Only names behind this one.
    after: LooseText,
    /// At most so many; 0 and less is all.
    limit: LooseInt,
}

impl Paging {
    /// The part, as the store knows it.
    pub fn page(self) -> Page {
        let LooseText(after) = self.after;
        let limit = usize::try_from(self.limit.0).ok().filter(|limit| *limit > 0);
        Page { after: Some(after).filter(|after| !after.is_empty()), limit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(json: &str) -> (Option<String>, Option<usize>) {
        let Page { after, limit } = serde_json::from_str::<Paging>(json).unwrap().page();
        (after, limit)
    }

    #[test]
    fn parts_of_a_list() {
        assert_eq!(page("{}"), (None, None));
        assert_eq!(page(r#"{"after":"b","limit":"2"}"#), (Some("b".to_owned()), Some(2)));
        for json in [r#"{"limit":0,"after":""}"#, r#"{"limit":"-1"}"#, r#"{"limit":""}"#] {
            assert_eq!(page(json), (None, None), "{json}");
        }
        assert!(serde_json::from_str::<Paging>(r#"{"limit":"hunter2"}"#).is_err());
    }
}
