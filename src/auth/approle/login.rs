//! `POST /v1/auth/{mount}/login`: logs in with a role id and a secret id.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseText;
use crate::engine::{Body, Cx, Endpoint, Identity, Login, Route, Terms, address_is_bound};
use crate::error::{Error, Result};
use crate::secret::SecretText;

use super::Approle;
use super::roles::Role;
use super::secret_ids::SecretId;

/// Logs in.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct LogIn {
    /// The role id.
    role_id: LooseText,
    /// The secret id, where the role asks for one.
    secret_id: Option<SecretText>,
}

/// The path has no parameters.
#[derive(Deserialize, JsonSchema)]
pub(super) struct NoPath {}

impl Endpoint for LogIn {
    type Target = Approle;
    type Path = NoPath;
    type Reply = Login;

    const ROUTE: Route = Route::write("login").summary("Log in with a role id and a secret id.").public();

    async fn handle(self, approle: &Approle, _: NoPath, cx: &mut Cx<'_>) -> Result<Login> {
        if self.role_id.0.is_empty() {
            return Err(Error::invalid("missing role_id"));
        }
        let secret_id = self.secret_id.filter(|secret_id| !secret_id.is_empty());
        let found = approle.role_by_id(&self.role_id.0).await?;
        if secret_id.is_none() && found.as_ref().is_none_or(|(_, role)| role.bind_secret_id) {
            return Err(Error::invalid("missing secret_id"));
        }
        let (name, role) = found.ok_or_else(wrong)?;
        let secret = match secret_id.filter(|_| role.bind_secret_id) {
            Some(secret_id) => Some(approle.prove(&role, &secret_id, cx).await?),
            None => None,
        };
        if !address_is_bound(role.secret_id_bounds(), cx.client.address) {
            return Err(Error::invalid("source address unauthorized by CIDR restrictions on the role"));
        }
        // A token that could not be used from where it is asked for is not made, nor what comes with it.
        if !address_is_bound(&role.token.token_bound_cidrs, cx.client.address) {
            return Err(Error::bad_token());
        }
        let mut terms = role.token.terms_from(cx.client.address)?;
        let mut internal = BTreeMap::from([(ROLE_NAME.to_owned(), name.clone()), (ROLE_UUID.to_owned(), role.uuid)]);
        let mut metadata = BTreeMap::new();
        if let Some(secret) = secret {
            metadata = secret.metadata;
            if role.token.token_strictly_bind_ip {
                // The address of the login is the narrower bound, if it lies in the other one.
                if !address_is_bound(&secret.token_bound_cidrs, cx.client.address) {
                    return Err(Error::invalid("source address unauthorized by CIDR restrictions on the secret ID"));
                }
            } else if !secret.token_bound_cidrs.is_empty() {
                internal.insert(BOUND_CIDRS.to_owned(), secret.token_bound_cidrs.join(","));
                terms.bound_cidrs = secret.token_bound_cidrs;
            }
        }
        metadata.insert(ROLE_NAME.to_owned(), name.clone());
        let identity = Identity {
            role: name,
            alias: role.role_id.clone(),
            display_name: cx.mount.display_name(""),
            policies: role.token.token_policies.clone(),
            alias_metadata: metadata.clone(),
            metadata,
            groups: Vec::new(),
            internal,
        };
        Ok(Login { identity, terms })
    }
}

/// The role whose role id a caller sends; nothing if there is none.
pub(super) async fn role(approle: &Approle, body: &Body) -> Result<Option<String>> {
    let Ok(asked) = body.decode::<LogIn>() else { return Ok(None) };
    Ok(approle.role_by_id(&asked.role_id.0).await?.map(|(name, _)| name))
}

/// Whether `identity` is still good: its very role is there. What a secret id bound the token to still binds it.
pub(super) async fn renew(approle: &Approle, identity: &Identity) -> Result<Option<Terms>> {
    let internal = |key: &str| identity.internal.get(key).map(String::as_str).unwrap_or_default();
    let role = approle.role(internal(ROLE_NAME)).await?;
    let role = role.filter(|role| role.uuid == internal(ROLE_UUID));
    let Some(mut terms) = role.map(|role| role.token.terms()) else { return Ok(None) };
    if let Some(bounds) = identity.internal.get(BOUND_CIDRS) {
        terms.bound_cidrs = bounds.split(',').map(str::to_owned).collect();
    }
    Ok(Some(terms))
}

const ROLE_NAME: &str = "role_name";
const ROLE_UUID: &str = "role_uuid";
const BOUND_CIDRS: &str = "token_bound_cidrs";

impl Approle {
    /// The secret id of `role`, with one use taken off it.
    async fn prove(&self, role: &Role, secret_id: &SecretText, cx: &mut Cx<'_>) -> Result<SecretId> {
        let now = cx.now();
        let key = self.secret_key(role, secret_id.expose());
        let secret = self.secret_id(&key, now).await?.ok_or_else(wrong)?;
        if !address_is_bound(&secret.cidr_list, cx.client.address) {
            return Err(Error::invalid("source address unauthorized through CIDR restrictions on the secret ID"));
        }
        if secret.is_spent_by_use() && !self.spend(cx.txn(), role, &key, now).await? {
            return Err(wrong());
        }
        Ok(secret)
    }
}

fn wrong() -> Error {
    Error::invalid("invalid role or secret ID")
}
