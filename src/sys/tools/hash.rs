//! `POST /v1/sys/tools/hash`: a digest.

use std::sync::Arc;

use data_encoding::BASE64;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::api::LooseText;
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::secret::SecretText;
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::algorithm::Algorithm;
use super::encoding::Encoding;

/// What to digest, and how.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Hash {
    /// The input in base64.
    input: Option<SecretText>,
    /// `sha2-256` where nothing is said.
    algorithm: LooseText,
    /// `hex` or `base64`.
    format: LooseText,
}

/// A digest.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Sum {
    sum: String,
}

impl Endpoint for Hash {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<Sum>;
    const ROUTE: Route = Route::write("tools/hash").summary("A digest");

    async fn handle(self, _: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Data<Sum>> {
        let algorithm = if self.algorithm.0.is_empty() { "sha2-256" } else { &self.algorithm.0 };
        sum(algorithm, self.input.as_ref(), &self.format.0)
    }
}

/// The digest of an input in base64.
pub(super) fn sum(algorithm: &str, input: Option<&SecretText>, format: &str) -> Result<Data<Sum>> {
    let algorithm = Algorithm::parse(algorithm)?;
    let encoding = Encoding::parse(format, Encoding::Hex)?;
    let input = BASE64.decode(input.map_or("", SecretText::expose).as_bytes());
    let input = Zeroizing::new(input.map_err(|_| Error::invalid("unable to decode input as base64"))?);
    Ok(Data::new(Sum { sum: encoding.encode(&algorithm.digest(&input)) }))
}
