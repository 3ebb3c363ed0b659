//! Connections to services that the operator named: HTTPS to identity providers and to collectors of audit lines, and
//! plain streams to such collectors.
//!
//! Each HTTP request has a connection of its own, which ends with it. That costs a handshake, which is nothing beside how
//! seldom keys are fetched, and leaves nothing open that could hang or be reused by someone else.

mod client;
mod destination;
mod parcel;
mod stream;
mod tls;

pub use client::{Credential, HttpClient};
pub use destination::Destination;
#[doc(hidden)]
pub use destination::fuzz as fuzz_destination;
#[doc(hidden)]
pub use parcel::fuzz as fuzz_retry_after;
pub use parcel::{Parcel, Verdict};
pub use stream::{Authority, Peer, Stream};
pub use tls::{ClientIdentity, Trust};

/// Why a request had no outcome. The text is for the caller, and repeats nothing of what was sent or received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// The address is not an absolute `https` or `http` URL.
    #[error("the URL must be absolute and begin with https:// or http://")]
    Address,
    /// The authorities are no certificates in PEM.
    #[error("could not parse CA PEM value successfully")]
    Authorities,
    /// There is nothing that could vouch for the server.
    #[error("this machine has no certificate authorities; install ca-certificates, or set the authorities as PEM")]
    NoAuthorities,
    /// The client's certificate and its key are no PEM, or do not belong together.
    #[error("the client's certificate and its key must be PEM, and belong together")]
    Identity,
    /// Nobody answers there.
    #[error("no connection could be made; check the address, and that it can be reached from this server")]
    Connection,
    /// The TLS handshake failed.
    #[error("the TLS handshake failed; check that the server's certificate is of an authority that is trusted here")]
    Handshake,
    /// It took longer than [`HttpClient::TIMEOUT`].
    #[error("the answer did not come within 10 seconds")]
    Timeout,
    /// The answer is larger than [`HttpClient::MAX_BODY`].
    #[error("the answer is larger than 1 MiB")]
    TooLarge,
    /// What came is no HTTP, or it ended too early.
    #[error("the answer is not valid HTTP")]
    Protocol,
    /// The answer leads to another server, or on and on.
    #[error("the answer is a redirect that is not followed: set the URL that it leads to")]
    Redirect,
    /// The answer is not a success.
    #[error("the answer has the status {0}")]
    Status(u16),
}
