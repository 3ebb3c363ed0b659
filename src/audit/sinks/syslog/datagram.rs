//! Messages as datagrams: over UDP (RFC 5426), or to a socket of this machine.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use async_trait::async_trait;
use tokio::net::{UdpSocket, UnixDatagram};

use crate::audit::shipper::{Delivery, DeliveryError, Receipt, Refusal};
use crate::chain::recover;
use crate::outbound::Authority;

use super::message::Messages;

/// Where datagrams go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mailbox {
    Udp(Authority),
    Unix(PathBuf),
}

pub(super) struct DatagramDelivery {
    pub(super) to: Mailbox,
    pub(super) messages: Messages,
    pub(super) socket: Option<Socket>,
}

pub(super) enum Socket {
    Udp(UdpSocket),
    Unix(UnixDatagram),
}

#[async_trait]
impl Delivery for DatagramDelivery {
    fn is_acknowledged(&self) -> bool {
        false
    }

    fn batch_bytes(&self) -> usize {
        BATCH
    }

    async fn send(&mut self, lines: &[u8]) -> Result<Receipt, DeliveryError> {
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => Socket::connect(&self.to).await?,
        };
        let mut receipt = Receipt::default();
        let mut message = Vec::new();
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            message.clear();
            self.messages.append(line, &mut message);
            match socket.send(&message).await {
                Ok(()) => continue,
                Err(error) if error.raw_os_error() == Some(TOO_LONG) => {}
                Err(error) => return Err(DeliveryError::new("a datagram could not be sent").with_source(error)),
            }
            message.clear();
            self.messages.append(notice(line).as_bytes(), &mut message);
            let sent = socket.send(&message).await;
            sent.map_err(|error| DeliveryError::new("a datagram could not be sent").with_source(error))?;
            receipt.refused.push(Refusal { line: line.to_vec(), reason: "it does not fit a datagram".to_owned() });
        }
        self.socket = Some(socket);
        Ok(receipt)
    }

    async fn lost(&mut self) {
        match &self.socket {
            Some(socket) => socket.failed().await,
            None => std::future::pending().await,
        }
        self.socket = None;
    }

    /// More than that nobody complained is never known.
    async fn close(&mut self) -> bool {
        self.socket.take().is_some()
    }
}

impl Socket {
    async fn connect(to: &Mailbox) -> Result<Self, DeliveryError> {
        let nobody = |error: io::Error| DeliveryError::new("the syslog server cannot be reached").with_source(error);
        match to {
            Mailbox::Unix(path) => {
                let socket = UnixDatagram::unbound().map_err(nobody)?;
                socket.connect(path).map_err(nobody)?;
                Ok(Self::Unix(socket))
            }
            Mailbox::Udp(Authority { host, port }) => {
                let found: Vec<_> = tokio::net::lookup_host((host.as_str(), *port)).await.map_err(nobody)?.collect();
                let own = if found.iter().any(SocketAddr::is_ipv4) { "0.0.0.0:0" } else { "[::]:0" };
                let socket = UdpSocket::bind(own).await.map_err(nobody)?;
                socket.connect(found.as_slice()).await.map_err(nobody)?;
                Ok(Self::Udp(socket))
            }
        }
    }

    async fn send(&self, message: &[u8]) -> io::Result<()> {
        let sent = match self {
            Self::Udp(socket) => socket.send(message).await?,
            Self::Unix(socket) => socket.send(message).await?,
        };
        if sent == message.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }

    /// Returns when the other side says that nobody listens there.
    async fn failed(&self) {
        let mut nothing = [0; 512];
        loop {
            let received = match self {
                Self::Udp(socket) => socket.recv(&mut nothing).await,
                // Nobody answers on such a socket; a failure shows when something is sent.
                Self::Unix(_) => std::future::pending().await,
            };
            if received.is_err() {
                return;
            }
        }
    }
}

/// What goes instead of a line that does not fit: which one it is.
fn notice(line: &[u8]) -> String {
    let found = recover(&mut io::Cursor::new(line)).ok();
    let last = found.as_ref().map(|found| found.last);
    let node = found.as_ref().and_then(|found| found.node.as_ref()).map_or("", |node| node.as_str());
    let (seq, hash) = last.map_or((0, String::new()), |last| (last.seq, last.hash.to_string()));
    let bytes = line.len();
    format!(r#"{{"type":"oversized","bytes":{bytes},"seq":{seq},"node":"{node}","hash":"{hash}"}}"#)
}

/// `EMSGSIZE` of Linux: the datagram is larger than the way to the other side takes.
const TOO_LONG: i32 = 90;
const BATCH: usize = 64 * 1024;
