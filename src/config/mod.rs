//! The configuration file: text to checked types.
//!
//! HCL or JSON, with the blocks and keys of OpenBao wherever the thing is the same. Each section is a table of keys from
//! which reading, defaults and the example file are made; only checked types leave this module. Nothing secret stands in
//! the file: where a key needs a secret, the file names where it is.

mod audit;
mod error;
mod example;
mod listener;
mod lockout;
mod log;
mod sandbox;
mod sanitized;
mod section;
mod server;
mod source;
mod storage;
mod telemetry;
mod value;

pub use audit::{AuditDevice, AuditKind};
pub use error::{ConfigError, Place, Warning};
pub use example::example;
pub use listener::{ClientAuth, ForwardedFor, Limits, Listener, Timeouts, Tls, TlsVersion, Unauthenticated};
pub use lockout::UserLockout;
pub use log::{Log, LogFormat, LogLevel};
pub use sandbox::Sandbox;
pub use server::Config;
#[doc(hidden)]
pub use server::fuzz;
pub use storage::Storage;
pub use telemetry::{Otlp, Telemetry};
pub use value::Ratio;

#[cfg(test)]
mod tests;
