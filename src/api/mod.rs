//! Wire types that the server and the CLI share. serde and schemars only.

mod envelope;
mod health;
mod loose;
mod namespace;
mod operation;
mod path;
mod seal;

pub use envelope::{Auth, Envelope, ErrorBody, WrapInfo};
pub use health::{AuditHealth, Confinement, Health, Held, Leader};
pub use loose::{KeyValues, LooseBool, LooseInt, LooseText, StringList, Ttl, given};
pub use namespace::{ROOT_NAMESPACE, namespace_of, namespace_suffix};
pub use operation::Operation;
pub use path::{ApiPath, PathError};
pub use seal::{InitRequest, InitResponse, SealStatus, UnsealRequest};
