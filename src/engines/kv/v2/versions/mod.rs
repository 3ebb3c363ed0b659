//! `/v1/{mount}/{delete,undelete,destroy}/{path}`: what is done to chosen versions.

pub(super) mod delete;
pub(super) mod destroy;
pub(super) mod undelete;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::StringList;
use crate::error::{Error, Result};

/// The versions that are meant.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Versions {
    /// Their numbers, as a list or with commas between them. A version that is not there is passed over.
    versions: StringList,
}

impl Versions {
    /// The numbers, of which there is at least one.
    fn numbers(&self) -> Result<Vec<u64>> {
        let numbers = self.versions.as_slice().iter().filter(|number| !number.is_empty());
        let numbers = numbers.map(|number| number.parse::<i64>());
        let numbers: Vec<i64> = numbers.collect::<Result<_, _>>().map_err(|_| {
            Error::invalid("Field validation failed: field \"versions\": every version must be a whole number")
        })?;
        if numbers.is_empty() {
            return Err(Error::invalid("No version number provided: send a list under the key \"versions\""));
        }
        Ok(numbers.into_iter().filter_map(|number| u64::try_from(number).ok()).collect())
    }
}
