//! An audited answer as an HTTP response.

use axum::body::{Body, Bytes};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};

use crate::error::Error;
use crate::pipeline::Audited;

/// The response of an answer.
pub(super) fn response(audited: Audited, without_body: bool, over_tls: bool) -> Response<Body> {
    let Audited { status, media_type, body, headers } = audited;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // RFC 9110, 15.3.5, 15.3.6 and 15.4.5: with these statuses a body breaks the connection.
    // The buffer itself, which is wiped once it is sent, and no copy that is not.
    let empty = without_body || matches!(status.as_u16(), 204 | 205 | 304);
    let body = if empty { Bytes::new() } else { Bytes::from_owner(body) };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    if let Some(media_type) = media_type {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        if media_type.starts_with("text/html") {
            confine(&mut response);
        }
    }
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    common(&mut response, over_tls);
    response
}

/// The answer to a browser that asks what a page may do.
pub(super) fn preflight(over_tls: bool) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    common(&mut response, over_tls);
    response
}

/// The response to what is no request.
pub(super) fn refusal(error: &Error, over_tls: bool) -> Response<Body> {
    response(Audited::failure(error), false, over_tls)
}

/// Sends the client to the clean spelling of its path.
pub(super) fn redirect(path: &str, query: Option<&str>, over_tls: bool) -> Response<Body> {
    let target = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let Ok(target) = HeaderValue::from_str(&target) else {
        return refusal(&Error::invalid("the path cannot be read"), over_tls);
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    response.headers_mut().insert(LOCATION, target);
    common(&mut response, over_tls);
    response
}

/// A page loads nothing, runs nothing, stands in no other page, and tells nobody its address, which may have a code in it.
fn confine(response: &mut Response<Body>) {
    let policy = "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
}

fn common(response: &mut Response<Body>, over_tls: bool) {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if over_tls {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(STRICT_TRANSPORT_SECURITY, year);
    }
}
