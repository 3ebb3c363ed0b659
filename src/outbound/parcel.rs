//! `Parcel`: bytes that are brought to a server, which says whether it has taken them.

use std::time::Duration;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, RETRY_AFTER};
use http::{HeaderMap, Method, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};

use crate::secret::{SecretBytes, SecretText};
use crate::time::Timestamp;

use super::client::{begin, collected, secret_value};
use super::{Credential, Destination, HttpClient, OutboundError};

/// What is brought to a server.
#[derive(Debug)]
pub struct Parcel<'a> {
    /// What the body is.
    pub content_type: &'static str,
    /// Whether the body is compressed (RFC 1952).
    pub gzip: bool,
    /// The body.
    pub body: Vec<u8>,
    /// What proves who sends it.
    pub credential: Credential<'a>,
    /// More headers, each with its value.
    pub headers: &'a [(String, SecretText)],
}

/// What the server says to a [`Parcel`].
#[derive(Debug)]
pub struct Verdict {
    /// The status.
    pub status: u16,
    /// When it wants to be asked again (RFC 9110, section 10.2.3).
    pub retry_after: Option<Duration>,
    /// What it says besides, at most [`HttpClient::MAX_BODY`].
    pub body: SecretBytes,
}

impl HttpClient {
    /// `POST` of a parcel. Every status is a verdict; no redirect is followed. `now` is for a server that names a time to
    /// come back at. There is no limit of time: whoever calls it has one.
    pub async fn bring(&self, to: &Destination, parcel: Parcel<'_>, now: Timestamp) -> Result<Verdict, OutboundError> {
        let Parcel { content_type, gzip, body, credential, headers } = parcel;
        let mut request = begin(Method::POST, to, &credential)?.header(CONTENT_TYPE, content_type);
        if gzip {
            request = request.header(CONTENT_ENCODING, "gzip");
        }
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| OutboundError::Protocol)?;
            request = request.header(name, secret_value(value.expose())?);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|_| OutboundError::Address)?;
        // Boxed: with a TLS connection in it this is large.
        Box::pin(self.exchange(to, request, |response| verdict(response, now))).await
    }
}

async fn verdict(response: Response<Incoming>, now: Timestamp) -> Result<Verdict, OutboundError> {
    let (status, retry_after) = (response.status().as_u16(), retry_after(response.headers(), now));
    Ok(Verdict { status, retry_after, body: collected(response).await? })
}

/// A number of seconds, or a time.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Some(Timestamp::parse_http(text)?.since(now)),
    }
}

/// What the fuzz target runs: when a server wants to be asked again is in so many seconds, or at a time.
#[doc(hidden)]
pub fn fuzz(text: &str) {
    let Ok(value) = text.parse() else { return };
    let headers = HeaderMap::from_iter([(RETRY_AFTER, value)]);
    let read = |now| retry_after(&headers, Timestamp::from_unix_seconds(now));
    let (early, late) = (read(0), read(1_800_000_000));
    assert!(early.is_some() == late.is_some() && early >= late);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_to_come_back() {
        let now = Timestamp::from_unix_seconds(784_111_777);
        let asked = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(asked("121"), Some(Duration::from_secs(121)));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:47 GMT"), Some(Duration::from_secs(10)));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:27 GMT"), Some(Duration::ZERO));
        for nonsense in ["", "-1", "soon", "1.5", "1994-11-06T08:49:47Z"] {
            assert_eq!(asked(nonsense), None, "{nonsense}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
