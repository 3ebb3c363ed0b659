//! `approle`: a role id, which may be known, and a secret id, which may not, are the proof. For machines.
//!
//! Ids are random and long, so their keyed hash is all that is kept of them: nobody who reads the store, and no
//! operator of the vault, learns a secret id that was handed out.

mod login;
mod roles;
mod secret_ids;
mod tidy;

use data_encoding::{BASE64, HEXLOWER};
use ring::hmac;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::engine::{AuthMethod, Body, Client, Deps, Engine, Identity, Record, Routes, Terms, Txn, View};
use crate::error::{Error, Kind, Result};
use crate::secret::{self, SecretBytes, SecretText};
use crate::time::Timestamp;

/// The `approle` auth method.
#[derive(Debug)]
pub struct Approle {
    view: View,
    key: SecretBytes,
}

impl Engine for Approle {
    const KIND: &'static str = "approle";

    async fn open(view: View, _options: &Value, deps: Deps) -> Result<Self> {
        let key = match view.get::<HashKey>(HASH_KEY).await? {
            Some(key) => key,
            None => HashKey::create(&view, &deps).await?,
        };
        let key = BASE64.decode(key.key.expose().as_bytes()).map_err(|_| Error::corrupt("the hash key is damaged"))?;
        Ok(Self { view, key: SecretBytes::new(key) })
    }

    fn routes() -> Routes<Self> {
        let routes = Routes::new()
            .endpoint::<login::LogIn>()
            .endpoint::<roles::WriteRole>()
            .endpoint::<roles::ReadRole>()
            .endpoint::<roles::DeleteRole>()
            .endpoint::<roles::ListRoles>()
            .endpoint::<roles::ReadRoleId>()
            .endpoint::<roles::WriteRoleId>()
            .endpoint::<secret_ids::Generate>()
            .endpoint::<secret_ids::GenerateCustom>()
            .endpoint::<secret_ids::ListAccessors>()
            .endpoint::<secret_ids::LookUp>()
            .endpoint::<secret_ids::Destroy>()
            .endpoint::<secret_ids::DestroyByDelete>()
            .endpoint::<secret_ids::LookUpAccessor>()
            .endpoint::<secret_ids::DestroyAccessor>()
            .endpoint::<secret_ids::DestroyAccessorByDelete>()
            .endpoint::<tidy::Tidy>();
        roles::field_routes(routes)
    }

    async fn maintain(&self, now: Timestamp) -> Result<()> {
        tidy::if_asked(self, now).await
    }
}

impl AuthMethod for Approle {
    const HAS_ROLES: bool = true;

    async fn login_role(&self, path: &str, body: &Body, _client: &Client) -> Result<Option<String>> {
        if path == "login" { login::role(self, body).await } else { Ok(None) }
    }

    async fn renew(&self, identity: &Identity, _client: &Client) -> Result<Option<Terms>> {
        login::renew(self, identity).await
    }
}

impl Approle {
    /// The name under which something that is named by `parts` is kept: HMAC-SHA-256 in hex. Each part is preceded by
    /// its length, so that no two lists of parts are the same text.
    fn hash(&self, parts: &[&str]) -> String {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.key));
        for part in parts {
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part.as_bytes());
        }
        HEXLOWER.encode(context.sign().as_ref())
    }
}

/// The key of this mount's hashes.
#[derive(Serialize, Deserialize)]
struct HashKey {
    /// 32 bytes in Base64.
    #[serde(with = "secret::at_rest")]
    key: SecretText,
}

impl Record for HashKey {}

const HASH_KEY: &str = "hash-key";

impl HashKey {
    /// Makes the key, once: of two nodes that open a new mount at a time, the second takes what the first made.
    async fn create(view: &View, deps: &Deps) -> Result<Self> {
        let bytes = SecretBytes::new(deps.entropy.bytes::<32>()?.to_vec());
        let key = Self { key: SecretText::new(BASE64.encode(&bytes)) };
        let mut txn = Txn::new();
        view.insert(&mut txn, HASH_KEY, &key)?;
        match view.commit(txn).await {
            Ok(()) => Ok(key),
            Err(error) if error.kind() == Kind::Conflict => view.get(HASH_KEY).await?.ok_or(error),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
