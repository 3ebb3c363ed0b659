//! Response wrapping: an answer is kept in the cubbyhole of a token that is good for one use.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::api::{Ttl, WrapInfo};
use crate::barrier::{Record, Txn, View};
use crate::engine::{StatusCode, TokenType};
use crate::error::{Error, Result};
use crate::secret::{SecretJson, SecretText};
use crate::time::Timestamp;
use crate::token::{NewToken, TokenRecord, Uses};

use super::init::root_record;
use super::unsealed::Unsealed;

/// An answer that is to be wrapped.
#[derive(Debug)]
pub struct Wrapping {
    /// The whole body, as it would have been sent.
    pub body: SecretText,
    /// The status that it would have been sent with.
    pub status: StatusCode,
    /// How long it can be unwrapped, if the server lets anything last that long.
    pub ttl: Ttl,
    /// The path whose answer it is.
    pub creation_path: String,
    /// The accessor of the token in it, if there is one.
    pub wrapped_accessor: String,
}

/// What is kept of a wrapped answer beside its body.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Wrapped {
    /// The path whose answer it is.
    pub creation_path: String,
    /// When it was wrapped.
    pub creation_time: Timestamp,
    /// How long it can be unwrapped, from then.
    pub creation_ttl: Ttl,
    /// The status of the answer; 200 goes without saying.
    #[serde(default = "ok", skip_serializing_if = "is_ok")]
    status: u16,
}

/// A wrapped answer, as it would have been sent.
#[derive(Debug)]
pub struct Unwrapped {
    /// The whole body.
    pub body: SecretText,
    /// The status.
    pub status: StatusCode,
}

const fn ok() -> u16 {
    StatusCode::OK.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_ok(status: &u16) -> bool {
    *status == StatusCode::OK.0
}

/// A secret of the cubbyhole as its engine stores it: JSON text.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Kept(SecretJson);

impl Record for Kept {}

#[derive(Serialize, Deserialize)]
struct Response {
    #[serde(with = "crate::secret::at_rest")]
    response: SecretText,
}

impl Unsealed {
    /// Wraps an answer. The token and the body go into `txn`.
    pub fn wrap(&self, wrapping: Wrapping, txn: &mut Txn) -> Result<WrapInfo> {
        let Wrapping { body, status, ttl, creation_path, wrapped_accessor } = wrapping;
        let now = self.deps.clock.now();
        let ttl = ttl.shorter(self.core.settings().ttl.max_ttl);
        let record = TokenRecord {
            policies: vec!["response-wrapping".to_owned()],
            path: creation_path.clone(),
            display_name: "wrapping".to_owned(),
            uses: Uses::of(1),
            ttl,
            creation_ttl: ttl,
            explicit_max_ttl: ttl,
            expires: Some(now.plus(ttl.duration())),
            ..root_record(&self.namespace.id, now)
        };
        let new = NewToken { token_type: TokenType::Service, custom_id: None, parent: None, record };
        let issued = self.issue(new, txn)?;
        let kept =
            SecretJson::of(&Response { response: body }).map_err(|_| Error::internal("an answer cannot be wrapped"))?;
        let cubbyhole = self.cubbyhole()?;
        cubbyhole.put(txn, &format!("{}/response", issued.id), &Kept(kept))?;
        let wrapped =
            Wrapped { creation_path: creation_path.clone(), creation_time: now, creation_ttl: ttl, status: status.0 };
        let wrapped = SecretJson::of(&wrapped).map_err(|_| Error::internal("an answer cannot be wrapped"))?;
        cubbyhole.put(txn, &format!("{}/wrapinfo", issued.id), &Kept(wrapped))?;
        Ok(WrapInfo {
            token: issued.token,
            accessor: issued.record.accessor,
            ttl: ttl.seconds(),
            creation_time: now.to_string(),
            creation_path,
            wrapped_accessor,
        })
    }

    /// The answer behind the wrapping token `id`, which was spent already. `txn` removes it, so that it is gone for good in
    /// the commit that hands it on and not before; once that is durable, the token is revoked.
    pub async fn unwrap(self: &Arc<Self>, id: &str, txn: &mut Txn) -> Result<Unwrapped> {
        let status = self.wrapped(id).await?.map_or(StatusCode::OK, |wrapped| StatusCode(wrapped.status));
        let cubbyhole = self.cubbyhole()?;
        let key = format!("{id}/response");
        let kept: Option<Kept> = cubbyhole.fetch(txn, &key).await?;
        let kept = kept.ok_or_else(invalid_wrapping_token)?;
        let Response { response } = serde_json::from_str(kept.0.expose())
            .map_err(|_| Error::corrupt("a wrapped answer has an unknown form"))?;
        cubbyhole.delete(txn, &key)?;
        let (unsealed, id) = (self.clone(), id.to_owned());
        txn.on_commit(move || unsealed.revoke_in_background(id));
        Ok(Unwrapped { body: response, status })
    }

    /// What is known of the answer behind the wrapping token `id`.
    pub async fn wrapped(&self, id: &str) -> Result<Option<Wrapped>> {
        let kept: Option<Kept> = self.cubbyhole()?.get(&format!("{id}/wrapinfo")).await?;
        Ok(kept.and_then(|kept| serde_json::from_str(kept.0.expose()).ok()))
    }

    pub(super) fn cubbyhole(&self) -> Result<View> {
        let point = self.mounts.at("cubbyhole/").ok_or_else(|| Error::internal("the cubbyhole is missing"))?;
        Ok(self.view(&format!("mount/{}", point.entry.uuid)))
    }
}

/// A wrapping token that is unknown, spent or expired.
pub fn invalid_wrapping_token() -> Error {
    Error::invalid("wrapping token is not valid or does not exist")
}
