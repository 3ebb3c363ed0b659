//! From what a handler answered to what the caller gets: a lease is registered, a token made, the answer wrapped, all in
//! the request's own transaction.

use std::borrow::Cow;
use std::sync::Arc;

use crate::api::{Auth, Ttl};
use crate::engine::{Answer, Bounds, Caller, Content, NewLease, StatusCode, TokenType, Txn};
use crate::error::{Error, Result};
use crate::lease::{Grant, LeaseOwner};
use crate::secret::SecretText;
use crate::sys::Found;
use crate::vault::{Unsealed, Wrapping};

use super::intents::require_owners;
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
    let body = match content {
        Content::Nothing => ResponseBody::Empty,
        Content::Raw { media_type, payload } => ResponseBody::Raw { media_type, payload },
        Content::Download { media_type, download } => ResponseBody::Download { media_type, download },
        Content::Token(auth) => ResponseBody::Auth(auth),
        Content::Renewed(lease) => ResponseBody::renewed(lease)?,
        Content::Wrapped(info) => ResponseBody::Wrapped(info),
        Content::Data { payload, lease, repeated, lasts } => {
            let lease = match lease {
                Some(lease) => Some(register(unsealed, request, found, caller, lease, txn).await?),
                None => lasts.map(LeaseInfo::unregistered),
            };
            ResponseBody::Data { payload, lease, repeated }
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
        Some(ttl) if !ttl.is_zero() => wrap(unsealed, request, response, Ttl::from_seconds(ttl.as_secs()), txn),
        _ => Ok(response),
    }
}

async fn register(
    unsealed: &Unsealed,
    request: &Request,
    found: &Found,
    caller: Option<&Caller>,
    lease: NewLease,
    txn: &mut Txn,
) -> Result<LeaseInfo> {
    let mount = found.mount();
    let caller = caller.ok_or_else(|| Error::internal("a lease needs an owner"))?;
    require_owners(unsealed, &mount.uuid, Some(caller), txn).await?;
    let is_batch = caller.token_type == TokenType::Batch;
    let owner = LeaseOwner {
        token_id: if is_batch { "" } else { &caller.token_id },
        ends: caller.expires.filter(|_| is_batch),
    };
    let bounds = Bounds { default_ttl: mount.default_ttl, max_ttl: mount.max_ttl, ..Bounds::default() };
    let grant = Grant { path: request.path.as_str(), mount: &mount.uuid, bounds, owner };
    let lease = unsealed.leases.register(lease, &grant, txn).await?;
    Ok(LeaseInfo { id: lease.id, ttl: lease.ttl, renewable: lease.renewable })
}

/// Puts a response that has a body into the cubbyhole of a new token, and answers with that token.
fn wrap(unsealed: &Unsealed, request: &Request, response: Response, ttl: Ttl, txn: &mut Txn) -> Result<Response> {
    let wrapped_accessor = match &response.body {
        ResponseBody::Empty | ResponseBody::Raw { .. } | ResponseBody::Download { .. } | ResponseBody::Wrapped(_) => {
            return Ok(response);
        }
        ResponseBody::Data { .. } if response.status.0 >= 400 => return Ok(response),
        ResponseBody::Data { .. } => String::new(),
        ResponseBody::Auth(auth) => accessor(auth),
    };
    let body = render::body(&request.id, &response)?;
    let body = String::from_utf8(body.to_vec()).map_err(|_| Error::internal("an answer is not text"))?;
    let info = unsealed.wrap(
        Wrapping {
            body: SecretText::new(body),
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

fn accessor(auth: &Auth) -> String {
    auth.accessor.clone()
}
