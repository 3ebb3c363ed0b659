//! `Response`, and `Audited`: the only thing that the HTTP layer can turn into bytes on the wire.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use crate::api::{Auth, Ttl, WrapInfo};
use crate::audit::{AuthFacts, Entry, ResponseFacts};
use crate::engine::{Answer, Caller, Content, Download, Payload, RenewedLease, StatusCode, Undo};
use crate::error::{Error, Kind, Result};
use crate::quota::{Allowance, RetryAfter};
use crate::secret::SecretBytes;
use crate::token::{TokenRecord, Uses};

use crate::sys::{Route, Routed};

use super::meter::Meter;
use super::request::Request;
use super::{facts, render};

/// What a caller gets.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub body: ResponseBody,
    /// What the caller should know beside it.
    pub warnings: Vec<Cow<'static, str>>,
    /// Takes back what was done, should this not get onto record.
    pub undo: Option<Undo>,
}

impl Response {
    /// Whether anything is sent beside the status.
    pub(super) fn has_body(&self) -> bool {
        match self.body {
            ResponseBody::Empty => !self.warnings.is_empty() || self.status == StatusCode::OK,
            ResponseBody::Raw { .. }
            | ResponseBody::Download { .. }
            | ResponseBody::Data { .. }
            | ResponseBody::Auth(_)
            | ResponseBody::Wrapped(_) => true,
        }
    }
}

/// The body of a [`Response`].
#[derive(Debug)]
pub enum ResponseBody {
    /// None.
    Empty,
    /// Without the envelope.
    Raw {
        /// Its media type.
        media_type: &'static str,
        /// The bytes.
        payload: Payload,
    },
    /// Without the envelope, and made while it is sent.
    Download {
        /// Its media type.
        media_type: &'static str,
        /// The bytes.
        download: Download,
    },
    /// An object.
    Data {
        /// The object.
        payload: Payload,
        /// The lease that it comes with.
        lease: Option<LeaseInfo>,
        /// Whether its fields stand at the top level too.
        repeated: bool,
        /// What names the secret in it; empty where nothing does.
        accessor: String,
    },
    /// A token.
    Auth(Box<Auth>),
    /// Where the answer is.
    Wrapped(Box<WrapInfo>),
}

impl ResponseBody {
    /// A renewed lease, and no data.
    pub(super) fn renewed(lease: RenewedLease) -> Result<Self> {
        let RenewedLease { id, ttl, renewable } = lease;
        let lease = Some(LeaseInfo { id, ttl, renewable });
        Ok(Self::Data { payload: Payload::of(&())?, lease, repeated: false, accessor: String::new() })
    }
}

/// A lease as the caller reads it.
#[derive(Debug)]
pub struct LeaseInfo {
    /// Its id; empty for something that merely says how long it is good for.
    pub id: String,
    /// How long it lasts.
    pub ttl: Ttl,
    /// Whether it can be renewed.
    pub renewable: bool,
}

impl LeaseInfo {
    /// How long something is good for that has no lease.
    pub(super) fn unregistered(ttl: Ttl) -> Self {
        Self { id: String::new(), ttl, renewable: false }
    }
}

/// A response whose audit entry is written. Nothing else leaves the server.
#[derive(Debug)]
pub struct Audited {
    /// The status.
    pub status: u16,
    /// The media type of the body, if there is one.
    pub media_type: Option<&'static str>,
    /// The body.
    pub body: SecretBytes,
    /// The body in place of `body`, where it is made while it is sent.
    pub download: Option<Download>,
    /// Headers of this answer: how much of a rate limit is left.
    pub headers: Vec<(&'static str, String)>,
}

/// What became known of a request on its way, for its audit entry.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    known: Option<(Arc<Caller>, Arc<TokenRecord>)>,
    limit_headers: Vec<(&'static str, String)>,
}

impl Outcome {
    /// The caller was recognised by this token.
    pub(super) fn known(&mut self, caller: Arc<Caller>, record: Arc<TokenRecord>) {
        self.known = Some((caller, record));
    }

    /// A rate limit lets the request pass, or not.
    pub(super) fn counted(&mut self, checked: &Result<Option<Allowance>, RetryAfter>) {
        self.limit_headers = match checked {
            Ok(Some(Allowance { limit, remaining, shown: true })) => {
                vec![("x-ratelimit-limit", limit.to_string()), ("x-ratelimit-remaining", remaining.floor().to_string())]
            }
            Err(RetryAfter { wait, limit, shown: true, .. }) => {
                let seconds = wait.as_secs_f64().ceil().to_string();
                vec![
                    ("retry-after", seconds.clone()),
                    ("x-ratelimit-limit", limit.to_string()),
                    ("x-ratelimit-remaining", "0".to_owned()),
                    ("x-ratelimit-reset", seconds),
                ]
            }
            Ok(_) | Err(_) => Vec::new(),
        };
    }

    /// The headers that say so.
    pub(super) fn into_headers(self) -> Vec<(&'static str, String)> {
        self.limit_headers
    }

    /// The id of a token whose last use this request was.
    pub(super) fn spent_token(&self) -> Option<String> {
        let (caller, record) = self.known.as_ref()?;
        (record.uses == Uses::Spent).then(|| caller.token_id.clone())
    }

    /// Tells the audit entry where the request goes and who asks.
    pub(super) fn describe(&self, entry: &mut Entry, request: &Request, route: &Route) {
        if entry.is_idle() {
            return;
        }
        if let Some(point) = route.target.as_ref().and_then(Routed::point) {
            entry.route(&point.audit);
        }
        let Some((caller, record)) = &self.known else { return };
        let policies = caller.all_policies();
        entry.identify(&AuthFacts {
            client_token: request.token.as_ref(),
            accessor: &caller.accessor,
            client_id: &caller.entity_id,
            display_name: &caller.display_name,
            policies: &policies,
            token_policies: &caller.policies,
            identity_policies: &caller.identity_policies,
            metadata: Some(&caller.metadata).filter(|metadata| !metadata.is_empty()),
            entity_id: &caller.entity_id,
            entity_created: false,
            token_type: caller.token_type.as_str(),
            token_ttl: Some(record.creation_ttl.duration()),
            token_issue_time: Some(record.created),
            remaining_uses: caller.uses_left,
        });
    }
}

impl Response {
    /// A response to an answer that needs neither lease nor token.
    pub(super) fn bare(answer: Answer) -> Result<Self> {
        let Answer { status, content, warnings } = answer;
        let body = match content {
            Content::Nothing => ResponseBody::Empty,
            Content::Raw { media_type, payload } => ResponseBody::Raw { media_type, payload },
            Content::Data { payload, lease: None, repeated, lasts, accessor } => {
                ResponseBody::Data { payload, lease: lasts.map(LeaseInfo::unregistered), repeated, accessor }
            }
            Content::Token(auth) => ResponseBody::Auth(auth),
            Content::Renewed(lease) => ResponseBody::renewed(lease)?,
            Content::Wrapped(info) => ResponseBody::Wrapped(info),
            Content::Download { media_type, download } => ResponseBody::Download { media_type, download },
            Content::Data { .. } | Content::Login(_) => {
                return Err(Error::internal("this endpoint can give neither leases nor tokens"));
            }
        };
        Ok(Self { status, body, warnings, undo: None })
    }
}

impl Audited {
    /// Writes the response's audit entry. If no device takes it the caller gets an error and no data.
    pub(super) async fn close(entry: Entry, request: &Request, answered: Result<Response>, meter: &Meter) -> Self {
        let start = Instant::now();
        let closed = if entry.is_idle() {
            entry.close(&ResponseFacts::default()).await
        } else {
            facts::close(entry, &answered).await
        };
        let requests = &meter.metrics().requests;
        let end = requests.audited_responses.since(start);
        meter.step("audit response", start, end);
        if closed.is_err() {
            requests.unaudited_responses.add();
        }
        match closed {
            Ok(()) => Self::rendered(&request.id, answered),
            Err(error) => {
                if let Some(undo) = answered.ok().and_then(|response| response.undo) {
                    undo.run().await;
                }
                Self::failure(&error)
            }
        }
    }

    /// For the few answers that are given while the vault is sealed: they go to the operational log instead.
    pub(super) fn unaudited(request: &Request, answered: Result<Response>) -> Self {
        tracing::debug!(path = %request.path, operation = request.operation.as_str(), "request while sealed");
        Self::rendered(&request.id, answered)
    }

    /// A refusal that no request stands behind: what came could not be read as one.
    pub fn failure(error: &Error) -> Self {
        if matches!(error.kind(), Kind::Internal | Kind::Corrupt) {
            tracing::error!(%error, source = ?std::error::Error::source(error), "a request failed");
        }
        Self {
            status: render::status(error.kind()),
            media_type: Some("application/json"),
            body: render::error(error),
            download: None,
            headers: Vec::new(),
        }
    }

    /// For metrics that everyone may read: nothing of a vault is in them that an audit log would have to know of.
    pub(super) fn scraped(answered: Result<Response>) -> Self {
        Self::rendered("", answered)
    }

    fn rendered(request_id: &str, answered: Result<Response>) -> Self {
        match answered {
            Err(error) => Self::failure(&error),
            Ok(response) => {
                let media_type = match &response.body {
                    ResponseBody::Empty if !response.has_body() => None,
                    ResponseBody::Raw { media_type, .. } | ResponseBody::Download { media_type, .. } => {
                        Some(*media_type)
                    }
                    ResponseBody::Empty
                    | ResponseBody::Data { .. }
                    | ResponseBody::Auth(_)
                    | ResponseBody::Wrapped(_) => Some("application/json"),
                };
                let body = match render::body(request_id, &response) {
                    Ok(body) => body,
                    Err(error) => return Self::failure(&error),
                };
                let Response { status, body: rendered, .. } = response;
                let download =
                    if let ResponseBody::Download { download, .. } = rendered { Some(download) } else { None };
                Self { status: status.0, media_type, body, download, headers: Vec::new() }
            }
        }
    }
}
