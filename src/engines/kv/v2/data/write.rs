//! `POST /v1/{mount}/data/{path}`: writes a new version of a secret.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::given;
use crate::engine::{Caller, Cx, Data, Endpoint, Existence, Route};
use crate::engines::kv::path::SecretPath;
use crate::engines::kv::v2::secret::{Secret, VersionInfo};
use crate::engines::kv::v2::{Kv2, NewVersion};
use crate::error::Result;
use crate::secret::SecretJson;

use super::{Options, payload};

/// A new version.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(in crate::engines::kv::v2) struct Write {
    /// The secret.
    #[serde(deserialize_with = "given")]
    data: Option<SecretJson>,
    options: Option<Options>,
}

impl Endpoint for Write {
    type Target = Kv2;
    type Path = SecretPath;
    type Reply = Data<VersionInfo>;
    const ROUTE: Route = Route::write("data/{path..}").summary("Write a new version of a secret");

    async fn handle(self, kv: &Kv2, SecretPath { path }: SecretPath, cx: &mut Cx<'_>) -> Result<Data<VersionInfo>> {
        let payload = payload(self.data)?;
        let now = cx.now();
        let config = kv.config().await?;
        let secret = kv.fetch(cx.txn(), &path).await?.unwrap_or_else(|| Secret::new(now));
        config.check_cas(&secret, Options::cas(self.options))?;
        let deletion = config.deletion(&secret, now);
        let new = NewVersion { payload, now, deletion, keep: config.max_versions(&secret) };
        kv.write_version(cx.txn(), &path, secret, new).map(Data::new)
    }

    async fn existence(kv: &Kv2, SecretPath { path }: SecretPath, _: Option<&Caller>) -> Result<Existence> {
        kv.secrets.exists(&path).await.map(Existence::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Body;
    use crate::secret::SecretBytes;

    #[test]
    fn data_keep_their_spelling() {
        let text = r#"{"options":{"cas":"7"}, "data": {"z":1.50,"big":12345678901234567890123,"e":1e3, "a":"<&>"} }"#;
        let write: Write = Body::new(SecretBytes::new(text.as_bytes().to_vec())).decode().unwrap();
        let data = payload(write.data).unwrap();
        assert_eq!(data.expose(), r#"{"z":1.50,"big":12345678901234567890123,"e":1e3, "a":"<&>"}"#);
        assert_eq!(Options::cas(write.options).map(|cas| cas.0), Some(7));
    }

    #[test]
    fn complaints_do_not_repeat_a_value() {
        for text in [
            r#"{"data":{},"options":"hunter2"}"#,
            r#"{"data":{},"options":{"cas":"hunter2"}}"#,
            r#"{"data":{"a":"hunter2"},"data":{}}"#,
            r#"{"data":{"a":"hunter2}}"#,
        ] {
            let body = Body::new(SecretBytes::new(text.as_bytes().to_vec()));
            let message = body.decode::<Write>().unwrap_err().to_string();
            assert!(!message.contains("hunter2"), "{message}");
        }
    }
}
