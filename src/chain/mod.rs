//! The format of the audit log's hash chain, as `docs/audit.md` describes it: written by the server, verified by anyone
//! who has the file and the public key.
//!
//! Each line ends in its sequence number, its node, the hash of the line before and its own hash, which covers the line
//! before's hash and every byte of the line. Checkpoints, which are lines too, sign the chain up to themselves.

mod checkpoint;
mod framing;
mod line;
mod reader;
mod record;
mod recover;
mod report;
mod verify;
mod writer;

pub use checkpoint::{Reason, SigningKey, VerifyingKey};
pub use framing::{Framing, escape_cef};
pub use line::{LineHash, Link, NodeId};
pub use reader::{LogReader, began, first_seq, last_of};
pub use recover::{Recovered, Torn, recover};
pub use report::{Counts, Finding, Kind, Report};
pub use verify::{Start, Verifier};
pub use writer::{ChainWriter, Position};

/// Why a chain could not be begun or continued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// A node's name that is empty, too long or has other characters.
    #[error("a node's name must have 1 to 64 characters out of A-Z, a-z, 0-9, '.', '_' and '-'")]
    NodeName,
    /// A log's name with control characters, or an empty or overlong one.
    #[error("a log's name must have 1 to 512 bytes and no control characters")]
    LogName,
    /// A key that is no Ed25519 key in a known form.
    #[error("the key is not an Ed25519 key in PKCS#8, PEM or base64")]
    Key,
    /// The file's last line was written by another node.
    #[error("the file holds the audit log of another node; give each node a file of its own")]
    OtherNode,
}
