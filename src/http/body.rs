//! The body of a request, as the text of one JSON object.

use std::time::Duration;

use axum::body::Body as HttpBody;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::engine::Body;
use crate::error::{Error, Kind, Result};
use crate::secret::SecretBytes;

use super::json::JsonLimits;
use super::query;

/// Reads at most `limit` bytes, which must arrive within `time`: a client that sends a byte now and then must not hold a
/// connection for good.
pub(super) async fn read(body: HttpBody, limit: u64, time: Option<Duration>) -> Result<SecretBytes> {
    let reading = frames(Limited::new(body, usize::try_from(limit).unwrap_or(usize::MAX)));
    match time {
        None => reading.await,
        Some(time) => tokio::time::timeout(time, reading)
            .await
            .unwrap_or_else(|_| Err(Error::invalid("the body did not arrive in time; send it again"))),
    }
}

async fn frames(mut body: Limited<HttpBody>) -> Result<SecretBytes> {
    let mut bytes = SecretBytes::default();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| match error.downcast::<LengthLimitError>() {
            Ok(_) => Error::new(Kind::TooLarge, "http: request body too large"),
            Err(_) => Error::invalid("the body did not arrive whole"),
        })?;
        if let Ok(data) = frame.into_data() {
            bytes.append(&data);
        }
    }
    Ok(bytes)
}

/// The body as an object. JSON if the media type or the first character says so; else a form, if it is one.
pub(super) fn object(bytes: SecretBytes, media_type: Option<&str>, limits: JsonLimits) -> Result<Body> {
    if bytes.is_empty() {
        return Ok(Body::default());
    }
    let media_type = media_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    let is_form = media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    if is_form && bytes.first() != Some(&b'{') {
        limits.check_form(&bytes)?;
        return query::form(&bytes).map(Body::new);
    }
    limits.check(&bytes)?;
    let text = bytes.trim_ascii();
    if text == b"null" || text.is_empty() {
        return Ok(Body::default());
    }
    if text.first() != Some(&b'{') {
        return Err(Error::invalid("failed to decode JSON input: the body must be a JSON object"));
    }
    // Checked whole here, so that what is cut short or followed by something else is refused for every endpoint.
    serde_json::from_slice::<serde::de::IgnoredAny>(text).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        Error::invalid(format!("failed to decode JSON input: the text is not valid JSON at {place}"))
    })?;
    Ok(Body::new(bytes))
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use axum::body::{Bytes, HttpBody as Frames};
    use hyper::body::Frame;

    use super::*;

    /// So many pieces of ten bytes; then nothing more, or nothing ever.
    struct Pieces {
        left: usize,
        ends: bool,
    }

    impl Frames for Pieces {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
            match (self.left, self.ends) {
                (0, true) => Poll::Ready(None),
                (0, false) => Poll::Pending,
                (_, _) => {
                    self.left -= 1;
                    Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"0123456789")))))
                }
            }
        }
    }

    #[tokio::test]
    async fn a_body_that_does_not_arrive_is_given_up() {
        let body = HttpBody::new(Pieces { left: 3, ends: false });
        let error = read(body, 1000, Some(Duration::from_millis(20))).await.unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidRequest);
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        let body = || HttpBody::new(Pieces { left: 100, ends: true });
        assert_eq!(*read(body(), 1000, None).await.unwrap(), b"0123456789".repeat(100));
        assert_eq!(read(body(), 999, None).await.unwrap_err().kind(), Kind::TooLarge);
    }
}
