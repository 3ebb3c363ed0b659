//! Roles: what is in a token, and which key signs it.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::api::Ttl;
use crate::barrier::{Record, Txn};
use crate::error::{Error, Result};
use crate::policy::TemplateFacts;
use crate::storage::Page;

use super::{OidcStore, can_be_name, template};

/// Claims that are not for templates to make.
const RESERVED: [&str; 10] =
    ["iat", "aud", "exp", "iss", "sub", "namespace", "nonce", "auth_time", "at_hash", "c_hash"];

/// What is in a token, and which key signs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRole {
    /// The name of the key.
    pub key: String,
    /// JSON with placeholders: the claims beside the usual ones. Empty for none.
    pub template: String,
    /// How long a token lasts.
    pub ttl: Ttl,
    /// Whom a token is for: its audience.
    pub client_id: String,
}

impl Record for TokenRole {}

/// What is to be changed of a role; what is left out stays as it is.
#[derive(Clone, Debug, Default)]
pub struct RoleChange {
    /// The name of the key.
    pub key: Option<String>,
    /// JSON with placeholders, or the same in base64.
    pub template: Option<String>,
    /// How long a token lasts.
    pub ttl: Option<Ttl>,
    /// Whom a token is for; made up if there is none.
    pub client_id: Option<String>,
}

impl OidcStore {
    /// The names of the roles, sorted.
    pub async fn role_names(&self) -> Result<Vec<String>> {
        self.roles.list("", Page::all()).await
    }

    /// The role `name`.
    pub async fn role(&self, name: &str) -> Result<Option<TokenRole>> {
        if can_be_name(name) { self.roles.get(name).await } else { Ok(None) }
    }

    /// Makes or changes the role `name`. Its key must be there.
    pub async fn write_role(&self, name: &str, change: RoleChange, txn: &mut Txn) -> Result<()> {
        if !can_be_name(name) {
            return Err(Error::invalid("a role's name must not be empty or have slashes in it"));
        }
        let found: Option<TokenRole> = self.roles.fetch(txn, name).await?;
        let key = change.key.filter(|key| !key.is_empty()).or(found.as_ref().map(|role| role.key.clone()));
        let key = key.ok_or_else(|| Error::invalid("the key parameter is required"))?;
        let ttl = change.ttl.or(found.as_ref().map(|role| role.ttl)).unwrap_or(Ttl::from_seconds(86_400));
        let template = match change.template {
            Some(template) => checked_template(&template)?,
            None => found.as_ref().map(|role| role.template.clone()).unwrap_or_default(),
        };
        let named = self.fetch_key(&key, txn).await?;
        let named = named.ok_or_else(|| Error::invalid("cannot find the key; make it first, or name another"))?;
        if ttl > named.verification_ttl {
            return Err(Error::invalid(
                "a role's token ttl cannot be longer than the verification_ttl of the key it references",
            ));
        }
        let client_id = change.client_id.filter(|id| !id.is_empty()).or(found.map(|role| role.client_id));
        let client_id = match client_id {
            Some(id) => id,
            None => self.entropy.base62(26)?,
        };
        self.roles.put(txn, name, &TokenRole { key, template, ttl, client_id })
    }

    /// Deletes the role `name`, if there is one.
    pub fn delete_role(&self, name: &str, txn: &mut Txn) -> Result<()> {
        if can_be_name(name) { self.roles.delete(txn, name) } else { Ok(()) }
    }

    /// The roles that use the key `name`, each with its own name.
    pub(super) async fn roles_of(&self, name: &str) -> Result<Vec<(String, TokenRole)>> {
        let mut found = Vec::new();
        for role in self.role_names().await? {
            let record = self.role(&role).await?.filter(|record| record.key == name);
            found.extend(record.map(|record| (role, record)));
        }
        Ok(found)
    }
}

/// The template in its plain form, if it makes an object without reserved claims.
fn checked_template(text: &str) -> Result<String> {
    let decoded = BASE64.decode(text.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = decoded.filter(|decoded| !decoded.is_empty()).unwrap_or_else(|| text.to_owned());
    if text.is_empty() {
        return Ok(text);
    }
    let example = template::filled(&text, &TemplateFacts::default(), crate::time::Timestamp::from_unix_nanos(0))?;
    let claims: Map<String, Value> = serde_json::from_str(&example).map_err(|_| {
        Error::invalid("error parsing template JSON: it must be an object once its placeholders are filled")
    })?;
    if let Some(reserved) = RESERVED.iter().find(|name| claims.contains_key(**name)) {
        return Err(Error::invalid(format!(
            "top level key {reserved:?} not allowed. Restricted keys: {}",
            RESERVED.join(", ")
        )));
    }
    Ok(text)
}
