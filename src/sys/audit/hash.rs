//! `POST /v1/sys/audit-hash/{path}`: what an audit device writes in place of a text.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::secret::SecretText;
use crate::vault::Unsealed;

use super::DevicePath;

/// The text.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct HashInput {
    /// The text.
    input: Option<SecretText>,
}

/// Its hash.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct HashedInput {
    /// `hmac-sha256:` and 64 hexadecimal digits.
    hash: String,
}

impl Endpoint for HashInput {
    type Target = Arc<Unsealed>;
    type Path = DevicePath;
    type Reply = Data<HashedInput>;
    const ROUTE: Route = Route::write("audit-hash/{path..}").summary("What an audit device writes in place of a text");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: DevicePath, _: &mut Cx<'_>) -> Result<Data<HashedInput>> {
        let input = self.input.filter(|input| !input.is_empty());
        let input = input.ok_or_else(|| Error::invalid("the \"input\" parameter is empty"))?;
        let hash = unsealed.core.audit.hash(&format!("{}/", path.path.trim_matches('/')), input.expose())?;
        Ok(Data::new(HashedInput { hash }).repeated())
    }
}
