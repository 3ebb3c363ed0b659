//! The body of a request, as the text of one JSON object.

use axum::body::Body as HttpBody;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use zeroize::Zeroizing;

use crate::engine::Body;
use crate::error::{Error, Kind, Result};

use super::json::JsonLimits;
use super::query;

/// Reads at most `limit` bytes.
pub(super) async fn read(body: HttpBody, limit: u64) -> Result<Zeroizing<Vec<u8>>> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut limited = Limited::new(body, limit);
    let mut bytes = Zeroizing::new(Vec::new());
    while let Some(frame) = limited.frame().await {
        let frame = frame.map_err(|error| match error.downcast::<LengthLimitError>() {
            Ok(_) => Error::new(Kind::TooLarge, "http: request body too large"),
            Err(_) => Error::invalid("the body did not arrive whole"),
        })?;
        if let Ok(data) = frame.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes)
}

/// The body as an object. JSON if the media type or the first character says so; else a form, if it is one.
pub(super) fn object(bytes: Zeroizing<Vec<u8>>, media_type: Option<&str>, limits: JsonLimits) -> Result<Body> {
    if bytes.is_empty() {
        return Ok(Body::default());
    }
    let media_type = media_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    let is_form = media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    if is_form && bytes.first() != Some(&b'{') {
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
