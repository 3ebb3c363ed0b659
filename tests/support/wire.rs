//! A connection that says exactly what a test wants it to say, also what no HTTP client would.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};

/// A TLS connection, bytes in, bytes out.
pub(crate) struct Wire(StreamOwned<ClientConnection, TcpStream>);

impl Wire {
    /// Connects, trusting the authority `ca` and showing `certificate` (with its key). HTTP/1.1 is what is spoken.
    pub(crate) fn connect(address: SocketAddr, ca: &str, certificate: Option<(&str, &str)>) -> Self {
        Self::connect_for(address, ca, certificate, b"http/1.1")
    }

    /// The same for another protocol, by its name in ALPN.
    pub(crate) fn connect_for(
        address: SocketAddr,
        ca: &str,
        certificate: Option<(&str, &str)>,
        protocol: &[u8],
    ) -> Self {
        Visitor::new(address, ca, certificate, &[&TLS13, &TLS12], protocol).connect()
    }

    /// Whether the connection goes on with a session of before, so that its certificate was not looked at again. Known
    /// once something was heard.
    pub(crate) fn is_resumed(&self) -> bool {
        self.0.conn.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Says `bytes`.
    pub(crate) fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)?;
        self.0.flush()
    }

    /// The connection below TLS.
    pub(crate) fn raw(&mut self) -> &mut TcpStream {
        &mut self.0.sock
    }

    /// What comes back next; nothing at the end of the connection.
    pub(crate) fn hear_some(&mut self) -> io::Result<Vec<u8>> {
        let mut part = [0; 4096];
        match self.0.read(&mut part) {
            Ok(count) => Ok(part[..count].to_vec()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// What comes back until the server ends the connection, or a whole response without a body is there.
    pub(crate) fn hear(&mut self) -> io::Result<String> {
        let mut heard = Vec::new();
        let mut part = [0; 4096];
        loop {
            let count = match self.0.read(&mut part) {
                Ok(count) => count,
                // The end without a TLS goodbye is an end too.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
                Err(error) => return Err(error),
            };
            heard.extend_from_slice(&part[..count]);
            if count == 0 || is_whole(&heard) {
                return Ok(String::from_utf8_lossy(&heard).into_owned());
            }
        }
    }
}

/// What a client has for each of its connections: whom it trusts, who it is, and the sessions that it can resume.
pub(crate) struct Visitor {
    address: SocketAddr,
    config: Arc<ClientConfig>,
}

impl Visitor {
    /// One that trusts the authority `ca`, shows `certificate` (with its key), and has no session yet.
    pub(crate) fn new(
        address: SocketAddr,
        ca: &str,
        certificate: Option<(&str, &str)>,
        versions: &[&'static SupportedProtocolVersion],
        protocol: &[u8],
    ) -> Self {
        Self::by(address, Self::config(ca, certificate, versions, protocol))
    }

    /// One that connects like this.
    pub(crate) fn by(address: SocketAddr, config: ClientConfig) -> Self {
        Self { address, config: Arc::new(config) }
    }

    /// How such a client connects.
    pub(crate) fn config(
        ca: &str,
        certificate: Option<(&str, &str)>,
        versions: &[&'static SupportedProtocolVersion],
        protocol: &[u8],
    ) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match certificate {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
                    PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
                )
                .unwrap(),
        };
        config.alpn_protocols = vec![protocol.to_vec()];
        config
    }

    /// A new connection.
    pub(crate) fn connect(&self) -> Wire {
        self.connect_to(ServerName::from(self.address.ip()))
    }

    /// The same to a server that is to have this name.
    pub(crate) fn connect_to(&self, name: ServerName<'static>) -> Wire {
        let connection = ClientConnection::new(self.config.clone(), name).unwrap();
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Wire(StreamOwned::new(connection, stream))
    }
}

/// Whether `heard` is a response with as many bytes as it says.
fn is_whole(heard: &[u8]) -> bool {
    let text = String::from_utf8_lossy(heard).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    length.is_some_and(|length| body.len() >= length)
}
