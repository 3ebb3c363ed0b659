//! `POST /v1/sys/storage/check`: looks at every record of the store, and compares it with a checkpoint.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::vault::{CheckReport, Checkpoint, Unsealed};

use super::super::NoPath;

/// What to compare with.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct CheckStore {
    /// A checkpoint that the store must not be older than, as `storage/checkpoint` answered it.
    #[serde(default)]
    checkpoint: Option<Value>,
}

impl Endpoint for CheckStore {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<CheckReport>;
    const ROUTE: Route = Route::write("storage/check").sudo().summary("Look at every record of the store");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Data<CheckReport>> {
        let parsed = |checkpoint: Value| {
            let json = serde_json::to_vec(&checkpoint).map_err(|_| Error::invalid("'checkpoint' cannot be read"))?;
            Checkpoint::parse(&json)
        };
        let checkpoint = self.checkpoint.map(parsed).transpose()?;
        Ok(Data::new(unsealed.core.check(checkpoint).await?))
    }
}
