//! `socket`: lines into a stream, each ended by a newline.

use std::time::Duration;

use crate::audit::shipper::Delivery;
use crate::outbound::{Authority, Peer};

use super::remote::stream::{Framing, StreamDelivery};
use super::remote::{Given, RemoteOptionsError, TlsFiles};

/// The options of a device of the type `socket`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketOptions {
    /// `address` and `socket_type`.
    pub peer: Peer,
    /// `write_timeout`: how long the other side may take to take a batch; the default is 2 seconds.
    pub write_timeout: Duration,
    /// What a connection with TLS goes by.
    pub tls: TlsFiles,
}

impl SocketOptions {
    pub(super) const NAMES: &[&str] =
        &["address", "socket_type", "write_timeout", "ca_file", "client_cert_file", "client_key_file", "server_name"];

    pub(super) fn parse(given: Given<'_>) -> Result<Self, RemoteOptionsError> {
        let address = given.required("address")?;
        let authority = || {
            Authority::parse(address)
                .map_err(|_| RemoteOptionsError::Must("address", "a host and a port, as in siem:1514"))
        };
        let peer = match given.text("socket_type") {
            None | Some("tcp") => Peer::Tcp(authority()?),
            Some("tcp+tls") => Peer::Tls(authority()?),
            Some("unix") => Peer::Unix(address.into()),
            Some(_) => return Err(RemoteOptionsError::Must("socket_type", "\"tcp\", \"tcp+tls\" or \"unix\"")),
        };
        let tls = TlsFiles::parse(given)?;
        if tls.are_set() && !matches!(peer, Peer::Tls(_)) {
            return Err(RemoteOptionsError::Must("socket_type", "\"tcp+tls\" where there are options of TLS"));
        }
        Ok(Self { peer, write_timeout: given.time("write_timeout", Duration::from_secs(2))?, tls })
    }

    pub(super) fn delivery(&self) -> Box<dyn Delivery> {
        let Self { peer, write_timeout, tls } = self.clone();
        Box::new(StreamDelivery { peer, tls, write_timeout, framing: Newlines, stream: None })
    }
}

/// A newline behind each line.
struct Newlines;

impl Framing for Newlines {
    fn frame(&self, line: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
}
