//! `GET /v1/auth/token/lookup-self`: the token that asks.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::Ttl;
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::secret::{self, ClientToken};
use crate::time::Timestamp;
use crate::token::TokenRecord;
use crate::vault::Unsealed;

use super::super::NoPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct LookupSelf {}

/// A token as a look-up shows it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TokenInfo {
    #[serde(serialize_with = "secret::on_wire")]
    id: ClientToken,
    accessor: String,
    policies: Vec<String>,
    path: String,
    meta: Option<BTreeMap<String, String>>,
    display_name: String,
    num_uses: i64,
    orphan: bool,
    creation_time: i64,
    creation_ttl: u64,
    expire_time: Option<Timestamp>,
    explicit_max_ttl: u64,
    ttl: u64,
    #[serde(rename = "type")]
    kind: String,
    entity_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    renewable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issue_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "is_zero")]
    period: Ttl,
}

impl Endpoint for LookupSelf {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<TokenInfo>;
    const ROUTE: Route = Route::read("lookup-self").summary("The token that asks");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Data<TokenInfo>> {
        let caller = cx.caller()?;
        let record = unsealed.tokens.stored(&caller.token_id).await?.ok_or_else(Error::bad_token)?;
        let id = ClientToken::new(cx.token.map_or_else(String::new, |token| token.expose().to_owned()));
        Ok(Data::new(shown(id, record, cx.now())))
    }
}

/// The look-up of `record`.
pub(super) fn shown(id: ClientToken, record: TokenRecord, now: Timestamp) -> TokenInfo {
    TokenInfo {
        id,
        ttl: record.remaining(now),
        orphan: record.parent.is_none(),
        kind: record.token_type().as_str().to_owned(),
        accessor: record.accessor,
        policies: record.policies,
        path: record.path,
        meta: Some(record.metadata).filter(|metadata| !metadata.is_empty()),
        display_name: record.display_name,
        num_uses: record.uses.shown(),
        creation_time: record.created.unix_seconds(),
        creation_ttl: record.creation_ttl.seconds(),
        expire_time: record.expires,
        explicit_max_ttl: record.explicit_max_ttl.seconds(),
        entity_id: record.entity_id,
        renewable: record.expires.map(|_| record.renewable),
        issue_time: record.expires.map(|_| record.created),
        period: record.period,
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(ttl: &Ttl) -> bool {
    ttl.is_zero()
}
