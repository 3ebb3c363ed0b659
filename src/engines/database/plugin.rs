//! What the engine asks of a kind of database.

use std::borrow::Cow;
use std::fmt;

use async_trait::async_trait;

use crate::error::{Error, Kind};
use crate::secret::SecretText;
use crate::time::Timestamp;

/// A user that is to be made.
#[derive(Clone, Copy)]
pub(super) struct NewUser<'a> {
    /// Its name.
    pub(super) username: &'a str,
    /// Its password.
    pub(super) password: &'a SecretText,
    /// When the database itself stops to let it in.
    pub(super) expiration: Timestamp,
    /// What makes it.
    pub(super) statements: &'a [String],
    /// What undoes the statements that cannot be rolled back, should one fail.
    pub(super) rollback: &'a [String],
}

/// One configured connection to a database. No method leaves something half done, other than where a [`Failure`] says
/// that its outcome is unknown. An empty list of statements stands for the database's own way.
#[async_trait]
pub(super) trait DatabasePlugin: Send + Sync + fmt::Debug {
    /// Logs in and out.
    async fn verify(&self) -> Result<(), Failure>;

    /// Whether there is a user of that name.
    async fn has_user(&self, username: &str) -> Result<bool, Failure>;

    /// Makes a user.
    async fn create_user(&self, user: NewUser<'_>) -> Result<(), Failure>;

    /// Lets a user in until `expiration`.
    async fn renew_user(&self, username: &str, expiration: Timestamp, statements: &[String]) -> Result<(), Failure>;

    /// Removes a user; a success if there is none.
    async fn drop_user(&self, username: &str, statements: &[String]) -> Result<(), Failure>;

    /// Gives a user another password.
    async fn set_password(&self, username: &str, password: &SecretText, statements: &[String]) -> Result<(), Failure>;

    /// Ends the connections that nobody uses.
    fn close(&self);
}

/// Why a database did not do something. What the database said is for the log, and has no secrets in it.
#[derive(Debug)]
pub(super) struct Failure {
    /// What went wrong.
    pub(super) reason: Reason,
    detail: Option<String>,
}

/// What went wrong with a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reason {
    /// The configuration cannot work; the sentence says what to change.
    Misconfigured(&'static str),
    /// The database could not be reached, or took too long. Nothing was done.
    Unreachable,
    /// The database could not prove who it is. Nothing was done.
    Untrusted,
    /// The database does not accept the login. Nothing was done.
    Denied,
    /// Another transaction got in the way. Nothing was done, and it can be tried again.
    Contended,
    /// The database refused a statement, and none took effect. This is its SQLSTATE.
    Refused(String),
    /// The connection was lost at the moment of the commit: it was done, or it was not.
    Unknown,
}

impl Failure {
    /// A failure about which the log learns nothing more.
    pub(super) fn new(reason: Reason) -> Self {
        Self { reason, detail: None }
    }

    /// The failure of a login with a password that was just set.
    #[must_use]
    pub(super) fn of_rotation(self) -> Self {
        match self.reason {
            Reason::Denied => Self::new(Reason::Misconfigured(
                "the rotation statements were executed and did not set the password; put {{password}} into them",
            )),
            Reason::Misconfigured(_)
            | Reason::Unreachable
            | Reason::Untrusted
            | Reason::Contended
            | Reason::Refused(_)
            | Reason::Unknown => self,
        }
    }

    /// The same with what the log reads; it must have no secrets in it.
    #[must_use]
    pub(super) fn with_detail(mut self, detail: String) -> Self {
        self.detail = Some(detail);
        self
    }

    /// Whether it is certain that nothing was done.
    pub(super) fn is_certain(&self) -> bool {
        self.reason != Reason::Unknown
    }

    /// The same as the answer to a request that configures the connection: every failure is for its caller to mend.
    pub(super) fn into_refusal(self) -> Error {
        let message = format!("error creating database object: error verifying connection: {}", self.message());
        let error = Error::invalid(message);
        match self.detail {
            Some(detail) => error.with_source(detail),
            None => error,
        }
    }

    fn message(&self) -> Cow<'static, str> {
        match &self.reason {
            Reason::Misconfigured(sentence) => (*sentence).into(),
            Reason::Unreachable => {
                "the database cannot be reached; check the host and port of the connection_url, and that it is up"
                    .into()
            }
            Reason::Untrusted => {
                "the TLS handshake with the database failed; check sslmode, tls_ca and the name in the database's \
                 certificate"
                    .into()
            }
            Reason::Denied => {
                "the database does not accept the username and password of the connection; configure it anew".into()
            }
            Reason::Contended => "other transactions of the database got in the way each time; try again".into(),
            Reason::Refused(code) => format!(
                "failed to execute query: the database refused a statement (SQLSTATE {code}); correct the statements \
                 of the role or the rights of the connection's user, the server's log has the database's message"
            )
            .into(),
            Reason::Unknown => "the connection to the database was lost before it confirmed; try again".into(),
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let kind = match failure.reason {
            Reason::Misconfigured(_) => Kind::InvalidRequest,
            Reason::Unreachable | Reason::Contended | Reason::Unknown => Kind::Unavailable,
            Reason::Untrusted | Reason::Denied | Reason::Refused(_) => Kind::Internal,
        };
        let error = Self::new(kind, failure.message());
        match failure.detail {
            Some(detail) => error.with_source(detail),
            None => error,
        }
    }
}
