//! `/v1/sys/config/ui/headers`: the headers that a user interface is served with. They are kept and shown; the server
//! itself has no user interface.

mod delete;
mod list;
mod read;
mod write;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::barrier::{Record, View};
use crate::engine::Routes;
use crate::vault::Unsealed;

/// Adds what is below `sys/config/ui/headers`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<list::ListHeaders>()
        .endpoint::<read::ReadHeader>()
        .endpoint::<write::WriteHeader>()
        .endpoint::<delete::DeleteHeader>()
}

/// The name of a header; its case does not matter.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct HeaderPath {
    header: String,
}

/// A header as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    name: String,
    values: Vec<String>,
}

impl Record for Header {}

fn headers(unsealed: &Unsealed) -> View {
    unsealed.core.view("config/ui-header")
}

/// The name as it is shown: `X-Content-Type`.
fn canonical(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        format!("{}{}", first.to_ascii_uppercase(), rest.to_ascii_lowercase())
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn names_have_one_spelling() {
        assert_eq!(canonical("x-CONTENT-type"), "X-Content-Type");
        assert_eq!(canonical(""), "");
        assert_eq!(canonical("é-a"), "é-A");
    }
}
