//! `POST /v1/auth/{mount}/role/{role_name}/secret-id`: a new secret id;
//! `POST /v1/auth/{mount}/role/{role_name}/custom-secret-id`: one that the caller chose.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::{LooseInt, LooseText, StringList, Ttl};
use crate::auth::approle::Approle;
use crate::auth::approle::roles::{Role, RolePath};
use crate::engine::{Cx, Data, Endpoint, Route, bound_cidrs, cidrs_within};
use crate::error::{Error, Result};
use crate::secret::{self, SecretText};

use super::{Accessor, SecretId, accessor_key};

/// What the secret id is to be like; the role's settings hold where something is left out, and bound the rest.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Limits {
    /// What is shown with the tokens: an object of texts as JSON text, or `key=value` with commas between.
    metadata: LooseText,
    /// The addresses from which it can be used.
    cidr_list: StringList,
    /// The addresses from which its tokens can be used.
    token_bound_cidrs: StringList,
    /// How often it can be used.
    num_uses: Option<LooseInt>,
    /// How long it lasts.
    ttl: Option<Ttl>,
}

/// Asks for a secret id.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::auth::approle) struct Generate(Limits);

/// Brings a secret id.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(in crate::auth::approle) struct GenerateCustom {
    /// The secret id.
    secret_id: Option<SecretText>,
    #[serde(flatten)]
    limits: Limits,
}

/// A secret id; it is shown this once.
#[derive(Serialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "these are the names on the wire")]
pub(in crate::auth::approle) struct Generated {
    #[serde(serialize_with = "secret::on_wire")]
    secret_id: SecretText,
    secret_id_accessor: String,
    secret_id_num_uses: u64,
    secret_id_ttl: Ttl,
}

impl Generated {
    /// The answer, whose wrapping tells the accessor.
    fn answer(self) -> Data<Self> {
        let accessor = self.secret_id_accessor.clone();
        Data::new(self).with_accessor(accessor)
    }
}

impl Endpoint for Generate {
    type Target = Approle;
    type Path = RolePath;
    type Reply = Data<Generated>;

    const ROUTE: Route = Route::write("role/{role_name:name}/secret-id").summary("Make a secret id.");

    async fn handle(self, approle: &Approle, path: RolePath, cx: &mut Cx<'_>) -> Result<Data<Generated>> {
        let role = approle.known_role(&path.role_name).await?;
        let secret_id = SecretText::new(cx.entropy().uuid()?);
        Ok(approle.add(&role, secret_id, self.0, cx).await?.answer())
    }
}

impl Endpoint for GenerateCustom {
    type Target = Approle;
    type Path = RolePath;
    type Reply = Data<Generated>;

    const ROUTE: Route =
        Route::write("role/{role_name:name}/custom-secret-id").summary("Bring a secret id of your own.");

    async fn handle(self, approle: &Approle, path: RolePath, cx: &mut Cx<'_>) -> Result<Data<Generated>> {
        let secret_id = self.secret_id.filter(|secret_id| !secret_id.is_empty());
        let secret_id = secret_id.ok_or_else(|| Error::invalid("missing secret_id"))?;
        if secret_id.expose().len() > MAX_SECRET_ID {
            return Err(Error::invalid("'secret_id' must not be longer than 4096 bytes"));
        }
        let role = approle.known_role(&path.role_name).await?;
        Ok(approle.add(&role, secret_id, self.limits, cx).await?.answer())
    }
}

const MAX_SECRET_ID: usize = 4096;

impl Approle {
    async fn add(&self, role: &Role, secret_id: SecretText, asked: Limits, cx: &mut Cx<'_>) -> Result<Generated> {
        if !role.bind_secret_id {
            return Err(Error::invalid("bind_secret_id is not set on the role"));
        }
        let (uses, ttl) = bounded(role, &asked)?;
        let cidr_list = within(asked.cidr_list, role.secret_id_bounds())?;
        let token_bound_cidrs = within(asked.token_bound_cidrs, &role.token.token_bound_cidrs)?;
        let now = cx.now();
        let secret = SecretId {
            accessor: cx.entropy().uuid()?,
            created: now,
            updated: now,
            expires: (!ttl.is_zero()).then(|| now.plus(ttl.duration())),
            ttl,
            uses_left: (uses > 0).then_some(uses),
            cidr_list,
            token_bound_cidrs: bound_cidrs(&token_bound_cidrs)?,
            metadata: metadata(&asked.metadata.0)?,
        };
        let key = self.secret_key(role, secret_id.expose());
        let known: Option<SecretId> = self.view.fetch(cx.txn(), &key).await?;
        if known.as_ref().is_some_and(|known| !known.has_expired(now)) {
            return Err(Error::invalid("this SecretID is already registered"));
        }
        if let Some(expired) = known {
            self.delete_secret_id(cx.txn(), role, &key, &expired.accessor)?;
        }
        let name = key.rsplit('/').next().unwrap_or_default().to_owned();
        self.view.put(cx.txn(), &accessor_key(role, &secret.accessor), &Accessor { name })?;
        self.view.put(cx.txn(), &key, &secret)?;
        let secret_id_accessor = secret.accessor;
        Ok(Generated { secret_id, secret_id_accessor, secret_id_num_uses: uses, secret_id_ttl: ttl })
    }
}

/// Uses (0 is any number) and length (zero is for good), neither beyond the role's.
fn bounded(role: &Role, asked: &Limits) -> Result<(u64, Ttl)> {
    let uses = match asked.num_uses {
        None => role.secret_id_num_uses,
        Some(LooseInt(uses)) => u64::try_from(uses).map_err(|_| Error::invalid("num_uses cannot be negative"))?,
    };
    if role.secret_id_num_uses > 0 && (uses == 0 || uses > role.secret_id_num_uses) {
        return Err(Error::invalid("num_uses cannot be higher than the role's secret_id_num_uses"));
    }
    let ttl = asked.ttl.unwrap_or(role.secret_id_ttl);
    if !role.secret_id_ttl.is_zero() && (ttl.is_zero() || ttl > role.secret_id_ttl) {
        return Err(Error::invalid("ttl cannot be longer than the role's secret_id_ttl"));
    }
    Ok((uses, ttl))
}

/// Addresses that must lie within the role's.
fn within(asked: StringList, bounds: &[String]) -> Result<Vec<String>> {
    if cidrs_within(asked.as_slice(), bounds)? {
        return Ok(asked.all());
    }
    Err(Error::invalid("the CIDR blocks of a secret ID must lie within the CIDR blocks of its role"))
}

fn metadata(text: &str) -> Result<BTreeMap<String, String>> {
    let complaint = "failed to parse metadata: write it as a JSON object of texts, in a JSON string";
    let text = text.trim();
    if text.starts_with('{') {
        return serde_json::from_str(text).map_err(|_| Error::invalid(complaint));
    }
    let pair = |item: &str| item.split_once('=').map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
    let pairs = text.split(',').filter(|item| !item.trim().is_empty()).map(pair);
    pairs.collect::<Option<_>>().ok_or_else(|| Error::invalid(complaint))
}

#[cfg(test)]
mod tests {
    use super::metadata;

    #[test]
    fn metadata_is_an_object_of_texts() {
        assert_eq!(metadata(r#" {"a": "b"}"#).unwrap()["a"], "b");
        assert_eq!(metadata("a=b, c=d").unwrap().len(), 2);
        assert!(metadata("").unwrap().is_empty());
        for bad in ["not json", r#"{"a":1}"#, r#"{"a":{"b":"c"}}"#, "[]", r#"{"a":"b""#, "a"] {
            assert!(metadata(bad).is_err(), "{bad}");
        }
    }
}
