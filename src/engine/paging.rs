//! `Paging`: which part of a list a caller wants.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseInt;
use crate::storage::Page;

/// Which part of a list is wanted, as its caller says.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Paging {
    /// Only names behind this one.
    after: String,
    /// At most so many; 0 is all.
    limit: LooseInt,
}

impl From<Paging> for Page {
    fn from(Paging { after, limit }: Paging) -> Self {
        let limit = usize::try_from(limit.0).ok().filter(|limit| *limit > 0);
        Self { after: Some(after).filter(|after| !after.is_empty()), limit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_says_nothing_is_all() {
        for (text, page) in [
            ("{}", Page::all()),
            (r#"{"after":"","limit":"0"}"#, Page::all()),
            (r#"{"limit":-1}"#, Page::all()),
            (r#"{"limit":"2"}"#, Page::first(2)),
            (r#"{"after":"a","limit":3}"#, Page { after: Some("a".to_owned()), limit: Some(3) }),
        ] {
            assert_eq!(Page::from(serde_json::from_str::<Paging>(text).unwrap()), page, "{text}");
        }
    }
}
