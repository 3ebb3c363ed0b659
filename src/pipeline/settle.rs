//! From what a handler answered to what the caller gets: a lease is registered, a token made, the answer wrapped, all in
//! the request's own transaction.

use std::borrow::Cow;
use std::sync::Arc;

use crate::api::{Operation, Ttl};
use crate::engine::{Answer, Bounds, Caller, Content, NewLease, StatusCode, TokenType, Txn};
use crate::error::{Error, Result};
use crate::lease::{Grant, LeaseOwner};
use crate::secret::SecretText;
use crate::sys::Found;
use crate::vault::{Unsealed, Wrapping};

use super::intents::{require_another_use, require_owners};
use super::render;
use super::request::Request;
use super::response::{LeaseInfo, Response, ResponseBody};

/// The response to `answer`.
pub(super) async fn settle(
    unsealed: &Arc<Unsealed>,
    request: &Request,
    found: &Found,
    caller: Option<&Caller>,
    answer: Answer,
    txn: &mut Txn,
) -> Result<Response> {
    let Answer { status, content, mut warnings } = answer;
    if let (Operation::Write, "cubbyhole", Some(caller)) = (request.operation, found.mount().kind.as_str(), caller) {
        // What is kept for a token that is revoked meanwhile would be there for good, and out of everyone's reach.
        unsealed.tokens.require_good(&caller.token_id, txn).await?;
    }
    let body = match content {
        Content::Nothing => ResponseBody::Empty,
        Content::Raw { media_type, payload } => ResponseBody::Raw { media_type, payload },
        Content::Download { media_type, download } => ResponseBody::Download { media_type, download },
        Content::Token(auth) => ResponseBody::Auth(auth),
        Content::Renewed(lease) => ResponseBody::renewed(lease)?,
        Content::Wrapped(info) => ResponseBody::Wrapped(info),
        Content::Data { payload, lease, repeated, lasts, accessor } => {
            let lease = match lease {
                Some(lease) => {
                    let (lease, said) = register(unsealed, request, found, caller, lease, txn).await?;
                    warnings.extend(said.into_iter().map(Cow::from));
                    Some(lease)
                }
                None => lasts.map(LeaseInfo::unregistered),
            };
            ResponseBody::Data { payload, lease, repeated, accessor }
        }
        Content::Login(login) => {
            let point = found.target.point().ok_or_else(|| Error::internal("a login without a mount"))?;
            unsealed.mounts.require_serving(&point.entry.uuid, txn).await?;
            let logged_in = unsealed.log_in(point, &request.path, *login, txn).await?;
            warnings.extend(logged_in.granted.warnings.into_iter().map(Cow::from));
            ResponseBody::Auth(Box::new(unsealed.auth_of(logged_in.issued, logged_in.identity_policies)))
        }
    };
    let status = match (&body, status) {
        // A warning has to be read: an answer with one has a body.
        (ResponseBody::Empty, StatusCode::NO_CONTENT) if !warnings.is_empty() => StatusCode::OK,
        (_, status) => status,
    };
    let response = Response { status, body, warnings, undo: None };
    match request.wrap_ttl {
        // Without a token nothing is kept but what a login gave: whoever may ask without one can ask again, and must not be
        // able to fill the store.
        Some(_) if caller.is_none() && !matches!(response.body, ResponseBody::Auth(_)) => Ok(response),
        Some(ttl) if !ttl.is_zero() => wrap(unsealed, request, response, Ttl::from_seconds(ttl.as_secs()), txn),
        _ => Ok(response),
    }
}

/// Registers the lease; a length that was cut short is a warning.
async fn register(
    unsealed: &Unsealed,
    request: &Request,
    found: &Found,
    caller: Option<&Caller>,
    lease: NewLease,
    txn: &mut Txn,
) -> Result<(LeaseInfo, Vec<String>)> {
    let mount = found.mount();
    let caller = caller.ok_or_else(|| Error::internal("a lease needs an owner"))?;
    require_another_use(Some(caller))?;
    require_owners(unsealed, &mount.uuid, Some(caller), txn).await?;
    let is_batch = caller.token_type == TokenType::Batch;
    let owner = LeaseOwner {
        token_id: if is_batch { "" } else { &caller.token_id },
        ends: caller.expires.filter(|_| is_batch),
    };
    // The default as it was set, so that whoever tuned a mount to a shorter maximum learns that it holds.
    let server = unsealed.core.settings().ttl.default_ttl;
    let default_ttl = found.target.point().map_or(server, |point| point.entry.config.default_lease_ttl.or(server));
    let bounds = Bounds { default_ttl, max_ttl: mount.max_ttl, ..Bounds::default() };
    let grant = Grant { path: request.path.as_str(), mount: &mount.uuid, bounds, owner };
    let (lease, granted) = unsealed.leases.register(lease, &grant, txn).await?;
    let info = LeaseInfo { id: lease.id, ttl: lease.ttl, renewable: lease.renewable };
    Ok((info, granted.warnings))
}

/// Puts a response that has a body into the cubbyhole of a new token, and answers with that token.
fn wrap(unsealed: &Unsealed, request: &Request, response: Response, ttl: Ttl, txn: &mut Txn) -> Result<Response> {
    let wrapped_accessor = match &response.body {
        ResponseBody::Raw { .. } | ResponseBody::Download { .. } | ResponseBody::Wrapped(_) => return Ok(response),
        ResponseBody::Empty if !response.has_body() => return Ok(response),
        // A refusal in a form of its own is read where it is caused.
        ResponseBody::Data { .. } if response.status == StatusCode::BAD_REQUEST => return Ok(response),
        ResponseBody::Empty => String::new(),
        ResponseBody::Data { accessor, .. } => accessor.clone(),
        ResponseBody::Auth(auth) => auth.accessor.clone(),
    };
    let body = render::body(&request.id, &response)?;
    let body = String::from_utf8(body.to_vec()).map_err(|_| Error::internal("an answer is not text"))?;
    let info = unsealed.wrap(
        Wrapping {
            body: SecretText::new(body),
            status: response.status,
            ttl,
            creation_path: request.path.as_str().to_owned(),
            wrapped_accessor,
        },
        txn,
    )?;
    Ok(Response {
        status: StatusCode::OK,
        body: ResponseBody::Wrapped(Box::new(info)),
        warnings: Vec::new(),
        undo: None,
    })
}
