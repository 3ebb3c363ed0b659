//! `kv` version 1: one secret at each path, as its owner sent it.
//!
//! A secret lies at `secret/<path>` and is the JSON text of the request. A secret and a folder of the same name live
//! side by side.

mod delete;
mod list;
mod read;
mod scan;
mod write;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::engine::{Deps, Engine, Record, Routes, SecretsEngine, View};
use crate::error::Result;
use crate::secret::SecretJson;

/// Where the secrets of a mount lie.
pub(super) const SECRETS: &str = "secret";

/// A mounted `kv` engine of version 1.
#[derive(Debug)]
pub struct Kv1 {
    secrets: View,
}

impl Engine for Kv1 {
    const KIND: &'static str = "kv";

    async fn open(view: View, _options: &Value, _deps: Deps) -> Result<Self> {
        Ok(Self { secrets: view.within(SECRETS) })
    }

    fn routes() -> Routes<Self> {
        Routes::new()
            .endpoint::<read::Read>()
            .endpoint::<read::ReadRoot>()
            .endpoint::<write::Write>()
            .endpoint::<delete::Delete>()
            .endpoint::<list::List>()
            .endpoint::<scan::Scan>()
    }
}

impl SecretsEngine for Kv1 {}

/// A secret as it is stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Secret(pub(super) SecretJson);

impl Record for Secret {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::Operation::{Delete, List, Read, Scan, Write};
    use crate::engine::harness::Harness;
    use crate::engine::{Content, Existence};
    use crate::error::Kind;

    async fn kv() -> Harness<Kv1> {
        Harness::open(Value::Null).await
    }

    /// The lease duration that a read of `path` shows.
    async fn lasts(kv: &Harness<Kv1>, path: &str) -> u64 {
        let content = kv.call(Read, path, Value::Null).await.unwrap().content;
        let Content::Data { lasts, lease: None, .. } = content else { panic!("{content:?}") };
        lasts.unwrap().seconds()
    }

    #[tokio::test]
    async fn a_secret_lives_and_dies() {
        let kv = kv().await;
        assert_eq!(kv.existence("app").await, Existence::Absent);
        kv.call(Write, "app", json!({"user": "alice", "deep": {"a": [1, 2]}})).await.unwrap();
        assert_eq!(kv.existence("app").await, Existence::Exists);
        let secret = kv.data(Read, "app", Value::Null).await.unwrap();
        assert_eq!(secret, json!({"user": "alice", "deep": {"a": [1, 2]}}));
        kv.call(Write, "app", json!({"user": "bob"})).await.unwrap();
        assert_eq!(kv.data(Read, "app", Value::Null).await.unwrap(), json!({"user": "bob"}));
        for _ in 0..2 {
            kv.call(Delete, "app", Value::Null).await.unwrap();
            let error = kv.call(Read, "app", Value::Null).await.unwrap_err();
            assert_eq!((error.kind(), error.messages().len()), (Kind::NotFound, 0));
        }
    }

    #[tokio::test]
    async fn nothing_is_no_secret() {
        let kv = kv().await;
        for body in [Value::Null, json!({}), json!([1]), json!("text")] {
            assert_eq!(kv.call(Write, "app", body).await.unwrap_err().kind(), Kind::InvalidRequest);
        }
    }

    #[tokio::test]
    async fn folders_are_listed_beside_secrets() {
        let kv = kv().await;
        for path in ["b", "a/x", "a/y/z", "a"] {
            kv.call(Write, path, json!({"k": "v"})).await.unwrap();
        }
        let keys = async |operation, path| kv.data(operation, path, Value::Null).await.map(|data| data["keys"].clone());
        assert_eq!(keys(List, "").await.unwrap(), json!(["a", "a/", "b"]));
        assert_eq!(keys(List, "a/").await.unwrap(), json!(["x", "y/"]));
        assert_eq!(keys(Scan, "").await.unwrap(), json!(["a", "b", "a/x", "a/y/z"]));
        assert_eq!(keys(Scan, "a").await.unwrap(), json!(["x", "y/z"]));
        assert_eq!(keys(List, "b").await.unwrap_err().kind(), Kind::NotFound);
        kv.call(Delete, "a/y/z", Value::Null).await.unwrap();
        assert_eq!(keys(List, "a").await.unwrap(), json!(["x"]));
        assert_eq!(keys(Read, "").await.unwrap_err().kind(), Kind::NotFound);
    }

    #[tokio::test]
    async fn a_secret_says_when_to_read_it_again() {
        let mut kv = kv().await;
        kv.mount.default_ttl = crate::api::Ttl::from_seconds(600);
        for (secret, seconds) in [
            (json!({"k": "v"}), 600),
            (json!({"ttl": "30m", "lease": "1h"}), 1800),
            (json!({"lease": "1h"}), 3600),
            (json!({"ttl": 60}), 60),
            (json!({"ttl": "60"}), 60),
            (json!({"ttl": "whenever", "lease": "1h"}), 600),
            (json!({"ttl": -5}), 600),
            (json!({"ttl": ["5m"]}), 600),
            (json!({"TTL": "5m"}), 600),
            (json!({"ttl": "0"}), 0),
        ] {
            kv.call(Write, "a", secret.clone()).await.unwrap();
            assert_eq!(lasts(&kv, "a").await, seconds, "{secret}");
            assert_eq!(kv.data(Read, "a", Value::Null).await.unwrap(), secret);
        }
    }
}
