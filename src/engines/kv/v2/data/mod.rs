//! `/v1/{mount}/data/{path}`: the versions of a secret.

pub(super) mod delete;
pub(super) mod patch;
pub(super) mod read;
pub(super) mod write;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::{LooseInt, given};
use crate::error::{Error, Result};
use crate::secret::SecretJson;

/// What a caller asks of a write beside the data.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Options {
    /// The version that the caller expects to replace; 0 if there must be none. Left out, the write always happens.
    #[serde(deserialize_with = "given")]
    cas: Option<LooseInt>,
}

impl Options {
    /// The version that is expected, if any.
    fn cas(options: Option<Self>) -> Option<LooseInt> {
        options.and_then(|options| options.cas)
    }
}

/// The data of a write: an object or `null`.
fn payload(data: Option<SecretJson>) -> Result<SecretJson> {
    match data {
        Some(data) if data.is_object() || data.is_null() => Ok(data),
        Some(_) => Err(Error::invalid("Field validation failed: field \"data\": it must be an object")),
        None => Err(Error::invalid("no data provided: send an object under the key \"data\"")),
    }
}
