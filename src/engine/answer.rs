//! What a handler may answer.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use crate::api::{Auth, Ttl, WrapInfo};
use crate::error::{Error, Result};
use crate::secret::SecretBytes;

use super::download::Download;
use super::identity::Login;
use super::lease::NewLease;

/// The status of an answer that is not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusCode(pub u16);

impl StatusCode {
    /// 200, with a body.
    pub const OK: Self = Self(200);
    /// 202: the work goes on in the background.
    pub const ACCEPTED: Self = Self(202);
    /// 204, without a body.
    pub const NO_CONTENT: Self = Self(204);
    /// 400, in a form of its own.
    pub const BAD_REQUEST: Self = Self(400);
    /// 404 with data beside it, as a deleted version is shown.
    pub const NOT_FOUND: Self = Self(404);
}

/// JSON text that goes to the caller as it is. Wiped on drop.
pub struct Payload(SecretBytes);

impl Payload {
    /// The JSON of `value`.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        let mut text = SecretBytes::new(Vec::with_capacity(256));
        serde_json::to_writer(&mut *text, value)
            .map_err(|error| Error::internal("the answer cannot be written").with_source(error))?;
        Ok(Self(text))
    }

    /// Text that is JSON already.
    pub fn verbatim(json: SecretBytes) -> Self {
        Self(json)
    }

    /// The JSON text.
    pub fn json(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Payload")
    }
}

/// What a handler answered, before the core has given it a lease or a token.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// What is in it.
    pub content: Content,
    /// What the caller should know beside it.
    pub warnings: Vec<Cow<'static, str>>,
}

/// The content of an [`Answer`].
#[derive(Debug)]
pub enum Content {
    /// No body.
    Nothing,
    /// An object in the envelope's `data`.
    Data {
        /// The object.
        payload: Payload,
        /// The lease to register for it, where it is something that ends.
        lease: Option<NewLease>,
        /// How long the data can be taken for current where there is no lease: shown as the lease's duration, with
        /// nothing to renew or to revoke. Nothing is shown as 0.
        lasts: Option<Ttl>,
        /// Whether the object's fields stand at the top level too, as old `sys/*` reads have them.
        repeated: bool,
        /// What names the secret in the object, so that it can be revoked by someone who has only its wrapping; empty where
        /// there is no such name.
        accessor: String,
    },
    /// A caller who proved who they are and is to get a token.
    Login(Box<Login>),
    /// A token that was made by itself: `auth/token/create`.
    Token(Box<Auth>),
    /// A lease that was renewed; no data.
    Renewed(RenewedLease),
    /// An answer that was wrapped by itself: `sys/wrapping/rewrap`.
    Wrapped(Box<WrapInfo>),
    /// A body without the envelope.
    Raw {
        /// Its media type.
        media_type: &'static str,
        /// The body.
        payload: Payload,
    },
    /// A body without the envelope, which is made while it is sent. The audit log is told that it was begun.
    Download {
        /// Its media type.
        media_type: &'static str,
        /// The body.
        download: Download,
    },
}

/// A type that a handler may answer with.
pub trait Reply: Send {
    /// The answer.
    fn into_answer(self) -> Result<Answer>;

    /// The schema of its data, for the OpenAPI document; nothing where there is no data.
    fn schema(generator: &mut SchemaGenerator) -> Option<Schema>;
}

/// 204: it was done, and there is nothing to say.
#[derive(Debug)]
pub struct Done;

impl Reply for Done {
    fn into_answer(self) -> Result<Answer> {
        Ok(Answer { status: StatusCode::NO_CONTENT, content: Content::Nothing, warnings: Vec::new() })
    }

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

/// An object in the envelope.
#[derive(Debug)]
pub struct Data<T> {
    value: Option<T>,
    status: StatusCode,
    lasts: Option<Ttl>,
    repeated: bool,
    accessor: String,
}

impl<T> Data<T> {
    /// 200 with `value`.
    pub fn new(value: T) -> Self {
        Self::or_nothing(Some(value))
    }

    /// 204 where there is nothing to show, 200 with the value otherwise.
    pub fn or_nothing(value: Option<T>) -> Self {
        let status = if value.is_some() { StatusCode::OK } else { StatusCode::NO_CONTENT };
        Self { value, status, lasts: None, repeated: false, accessor: String::new() }
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same, and the caller is told to read it again after `ttl`. No lease is made.
    #[must_use]
    pub fn lasting(mut self, ttl: Ttl) -> Self {
        self.lasts = Some(ttl);
        self
    }

    /// The same, of a secret that `accessor` names.
    #[must_use]
    pub fn with_accessor(mut self, accessor: String) -> Self {
        self.accessor = accessor;
        self
    }

    /// The same with the object's fields at the top level too, as old `sys/*` reads have them.
    #[must_use]
    pub fn repeated(mut self) -> Self {
        self.repeated = true;
        self
    }
}

impl<T: Serialize + JsonSchema + Send> Reply for Data<T> {
    fn into_answer(self) -> Result<Answer> {
        let Self { value, status, lasts, repeated, accessor } = self;
        let content = match value {
            Some(value) => Content::Data { payload: Payload::of(&value)?, lease: None, lasts, repeated, accessor },
            None => Content::Nothing,
        };
        Ok(Answer { status, content, warnings: Vec::new() })
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<T>())
    }
}

/// The names in a folder. No names is 404 without a message, as clients expect.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Listing {
    /// The names; a folder ends in a slash.
    pub keys: Vec<String>,
    /// More about each name, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_info: Option<serde_json::Map<String, serde_json::Value>>,
}

impl Listing {
    /// Names with nothing more about them.
    pub fn of(keys: Vec<String>) -> Self {
        Self { keys, key_info: None }
    }
}

impl Reply for Listing {
    fn into_answer(self) -> Result<Answer> {
        if self.keys.is_empty() { Err(Error::absent()) } else { Data::new(self).into_answer() }
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<Self>())
    }
}

/// An object in the envelope, with a lease: something that ends.
#[derive(Debug)]
pub struct Leased<T> {
    value: T,
    lease: NewLease,
}

impl<T> Leased<T> {
    /// `value`, which lasts as long as `lease` says.
    pub fn new(value: T, lease: NewLease) -> Self {
        Self { value, lease }
    }
}

impl<T: Serialize + JsonSchema + Send> Reply for Leased<T> {
    fn into_answer(self) -> Result<Answer> {
        let payload = Payload::of(&self.value)?;
        let (lease, accessor) = (Some(self.lease), String::new());
        let content = Content::Data { payload, lease, lasts: None, repeated: false, accessor };
        Ok(Answer { status: StatusCode::OK, content, warnings: Vec::new() })
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<T>())
    }
}

/// The answer of an endpoint of the core that made, or renewed, a token.
#[derive(Debug)]
pub struct Token(pub Auth);

impl Reply for Token {
    fn into_answer(self) -> Result<Answer> {
        Ok(Answer { status: StatusCode::OK, content: Content::Token(Box::new(self.0)), warnings: Vec::new() })
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<Auth>())
    }
}

/// A lease that was renewed: the envelope says how it stands, and there is no data.
#[derive(Debug)]
pub struct RenewedLease {
    /// Its id.
    pub id: String,
    /// How long it lasts from now.
    pub ttl: Ttl,
    /// Whether it can be renewed again.
    pub renewable: bool,
}

impl Reply for RenewedLease {
    fn into_answer(self) -> Result<Answer> {
        Ok(Answer { status: StatusCode::OK, content: Content::Renewed(self), warnings: Vec::new() })
    }

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

/// A body without the envelope: `sys/health`, `sys/seal-status`, PEM files.
#[derive(Debug)]
pub struct Raw<T> {
    value: T,
    status: StatusCode,
}

impl<T> Raw<T> {
    /// 200 with `value` as JSON.
    pub fn new(value: T) -> Self {
        Self { value, status: StatusCode::OK }
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}

impl<T: Serialize + JsonSchema + Send> Reply for Raw<T> {
    fn into_answer(self) -> Result<Answer> {
        let content = Content::Raw { media_type: "application/json", payload: Payload::of(&self.value)? };
        Ok(Answer { status: self.status, content, warnings: Vec::new() })
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<T>())
    }
}

/// An answer that was put together by hand, for the few endpoints whose form depends on the request.
impl Reply for Answer {
    fn into_answer(self) -> Result<Answer> {
        Ok(self)
    }

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}
