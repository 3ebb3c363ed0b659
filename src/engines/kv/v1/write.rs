//! `POST /v1/{mount}/{path}`: writes a secret, in place of what was there.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Caller, Cx, Done, Endpoint, Existence, Route};
use crate::error::{Error, Result};
use crate::secret::SecretJson;

use super::{Kv1, Secret};
use crate::engines::kv::path::SecretPath;

/// The secret: the whole body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Write {
    secret: SecretJson,
}

impl Endpoint for Write {
    type Target = Kv1;
    type Path = SecretPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("{path..}").summary("Write a secret");

    async fn handle(self, kv: &Kv1, SecretPath { path }: SecretPath, cx: &mut Cx<'_>) -> Result<Done> {
        if !self.secret.is_object() || self.secret.is_empty_object() {
            return Err(Error::invalid("missing data fields: send an object with at least one field"));
        }
        kv.secrets.put(cx.txn(), &path, &Secret(self.secret))?;
        Ok(Done)
    }

    async fn existence(kv: &Kv1, SecretPath { path }: SecretPath, _: Option<&Caller>) -> Result<Existence> {
        kv.secrets.exists(&path).await.map(Existence::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Body;
    use crate::secret::SecretBytes;

    #[test]
    fn a_secret_keeps_its_spelling() {
        let text = r#"{"z":1.50,"big":12345678901234567890123,"e":1e3, "a":"<&>"}"#;
        let write: Write = Body::new(SecretBytes::new(text.as_bytes().to_vec())).decode().unwrap();
        assert_eq!(serde_json::to_string(&Secret(write.secret)).unwrap(), text);
    }

    #[test]
    fn what_is_no_json_is_refused_without_being_repeated() {
        for text in ["{\"hunter2\":", "{\"hunter2\"}", "hunter2", "{\"a\":\"hunter2}"] {
            let body = Body::new(SecretBytes::new(text.as_bytes().to_vec()));
            let message = body.decode::<Write>().unwrap_err().to_string();
            assert!(!message.contains("hunter2"), "{message}");
        }
    }
}
