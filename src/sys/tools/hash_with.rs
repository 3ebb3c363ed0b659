//! `POST /v1/sys/tools/hash/{urlalgorithm}`: a digest by the algorithm in the path.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseText;
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::secret::SecretText;
use crate::vault::Unsealed;

use super::hash::{Sum, sum};

/// What to digest.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct HashWith {
    /// The input in base64.
    input: Option<SecretText>,
    /// `hex` or `base64`.
    format: LooseText,
}

/// How.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct AlgorithmPath {
    /// The algorithm.
    urlalgorithm: String,
}

impl Endpoint for HashWith {
    type Target = Arc<Unsealed>;
    type Path = AlgorithmPath;
    type Reply = Data<Sum>;
    const ROUTE: Route = Route::write("tools/hash/{urlalgorithm}").summary("A digest");
    const ALIASES: &'static [&'static str] = &["algorithm"];

    async fn handle(self, _: &Arc<Unsealed>, path: AlgorithmPath, _: &mut Cx<'_>) -> Result<Data<Sum>> {
        sum(&path.urlalgorithm, self.input.as_ref(), &self.format.0)
    }
}
