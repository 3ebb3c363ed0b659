//! `POST /v1/sys/policies/password/{name}`: writes a password policy, if passwords can be made by it.

use std::sync::Arc;

use data_encoding::BASE64;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseText;
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::{Error, Result};
use crate::vault::{PasswordPolicyRecord, Unsealed};

use super::PolicyPath;

/// A password policy.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct WritePolicy {
    /// Its text: HCL or JSON, or either of them in base64.
    policy: LooseText,
}

impl Endpoint for WritePolicy {
    type Target = Arc<Unsealed>;
    type Path = PolicyPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("policies/password/{name..}").summary("Writes a password policy");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: PolicyPath, cx: &mut Cx<'_>) -> Result<Done> {
        let text = self.policy.0;
        if text.is_empty() {
            return Err(Error::invalid("1 error occurred:\n\t* missing policy\n\n"));
        }
        let decoded = BASE64.decode(text.trim().as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let record = PasswordPolicyRecord { text: decoded.unwrap_or(text) };
        unsealed.passwords.write(&path.name, &record, cx.txn())?;
        Ok(Done)
    }
}
