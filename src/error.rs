//! What went wrong, as the caller may see it, with the cause kept for the log.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// The result of everything that a request can reach.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure: its kind decides the status, its message is what the caller reads, its source is for the log only.
///
/// Messages say what to do next and never carry a value that the caller sent.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    messages: Vec<Cow<'static, str>>,
    warnings: Vec<Cow<'static, str>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Whose fault a failure is, and so which status it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Another request changed the same record; the pipeline tries again before anyone sees this.
    Conflict,
    /// A stored record cannot be read.
    Corrupt,
    /// The token, or its policies, do not allow this.
    Forbidden,
    /// A failure of the server itself.
    Internal,
    /// The request is wrong, and will be wrong again.
    InvalidRequest,
    /// An operator holds off what lies here.
    Locked,
    /// The path exists and does not know this operation.
    MethodNotAllowed,
    /// There is nothing at this path.
    NotFound,
    /// `sys/init` has not been called yet.
    NotInitialised,
    /// Too many requests.
    RateLimited,
    /// The vault is sealed.
    Sealed,
    /// The body or a field is over its limit.
    TooLarge,
    /// A service that is needed (a database, an audit device) does not answer.
    Unavailable,
    /// The body is of a media type that this operation does not take.
    UnsupportedMediaType,
}

impl Error {
    /// A failure of `kind` that tells the caller `message`.
    pub fn new(kind: Kind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, messages: vec![message.into()], warnings: Vec::new(), source: None }
    }

    /// The request is wrong; `message` says what to change.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::InvalidRequest, message)
    }

    /// Nothing is there, and the caller reads an empty list of errors, as Vault's clients expect of a missing key.
    pub fn absent() -> Self {
        Self::without_message(Kind::NotFound)
    }

    /// A failure without a sentence, for the answers that have none.
    pub fn without_message(kind: Kind) -> Self {
        Self { kind, messages: Vec::new(), warnings: Vec::new(), source: None }
    }

    /// Nothing is there, and there is something to say about it.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    /// The token is missing, unknown or expired: the bare sentence that clients look for.
    pub fn bad_token() -> Self {
        Self::new(Kind::Forbidden, "permission denied")
    }

    /// The token is good and its policies do not allow the request: the list form that clients look for.
    pub fn denied() -> Self {
        Self::new(Kind::Forbidden, "1 error occurred:\n\t* permission denied\n\n")
    }

    /// The server failed; `message` is all that the caller learns.
    pub fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Internal, message)
    }

    /// A stored record cannot be read.
    pub fn corrupt(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Corrupt, message)
    }

    /// The vault is sealed.
    pub fn sealed() -> Self {
        Self::new(Kind::Sealed, "Vault is sealed")
    }

    /// The same failure with its cause, which only the log shows.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same failure with a warning beside it in the body.
    #[must_use]
    pub fn with_warning(mut self, warning: impl Into<Cow<'static, str>>) -> Self {
        self.warnings.push(warning.into());
        self
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The sentences that the caller reads.
    pub fn messages(&self) -> &[Cow<'static, str>] {
        &self.messages
    }

    /// The warnings that stand beside them.
    pub fn warnings(&self) -> &[Cow<'static, str>] {
        &self.warnings
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.messages.is_empty() { f.write_str("not found") } else { f.write_str(&self.messages.join("; ")) }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
