//! `PATCH /v1/{mount}/data/{path}`: merges changes (RFC 7396) into the current version, which makes a new one.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::given;
use crate::engine::{Cx, Data, Endpoint, Route, StatusCode};
use crate::engines::kv::path::SecretPath;
use crate::engines::kv::v2::secret::VersionInfo;
use crate::engines::kv::v2::{Kv2, NewVersion, merge_patch};
use crate::error::{Error, Result};
use crate::secret::SecretJson;

use super::{Options, payload};

/// Changes of the current version.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(in crate::engines::kv::v2) struct Patch {
    /// The changes: `null` removes a field, an object is merged, anything else takes the place of what was there.
    #[serde(deserialize_with = "given")]
    data: Option<SecretJson>,
    options: Option<Options>,
}

impl Endpoint for Patch {
    type Target = Kv2;
    type Path = SecretPath;
    type Reply = Data<VersionInfo>;
    const ROUTE: Route = Route::patch("data/{path..}").summary("Change some fields of a secret");

    async fn handle(self, kv: &Kv2, SecretPath { path }: SecretPath, cx: &mut Cx<'_>) -> Result<Data<VersionInfo>> {
        let patch = payload(self.data)?;
        if patch.is_null() {
            // By RFC 7396 it would take the place of the secret: that is for a write, or a deletion.
            return Err(Error::invalid("Field validation failed: field \"data\": a patch must be an object, not null"));
        }
        let now = cx.now();
        let config = kv.config().await?;
        // Clients know a secret that is not there by a 404 without a body.
        let absent = || Data::or_nothing(None).with_status(StatusCode::NOT_FOUND);
        let Some(secret) = kv.fetch(cx.txn(), &path).await? else { return Ok(absent()) };
        let Some(version) = secret.versions.get(&secret.current).copied() else { return Ok(absent()) };
        config.check_cas(&secret, Options::cas(self.options))?;
        if !version.is_live(now) {
            let info = VersionInfo::new(secret.current, version, secret.custom_metadata);
            return Ok(Data::new(info).with_status(StatusCode::NOT_FOUND));
        }
        let payload = merge_patch::merge(secret.payload.as_ref(), patch)?;
        let deletion = config.deletion(&secret, now);
        let new = NewVersion { payload, now, deletion, keep: config.max_versions(&secret) };
        kv.write_version(cx.txn(), &path, secret, new).map(Data::new)
    }
}
