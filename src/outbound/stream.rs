//! `Stream`: a connection that bytes are written to, over TCP, TLS or a socket of this machine.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rustls_pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::tls::{self, ClientIdentity, Trust};
use super::{Destination, OutboundError};

/// A host and a port, as `host:port`; an address of IPv6 is in brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The name or the address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// What a stream leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A TCP port.
    Tcp(Authority),
    /// The same, with TLS.
    Tls(Authority),
    /// A stream socket of this machine.
    Unix(PathBuf),
}

/// A connection that bytes are written to. What the other side sends is read and means nothing.
pub struct Stream {
    reader: Box<dyn AsyncRead + Send + Sync + Unpin>,
    writer: Box<dyn AsyncWrite + Send + Sync + Unpin>,
}

impl Authority {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, OutboundError> {
        if text.contains(['/', '?', '#']) {
            return Err(OutboundError::Address);
        }
        // The form is that of a URL, whose reader knows brackets; a port has to be there.
        let to = Destination::parse(&format!("http://{text}"))?;
        let has_port = text.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0));
        if has_port { Ok(Self { host: to.host().to_owned(), port: to.port() }) } else { Err(OutboundError::Address) }
    }
}

impl Stream {
    /// A connection ends when what was written is not acknowledged by the other machine for so long.
    pub const UNACKNOWLEDGED: Duration = Duration::from_secs(20);

    /// Connects. `trust` and `identity` are for a peer with TLS.
    pub async fn connect(
        to: &Peer,
        trust: Trust<'_>,
        identity: Option<ClientIdentity<'_>>,
    ) -> Result<Self, OutboundError> {
        match to {
            Peer::Unix(path) => {
                let stream = UnixStream::connect(path).await.map_err(|_| OutboundError::Connection)?;
                Ok(Self::of(stream))
            }
            Peer::Tcp(authority) => Ok(Self::of(tcp(authority).await?)),
            Peer::Tls(authority) => {
                let config = tls::identified(trust, identity, &[])?;
                let name = ServerName::try_from(authority.host.clone()).map_err(|_| OutboundError::Address)?;
                let connecting = TlsConnector::from(config).connect(name, tcp(authority).await?);
                Ok(Self::of(connecting.await.map_err(|_| OutboundError::Handshake)?))
            }
        }
    }

    /// Writes all of `bytes`. Fails as well when the other side turns out to have closed the connection.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Self { reader, writer } = self;
        tokio::select! {
            biased;
            () = closed(reader) => Err(io::ErrorKind::ConnectionReset.into()),
            written = async {
                writer.write_all(bytes).await?;
                writer.flush().await
            } => written,
        }
    }

    /// Returns when the other side has closed the connection.
    pub async fn closed(&mut self) {
        closed(&mut self.reader).await;
    }

    /// Says that nothing more comes, and waits at most `patience` for the other side to close the connection too, as it
    /// does when it has read everything. Whether it did.
    pub async fn finish(mut self, patience: Duration) -> bool {
        let finishing = async {
            self.writer.shutdown().await?;
            until_end(&mut self.reader).await
        };
        matches!(tokio::time::timeout(patience, finishing).await, Ok(Ok(())))
    }

    fn of(stream: impl AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static) -> Self {
        let (reader, writer) = split(stream);
        Self { reader: Box::new(reader), writer: Box::new(writer) }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}

/// A connection of which it is found out when the other machine is gone, whether or not something is written.
async fn tcp(to: &Authority) -> Result<TcpStream, OutboundError> {
    let stream = TcpStream::connect((to.host.as_str(), to.port)).await.map_err(|_| OutboundError::Connection)?;
    let probes = TcpKeepalive::new().with_time(Duration::from_secs(10)).with_interval(Duration::from_secs(5));
    let socket = SockRef::from(&stream);
    let set =
        socket.set_tcp_keepalive(&probes).and_then(|()| socket.set_tcp_user_timeout(Some(Stream::UNACKNOWLEDGED)));
    set.map_err(|_| OutboundError::Connection)?;
    Ok(stream)
}

async fn closed(reader: &mut (dyn AsyncRead + Send + Sync + Unpin)) {
    // An error is an end as well.
    let _ = until_end(reader).await;
}

async fn until_end(reader: &mut (dyn AsyncRead + Send + Sync + Unpin)) -> io::Result<()> {
    let mut nothing = [0; 512];
    while reader.read(&mut nothing).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports() {
        let parsed = |text: &str| Authority::parse(text).map(|to| (to.host, to.port)).ok();
        assert_eq!(parsed("siem.example:6514"), Some(("siem.example".to_owned(), 6514)));
        assert_eq!(parsed("[::1]:514"), Some(("::1".to_owned(), 514)));
        for bad in
            ["", ":514", "siem", "siem:", "siem:0", "siem:99999", "a b:1", "a:1/x", "[::1]", "u@h:1", "http://a:1"]
        {
            assert_eq!(parsed(bad), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn an_end_is_noticed_and_an_orderly_one_is_told_from_others() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let peer = Peer::Tcp(Authority { host: "127.0.0.1".to_owned(), port });
        let connect = || Stream::connect(&peer, Trust::default(), None);
        let mut stream = connect().await.unwrap();
        let (mut theirs, _) = listener.accept().await.unwrap();
        stream.write(b"hello").await.unwrap();
        let mut text = [0; 5];
        theirs.read_exact(&mut text).await.unwrap();
        assert_eq!(&text, b"hello");
        drop(theirs);
        stream.closed().await;
        assert!(stream.write(b"more").await.is_err());

        let stream = connect().await.unwrap();
        let (mut theirs, _) = listener.accept().await.unwrap();
        let reading = async {
            let mut all = Vec::new();
            theirs.read_to_end(&mut all).await.unwrap();
            drop(theirs);
        };
        let (finished, ()) = tokio::join!(stream.finish(Duration::from_secs(5)), reading);
        assert!(finished);

        // One that does not read on.
        let stream = connect().await.unwrap();
        let _theirs = listener.accept().await.unwrap();
        assert!(!stream.finish(Duration::from_millis(50)).await);
    }
}
