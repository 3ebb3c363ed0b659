//! The kinds of devices.

mod archive;
#[cfg(test)]
pub(super) mod failing;
mod file;
mod http;
mod line;
mod options;
mod remote;
mod rotation;
mod socket;
mod stamp;
mod syslog;

pub use file::FileSink;
#[doc(hidden)]
pub use http::fuzz as fuzz_answer;
pub use http::{CollectorKind, HttpOptions};
pub use line::LineOptions;
pub use options::{FileOptions, OptionsError, Sync, Target};
pub use remote::{RemoteKind, RemoteOptions, RemoteOptionsError, RemoteSink, RemoteTarget, TlsFiles};
pub use rotation::Rotation;
pub use socket::SocketOptions;
pub use syslog::{Facility, SyslogOptions, SyslogServer};
