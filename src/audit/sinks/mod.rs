//! The kinds of devices.

#[cfg(test)]
pub(super) mod failing;
mod file;
mod http;
mod options;
mod remote;
mod socket;
mod syslog;

pub use file::FileSink;
pub use http::{CollectorKind, HttpOptions};
pub use options::{FileOptions, OptionsError, Sync, Target};
pub use remote::{RemoteKind, RemoteOptions, RemoteOptionsError, RemoteSink, RemoteTarget, TlsFiles};
pub use socket::SocketOptions;
pub use syslog::{Facility, SyslogOptions, SyslogServer};
