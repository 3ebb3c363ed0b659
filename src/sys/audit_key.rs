//! `GET /v1/sys/config/auditing/public-key`: the key that the audit log's checkpoints are checked with.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadAuditKey {}

/// The key.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AuditKey {
    /// Ed25519, SubjectPublicKeyInfo in PEM (RFC 8410).
    public_key: String,
}

impl Endpoint for ReadAuditKey {
    type Target = Arc<Unsealed>;
    type Path = super::NoPath;
    type Reply = Data<AuditKey>;
    const ROUTE: Route =
        Route::read("config/auditing/public-key").summary("The public key that audit logs are verified with");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: super::NoPath, _: &mut Cx<'_>) -> Result<Data<AuditKey>> {
        Ok(Data::new(AuditKey { public_key: unsealed.core.audit_key.to_pem() }))
    }
}
