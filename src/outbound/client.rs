//! `HttpClient`: one request, one answer, within bounds.

use std::fmt;
use std::future::pending;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, LOCATION, USER_AGENT};
use http::request::Builder;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use crate::secret::{SecretBytes, SecretText};

use super::OutboundError;
use super::destination::Destination;
use super::tls::{self, ClientIdentity, Trust};

/// Sends requests. A clone of it is the same client.
#[derive(Clone)]
pub struct HttpClient {
    authorities: Arc<str>,
    server_names: Arc<[String]>,
    /// Made with the first request over TLS: the machine's authorities are many files.
    tls: Arc<OnceLock<Arc<ClientConfig>>>,
}

/// What proves to the server who asks.
#[derive(Debug)]
pub enum Credential<'a> {
    /// Nothing does.
    None,
    /// A token (RFC 6750).
    Bearer(&'a SecretText),
    /// A name and a password, encoded as RFC 7617 has them.
    Basic(&'a SecretText),
    /// A token under another scheme (RFC 9110, section 11): its name, and the token.
    Other(&'static str, &'a SecretText),
}

/// How many redirects are followed, all of them on the same server.
const MAX_REDIRECTS: usize = 3;

/// What is encoded in a form: all but what every encoder leaves as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

impl HttpClient {
    /// How long a request may take, from the look-up of the name to the last byte.
    pub const TIMEOUT: Duration = Duration::from_secs(10);
    /// The largest body in bytes.
    pub const MAX_BODY: usize = 1 << 20;

    /// A client that trusts `trust`. Its PEM is checked here.
    pub fn new(trust: Trust<'_>) -> Result<Self, OutboundError> {
        let cell = OnceLock::new();
        if !trust.authorities.trim().is_empty() {
            let _ = cell.set(tls::config(trust)?);
        }
        let (authorities, server_names) = (trust.authorities.into(), trust.server_names.into());
        Ok(Self { authorities, server_names, tls: Arc::new(cell) })
    }

    /// `GET`. Redirects on the same server are followed.
    pub async fn get(&self, to: &Destination, credential: Credential<'_>) -> Result<SecretBytes, OutboundError> {
        within_time(async {
            let mut to = to.clone();
            for _ in 0..=MAX_REDIRECTS {
                let request = request(Method::GET, &to, &credential, Content::Nothing)?;
                let response = match self.ask(&to, request).await? {
                    Sent::Answer(body) => return Ok(body),
                    Sent::Redirect(location) => location,
                };
                to = to.redirected(&response).ok_or(OutboundError::Redirect)?;
            }
            Err(OutboundError::Redirect)
        })
        .await
    }

    /// `POST` of a form. No redirect is followed: what is in the form is for this server.
    pub async fn post(
        &self,
        to: &Destination,
        credential: Credential<'_>,
        form: &[(&str, &str)],
    ) -> Result<SecretBytes, OutboundError> {
        within_time(async {
            let request = request(Method::POST, to, &credential, Content::Form(form))?;
            match self.ask(to, request).await? {
                Sent::Answer(body) => Ok(body),
                Sent::Redirect(_) => Err(OutboundError::Redirect),
            }
        })
        .await
    }

    /// A client that trusts `trust` and shows `identity`. Its PEM is checked here.
    pub fn identified(trust: Trust<'_>, identity: ClientIdentity<'_>) -> Result<Self, OutboundError> {
        let config = tls::identified(trust, Some(identity), &[b"http/1.1"])?;
        let (authorities, server_names) = (trust.authorities.into(), trust.server_names.into());
        Ok(Self { authorities, server_names, tls: Arc::new(OnceLock::from(config)) })
    }

    /// `POST` of bytes of a media type. No redirect is followed.
    pub async fn send(
        &self,
        to: &Destination,
        media_type: &'static str,
        body: Vec<u8>,
    ) -> Result<SecretBytes, OutboundError> {
        within_time(async {
            let request = request(Method::POST, to, &Credential::None, Content::Bytes { media_type, body })?;
            match self.ask(to, request).await? {
                Sent::Answer(body) => Ok(body),
                Sent::Redirect(_) => Err(OutboundError::Redirect),
            }
        })
        .await
    }

    async fn ask(&self, to: &Destination, request: Request<Full<Bytes>>) -> Result<Sent, OutboundError> {
        self.exchange(to, request, taken).await
    }

    /// The request, and what `read` makes of its answer.
    pub(super) async fn exchange<T, R: Future<Output = Result<T, OutboundError>>>(
        &self,
        to: &Destination,
        request: Request<Full<Bytes>>,
        read: impl FnOnce(Response<Incoming>) -> R,
    ) -> Result<T, OutboundError> {
        let stream = TcpStream::connect((to.host(), to.port())).await.map_err(|_| OutboundError::Connection)?;
        if !to.is_secure() {
            return exchange(stream, request, read).await;
        }
        let name = ServerName::try_from(to.host().to_owned()).map_err(|_| OutboundError::Address)?;
        let connecting = TlsConnector::from(self.tls()?).connect(name, stream);
        exchange(connecting.await.map_err(|_| OutboundError::Handshake)?, request, read).await
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, OutboundError> {
        if let Some(config) = self.tls.get() {
            return Ok(config.clone());
        }
        let made = tls::config(Trust { authorities: &self.authorities, server_names: &self.server_names })?;
        Ok(self.tls.get_or_init(|| made).clone())
    }
}

/// What goes with a request.
enum Content<'a> {
    Nothing,
    Form(&'a [(&'a str, &'a str)]),
    Bytes { media_type: &'static str, body: Vec<u8> },
}

/// What came of one request.
enum Sent {
    /// The body of a success, wiped on drop: it may have tokens in it.
    Answer(SecretBytes),
    /// The `Location`.
    Redirect(String),
}

async fn within_time<T>(work: impl Future<Output = Result<T, OutboundError>>) -> Result<T, OutboundError> {
    // Boxed: with a TLS connection in it this is large, and it is part of what every login is.
    tokio::time::timeout(HttpClient::TIMEOUT, Box::pin(work)).await.unwrap_or(Err(OutboundError::Timeout))
}

fn request(
    method: Method,
    to: &Destination,
    credential: &Credential<'_>,
    content: Content<'_>,
) -> Result<Request<Full<Bytes>>, OutboundError> {
    let mut request = begin(method, to, credential)?;
    let body = match content {
        Content::Nothing => Bytes::new(),
        Content::Bytes { media_type, body } => {
            request = request.header(CONTENT_TYPE, media_type);
            Bytes::from(body)
        }
        Content::Form(fields) => {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            Bytes::from_owner(form_text(fields))
        }
    };
    request.body(Full::new(body)).map_err(|_| OutboundError::Address)
}

/// The beginning of a request, with what proves who asks.
pub(super) fn begin(method: Method, to: &Destination, credential: &Credential<'_>) -> Result<Builder, OutboundError> {
    let mut request = Request::builder()
        .method(method)
        .uri(to.target())
        .header(HOST, to.host_header())
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, concat!("arca/", env!("CARGO_PKG_VERSION")))
        .header(CONNECTION, "close");
    let proof = match credential {
        Credential::None => None,
        Credential::Bearer(token) => Some(Zeroizing::new(format!("Bearer {}", token.expose()))),
        Credential::Basic(pair) => Some(Zeroizing::new(format!("Basic {}", pair.expose()))),
        Credential::Other(scheme, token) => Some(Zeroizing::new(format!("{scheme} {}", token.expose()))),
    };
    if let Some(proof) = proof {
        request = request.header(AUTHORIZATION, secret_value(&proof)?);
    }
    Ok(request)
}

/// A header's value that is not shown anywhere.
pub(super) fn secret_value(text: &str) -> Result<HeaderValue, OutboundError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| OutboundError::Protocol)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Fields as `application/x-www-form-urlencoded` has them.
fn form_text(fields: &[(&str, &str)]) -> SecretBytes {
    let mut text = SecretBytes::default();
    for (name, value) in fields {
        if !text.is_empty() {
            text.append(b"&");
        }
        for (part, end) in [(name, "="), (value, "")] {
            for piece in utf8_percent_encode(part, ENCODED) {
                text.append(piece.as_bytes());
            }
            text.append(end.as_bytes());
        }
    }
    text
}

/// The request and its answer over an open connection, which nothing outlives.
async fn exchange<S, T, R>(
    stream: S,
    request: Request<Full<Bytes>>,
    read: impl FnOnce(Response<Incoming>) -> R,
) -> Result<T, OutboundError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    R: Future<Output = Result<T, OutboundError>>,
{
    let opened = http1::Builder::new().max_headers(64).handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = opened.map_err(|_| OutboundError::Protocol)?;
    let asking = async {
        let response = sender.send_request(request).await.map_err(|_| OutboundError::Protocol)?;
        read(response).await
    };
    // The connection moves the bytes of `asking`, and ends before or after it.
    let driving = async {
        let _ = connection.await;
        pending::<T>().await
    };
    tokio::select! {
        biased;
        outcome = asking => outcome,
        never = driving => Ok(never),
    }
}

async fn taken(response: Response<Incoming>) -> Result<Sent, OutboundError> {
    let status = response.status();
    if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        return location.map(|text| Sent::Redirect(text.to_owned())).ok_or(OutboundError::Redirect);
    }
    if !status.is_success() {
        return Err(OutboundError::Status(status.as_u16()));
    }
    collected(response).await.map(Sent::Answer)
}

/// The body of an answer, within [`HttpClient::MAX_BODY`].
pub(super) async fn collected(response: Response<Incoming>) -> Result<SecretBytes, OutboundError> {
    let mut frames = Limited::new(response.into_body(), HttpClient::MAX_BODY);
    let mut body = SecretBytes::default();
    while let Some(frame) = frames.frame().await {
        let frame = frame.map_err(|error| match error.downcast::<LengthLimitError>() {
            Ok(_) => OutboundError::TooLarge,
            Err(_) => OutboundError::Protocol,
        })?;
        if let Ok(data) = frame.into_data() {
            body.append(&data);
        }
    }
    Ok(body)
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpClient")
    }
}
