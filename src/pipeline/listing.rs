//! What a policy lets a caller see of a list: how many keys, and which.

use serde_json::Value;

use crate::engine::{Answer, Caller, Content, Payload};
use crate::error::{Error, Result};
use crate::policy::Permit;
use crate::vault::Unsealed;

use super::request::Request;

/// `answer` without the keys that the policy hides. Anything but a list passes as it is.
pub(super) async fn visible(
    answer: Answer,
    permit: &Permit,
    unsealed: &Unsealed,
    request: &Request,
    caller: Option<&Caller>,
) -> Result<Answer> {
    if !request.operation.is_listing() || (permit.page_limit().is_none() && permit.list_filters().is_empty()) {
        return Ok(answer);
    }
    let (Content::Data { payload, lease, repeated, lasts, accessor }, Some(caller)) = (answer.content, caller) else {
        return Err(Error::internal("a list has an unknown form"));
    };
    let mut data: Value =
        serde_json::from_slice(payload.json()).map_err(|_| Error::internal("a list has an unknown form"))?;
    // A scan that found nothing hides nothing.
    if data.get("keys").is_none() {
        return Ok(Answer { content: Content::Data { payload, lease, repeated, lasts, accessor }, ..answer });
    }
    let acl = unsealed.acl(caller, unsealed.deps.clock.now()).await?;
    let keys = data.get_mut("keys").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
    let shown = keys
        .into_iter()
        .filter(|key| key.as_str().is_some_and(|key| acl.shows(permit.list_filters(), &request.path, key)));
    let most = permit.page_limit().map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let shown: Vec<Value> = shown.take(most).collect();
    if shown.is_empty() {
        return Err(Error::absent());
    }
    if let Some(info) = data.get_mut("key_info").and_then(Value::as_object_mut) {
        info.retain(|key, _| shown.iter().any(|shown| shown == key.as_str()));
    }
    if let Some(fields) = data.as_object_mut() {
        fields.insert("keys".to_owned(), Value::Array(shown));
    }
    let content = Content::Data { payload: Payload::of(&data)?, lease, repeated, lasts, accessor };
    Ok(Answer { content, ..answer })
}
