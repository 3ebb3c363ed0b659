//! The audit broker: every request and every response is on record before anyone sees an answer.
//!
//! The pipeline opens an [`Entry`] for each request, tells it what it learns, and gets [`Admitted`] out of a permit only
//! when the request line has reached a device. A response whose line reached no device is withheld. Each device has its
//! own hash key and its own chain ([`crate::chain`]).

mod broker;
mod device;
mod draft;
mod entry;
mod facts;
mod filter;
mod format;
mod log;
mod members;
mod mounted;
mod redact;
mod shipper;
mod sink;
pub mod sinks;
pub mod spool;
mod state;
#[cfg(test)]
mod tampering;

pub use broker::AuditBroker;
pub use device::{DeviceConfig, Identity};
pub use entry::{Admitted, Entry};
pub use facts::{AuthFacts, HeaderFacts, MountFacts, NamespaceFacts, RequestFacts, ResponseFacts, WrapFacts};
pub use filter::{Filter, FilterError, FilterFacts};
pub use format::Format;
pub use mounted::AuditedMount;
pub use redact::Hasher;
pub use sink::{Housekeeping, Sink, SinkError};
pub use state::{Gauges, SinkState};
