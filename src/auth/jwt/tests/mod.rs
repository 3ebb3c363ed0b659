//! The method with keys that stand in its configuration.

mod callback;
mod configuration;
mod platforms;
mod roles;
mod tokens;

#[expect(dead_code, reason = "the rest of it is for the tests by HTTP")]
#[path = "../../../../tests/support/provider.rs"]
mod provider;
#[path = "../../../../tests/support/signer.rs"]
mod signer;

use serde_json::{Value, json};

use super::Jwt;
use crate::api::Operation;
use crate::engine::harness::Harness;
use crate::engine::{Content, Login};
use crate::error::Result;

use signer::Signer;

/// The time at which a harness begins.
const NOW: i64 = 1_800_000_000;

async fn harness() -> Harness<Jwt> {
    let mut harness: Harness<Jwt> = Harness::open(json!({})).await;
    harness.mount.path = "auth/jwt/".to_owned();
    harness.client.address = Some([127, 0, 0, 1].into());
    harness
}

async fn write(harness: &Harness<Jwt>, path: &str, body: Value) -> Result<()> {
    harness.call(Operation::Write, path, body).await.map(|_| ())
}

async fn read(harness: &Harness<Jwt>, path: &str) -> Value {
    harness.data(Operation::Read, path, Value::Null).await.unwrap()
}

async fn log_in(harness: &Harness<Jwt>, body: Value) -> Result<Login> {
    let answer = harness.call(Operation::Write, "login", body).await?;
    let Content::Login(login) = answer.content else { panic!("not a login") };
    Ok(*login)
}

/// A method that takes what `signer` signed, with a role `dev` that has these settings beside those of every role here.
async fn with_role(signer: &Signer, role: Value) -> Harness<Jwt> {
    let harness = harness().await;
    write(&harness, "config", json!({"jwt_validation_pubkeys": [signer.pem()]})).await.unwrap();
    set_role(&harness, role).await.unwrap();
    harness
}

async fn set_role(harness: &Harness<Jwt>, role: Value) -> Result<()> {
    harness.call(Operation::Delete, "role/dev", Value::Null).await?;
    let mut body = json!({"role_type": "jwt", "user_claim": "sub", "token_bound_cidrs": "127.0.0.0/8"});
    body.as_object_mut().unwrap().extend(role.as_object().unwrap().clone());
    write(harness, "role/dev", body).await
}

/// Claims that every role here takes, with these beside them or in their place; `null` takes one away.
#[expect(clippy::needless_pass_by_value, reason = "callers write the claims where they ask for them")]
fn claims(more: Value) -> Value {
    let mut claims = json!({"sub": "ann", "iat": NOW, "exp": NOW + 300});
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    claims
}

/// What comes of a token with `more` claims: the name of whoever logged in, or the error.
async fn outcome(harness: &Harness<Jwt>, signer: &Signer, more: Value) -> Result<String, String> {
    let body = json!({"role": "dev", "jwt": signer.sign(&claims(more))});
    log_in(harness, body).await.map(|login| login.identity.alias).map_err(|error| error.to_string())
}
