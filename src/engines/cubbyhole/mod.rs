//! `cubbyhole`: a private store for each token, which ends with it.
//!
//! A secret lies at `<token id>/<path>`, where the token's id is its keyed hash: nobody but its holder has the path to
//! it. The core keeps a wrapped response in the cubbyhole of its wrapping token, at [`RESPONSE`], and empties the
//! cubbyhole of a token that ends with [`purge`].

mod delete;
mod list;
mod read;
mod write;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::engine::{Cx, Deps, Engine, Record, Routes, SecretsEngine, TokenType, Txn, View};
use crate::error::{Error, Result};
use crate::secret::SecretJson;

/// The path of a wrapped response in the cubbyhole of its wrapping token.
pub const RESPONSE: &str = "response";

/// The store of all cubbyholes of one namespace.
#[derive(Debug)]
pub struct Cubbyhole {
    view: View,
}

impl Engine for Cubbyhole {
    const KIND: &'static str = "cubbyhole";

    async fn open(view: View, _options: &Value, _deps: Deps) -> Result<Self> {
        Ok(Self { view })
    }

    fn routes() -> Routes<Self> {
        Routes::new()
            .endpoint::<read::Read>()
            .endpoint::<write::Write>()
            .endpoint::<delete::Delete>()
            .endpoint::<list::List>()
    }
}

impl SecretsEngine for Cubbyhole {}

/// A secret in a cubbyhole, as it is stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub SecretJson);

impl Record for Secret {}

/// The key of the secret at `path` in the cubbyhole of a token, in the view of the engine.
pub fn key(token_id: &str, path: &str) -> String {
    format!("{token_id}/{path}")
}

/// Empties the cubbyhole of a token, in the view of the engine. Twice is as good as once.
pub async fn purge(view: &View, txn: &mut Txn, token_id: &str) -> Result<()> {
    let cubbyhole = key(token_id, "");
    for path in view.scan(&cubbyhole).await? {
        view.delete(txn, &format!("{cubbyhole}{path}"))?;
    }
    Ok(())
}

/// Where a secret is.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SecretPath {
    /// Its path in the cubbyhole.
    path: String,
}

/// The id of the token whose cubbyhole is meant: always the caller's own.
fn own_token_id<'a>(cx: &Cx<'a>) -> Result<&'a str> {
    let caller = cx.caller()?;
    match caller.token_type {
        TokenType::Service if !caller.token_id.is_empty() => Ok(&caller.token_id),
        TokenType::Service => Err(Error::bad_token()),
        TokenType::Batch => Err(Error::invalid("cubbyhole operations are only supported by 'service' type tokens")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::Operation::{Delete, List, Read, Scan, Write};
    use crate::engine::harness::Harness;
    use crate::engine::{Content, Existence};
    use crate::error::Kind;

    async fn cubbyhole() -> Harness<Cubbyhole> {
        Harness::open(Value::Null).await
    }

    #[tokio::test]
    async fn each_token_has_its_own() {
        let mut cubbyhole = cubbyhole().await;
        cubbyhole.call(Write, "x/y", json!({"mine": "1"})).await.unwrap();
        assert_eq!(cubbyhole.data(List, "", Value::Null).await.unwrap()["keys"], json!(["x/"]));
        assert_eq!(cubbyhole.existence("x/y").await, Existence::Exists);
        cubbyhole.caller.token_id = "other".to_owned();
        assert_eq!(cubbyhole.existence("x/y").await, Existence::Absent);
        for (operation, path) in [(Read, "x/y"), (List, ""), (List, "x")] {
            assert_eq!(cubbyhole.call(operation, path, Value::Null).await.unwrap_err().kind(), Kind::NotFound);
        }
        cubbyhole.call(Delete, "x/y", Value::Null).await.unwrap();
        cubbyhole.call(Write, "x/y", json!({"mine": "2"})).await.unwrap();
        cubbyhole.caller.token_id = "token-id".to_owned();
        assert_eq!(cubbyhole.data(Read, "x/y", Value::Null).await.unwrap(), json!({"mine": "1"}));
        cubbyhole.call(Delete, "x/y", Value::Null).await.unwrap();
        assert_eq!(cubbyhole.call(Read, "x/y", Value::Null).await.unwrap_err().kind(), Kind::NotFound);
    }

    #[tokio::test]
    async fn a_secret_has_no_lease_duration_and_is_not_empty() {
        let cubbyhole = cubbyhole().await;
        cubbyhole.call(Write, "a", json!({"ttl": "1h"})).await.unwrap();
        let answer = cubbyhole.call(Read, "a", Value::Null).await.unwrap();
        assert!(matches!(answer.content, Content::Data { lease: None, lasts: None, .. }));
        assert!(answer.warnings.is_empty());
        for body in [Value::Null, json!({}), json!(1)] {
            assert_eq!(cubbyhole.call(Write, "a", body).await.unwrap_err().kind(), Kind::InvalidRequest);
        }
        assert_eq!(cubbyhole.call(Scan, "", Value::Null).await.unwrap_err().kind(), Kind::MethodNotAllowed);
    }

    #[tokio::test]
    async fn a_batch_token_has_none() {
        let mut cubbyhole = cubbyhole().await;
        cubbyhole.caller.token_type = TokenType::Batch;
        for (operation, path) in [(Read, "a"), (Write, "a"), (Delete, "a"), (List, "")] {
            let error = cubbyhole.call(operation, path, json!({"a": 1})).await.unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidRequest);
            assert!(error.to_string().contains("only supported by 'service' type tokens"));
        }
        assert_eq!(cubbyhole.existence("a").await, Existence::Unknown);
    }

    #[tokio::test]
    async fn purging_takes_all_of_one_token_and_nothing_else() {
        let mut cubbyhole = cubbyhole().await;
        for id in ["token", "token-id", "token-id2"] {
            cubbyhole.caller.token_id = id.to_owned();
            for path in ["a", "a/b", "c/d/e"] {
                cubbyhole.call(Write, path, json!({"of": id})).await.unwrap();
            }
        }
        for _ in 0..2 {
            let mut txn = Txn::new();
            purge(&cubbyhole.view, &mut txn, "token-id").await.unwrap();
            cubbyhole.view.commit(txn).await.unwrap();
            let left = cubbyhole.view.scan("").await.unwrap();
            assert_eq!(left.len(), 6);
            assert!(!left.iter().any(|key| key.starts_with("token-id/")));
        }
    }

    #[tokio::test]
    async fn a_wrapped_response_is_read_with_a_warning() {
        let mut cubbyhole = cubbyhole().await;
        let mut txn = Txn::new();
        let secret = Secret(SecretJson::of(&json!({"response": "{}"})).unwrap());
        cubbyhole.view.put(&mut txn, &key("token-id", RESPONSE), &secret).unwrap();
        cubbyhole.view.commit(txn).await.unwrap();
        cubbyhole.caller.policies = vec!["response-wrapping".to_owned()];
        let answer = cubbyhole.call(Read, RESPONSE, Value::Null).await.unwrap();
        assert_eq!(answer.warnings.len(), 1);
        assert_eq!(cubbyhole.data(Read, RESPONSE, Value::Null).await.unwrap(), json!({"response": "{}"}));
    }
}
