//! A connection with one request under way.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::Error;

/// Where connections go, and as whom.
#[derive(Clone)]
pub(crate) struct Target {
    address: SocketAddr,
    token: Arc<str>,
    config: Arc<ClientConfig>,
}

/// An open connection.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

/// An answer, read to its end.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// A request that is yet to be made.
pub(crate) struct Ask {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) body: Bytes,
    /// How long the answer is to be wrapped, in seconds.
    pub(crate) wrap: Option<&'static str>,
    /// The token, if it is not the one of the target.
    pub(crate) token: Option<String>,
}

impl Ask {
    /// A request without a body.
    pub(crate) fn new(method: &'static str, path: String) -> Self {
        Self { method, path, body: Bytes::new(), wrap: None, token: None }
    }
}

impl Target {
    /// The server at `address`, where requests have `token` unless they bring one of their own.
    pub(crate) fn new(address: SocketAddr, token: &str, config: Arc<ClientConfig>) -> Self {
        Self { address, token: token.into(), config }
    }

    /// Opens a connection, and does `work` over it. It is closed afterwards.
    pub(crate) async fn connected<T, F>(&self, work: impl FnOnce(Connection) -> F) -> Result<T, Error>
    where
        F: Future<Output = T>,
    {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::IpAddress(self.address.ip().into());
        let stream = TlsConnector::from(self.config.clone()).connect(name, stream).await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        let work = work(Connection { sender });
        tokio::pin!(work, connection);
        tokio::select! {
            done = &mut work => Ok(done),
            // The work is told by its next request that the connection has ended.
            _ = &mut connection => Ok(work.await),
        }
    }

    /// The request, as hyper takes it.
    pub(crate) fn request(&self, ask: Ask) -> Result<Request<Full<Bytes>>, Error> {
        let token = ask.token.as_deref().unwrap_or(&self.token);
        let mut request = Request::builder()
            .method(ask.method)
            .uri(ask.path)
            .header("host", "127.0.0.1")
            .header("x-vault-request", "true")
            .header("x-vault-token", token);
        if let Some(seconds) = ask.wrap {
            request = request.header("x-vault-wrap-ttl", seconds);
        }
        Ok(request.body(Full::new(ask.body))?)
    }
}

impl Connection {
    /// Makes a request, and reads the answer.
    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Reply, Error> {
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Ok(Reply { status, body })
    }
}
