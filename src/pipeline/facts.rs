//! What the audit log is told of an answer.

use std::time::Duration;

use crate::api::{Auth, WrapInfo};
use crate::audit::{AuthFacts, Entry, ResponseFacts, WrapFacts};
use crate::error::Result;
use crate::time::Timestamp;

use super::response::{Response, ResponseBody};

/// Closes the entry with what was answered.
pub(super) async fn close(entry: Entry, answered: &Result<Response>) -> Result<()> {
    let response = match answered {
        Err(error) => return entry.close(&ResponseFacts { error: Some(error), ..ResponseFacts::default() }).await,
        Ok(response) => response,
    };
    let warnings: Vec<String> = response.warnings.iter().map(ToString::to_string).collect();
    let mut told = ResponseFacts { warnings: &warnings, ..ResponseFacts::default() };
    match &response.body {
        ResponseBody::Raw { media_type: "application/json", payload } => told.data = Some(payload.json()),
        // A page says nothing that is worth a line, and is no JSON. A download is still to be made.
        ResponseBody::Raw { .. } | ResponseBody::Download { .. } | ResponseBody::Empty => {}
        ResponseBody::Data { payload, lease, .. } => {
            told.data = Some(payload.json());
            told.lease_id = lease.as_ref().map(|lease| lease.id.as_str()).filter(|id| !id.is_empty());
        }
        ResponseBody::Auth(auth) => told.auth = Some(token_facts(auth)),
        ResponseBody::Wrapped(info) => told.wrap = Some(wrap_facts(info)),
    }
    entry.close(&told).await
}

fn token_facts(auth: &Auth) -> AuthFacts<'_> {
    AuthFacts {
        client_token: Some(&auth.client_token),
        accessor: &auth.accessor,
        client_id: &auth.entity_id,
        display_name: "",
        policies: &auth.policies,
        token_policies: &auth.token_policies,
        identity_policies: &auth.identity_policies,
        metadata: auth.metadata.as_ref(),
        entity_id: &auth.entity_id,
        entity_created: false,
        token_type: &auth.token_type,
        token_ttl: Some(Duration::from_secs(auth.lease_duration)),
        token_issue_time: None,
        remaining_uses: (auth.num_uses > 0).then_some(auth.num_uses),
    }
}

fn wrap_facts(info: &WrapInfo) -> WrapFacts<'_> {
    WrapFacts {
        token: &info.token,
        accessor: &info.accessor,
        ttl: Duration::from_secs(info.ttl),
        creation_time: Timestamp::parse(&info.creation_time).unwrap_or(Timestamp::from_unix_nanos(0)),
        creation_path: &info.creation_path,
        wrapped_accessor: &info.wrapped_accessor,
    }
}
