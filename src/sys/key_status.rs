//! `GET /v1/sys/key-status`: the active term of the keyring.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::time::Timestamp;
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadKeyStatus {}

/// The active term.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct KeyStatus {
    /// Its number, from 1.
    term: u32,
    /// When its key was made.
    install_time: Timestamp,
    /// How often it was used, at least.
    encryptions: u64,
}

impl Endpoint for ReadKeyStatus {
    type Target = Arc<Unsealed>;
    type Path = super::NoPath;
    type Reply = Data<KeyStatus>;
    const ROUTE: Route = Route::read("key-status").summary("The active term of the keyring");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: super::NoPath, _: &mut Cx<'_>) -> Result<Data<KeyStatus>> {
        let status = unsealed.core.barrier.key_status()?;
        let shown = KeyStatus { term: status.term, install_time: status.installed, encryptions: status.encryptions };
        Ok(Data::new(shown).repeated())
    }
}
