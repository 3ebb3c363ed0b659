//! A request, as it comes through the door.

use std::fmt;
use std::time::Duration;

use crate::api::{ApiPath, Operation};
use crate::audit::{HeaderFacts, NamespaceFacts, RequestFacts};
use crate::engine::{Body, Client};
use crate::error::Error;
use crate::quota::{Allowance, RetryAfter};
use crate::secret::ClientToken;
use crate::vault::Namespace;

/// A request: everything about it was parsed once, into types that have one spelling.
pub struct Request {
    /// Names it in logs and answers: a UUID.
    pub id: String,
    /// What is asked for.
    pub operation: Operation,
    /// The namespace that `path` begins in, with a slash at its end; empty for the root.
    pub namespace: String,
    /// Where. Ends in a slash for a list.
    pub path: ApiPath,
    /// Who asks.
    pub token: Option<ClientToken>,
    /// The body of a write, or the query of a read.
    pub body: Body,
    /// Where from.
    pub client: Client,
    /// For how long the answer is to be wrapped, if at all.
    pub wrap_ttl: Option<Duration>,
    /// Those of its headers that go to the audit log.
    pub headers: Vec<AuditedHeader>,
    /// What is wrong with it, if it could not be read. It is audited, and refused.
    pub fault: Option<Error>,
    /// What the rate limits say, where its head was enough to ask them: see [`super::Pipeline::count_head`].
    pub counted: Option<Counted>,
}

/// That a request was counted against the rate limits: what is left, or that it comes too early.
pub type Counted = Result<Option<Allowance>, RetryAfter>;

/// A header that goes to the audit log.
#[derive(Debug)]
pub struct AuditedHeader {
    /// Its name in lower case.
    pub name: String,
    /// Its values.
    pub values: Vec<String>,
    /// Whether they are hashed.
    pub hashed: bool,
}

impl Request {
    /// The request as the audit log is told of it.
    pub(super) fn facts<'a>(&'a self, namespace: &'a Namespace, headers: &'a [HeaderFacts<'a>]) -> RequestFacts<'a> {
        let Self { id, operation, namespace: _, path, token, body, client, wrap_ttl, headers: _, fault: _, counted: _ } =
            self;
        let operation = match operation {
            Operation::Write => "update",
            Operation::Read
            | Operation::Patch
            | Operation::Delete
            | Operation::List
            | Operation::Scan
            | Operation::Help => operation.as_str(),
        };
        RequestFacts {
            id,
            operation,
            path,
            namespace: NamespaceFacts { id: &namespace.id, path: &namespace.path },
            client_token: token.as_ref(),
            data: (!body.is_empty()).then(|| body.json()),
            remote_address: client.address,
            remote_port: client.port,
            client_certificate_serial_number: None,
            wrap_ttl: *wrap_ttl,
            headers,
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("id", &self.id).field("path", &self.path).finish_non_exhaustive()
    }
}
