//! The bytes of an answer. The envelope is assembled around the payload, which is not parsed or copied twice.

use std::borrow::Cow;

use crate::api::ErrorBody;
use crate::error::{Error, Kind, Result};
use crate::secret::SecretBytes;

use super::response::{LeaseInfo, Response, ResponseBody};

/// The status of a failure.
pub(super) const fn status(kind: Kind) -> u16 {
    match kind {
        Kind::InvalidRequest => 400,
        Kind::Forbidden => 403,
        Kind::NotFound => 404,
        Kind::MethodNotAllowed => 405,
        Kind::TooLarge => 413,
        Kind::UnsupportedMediaType => 415,
        Kind::RateLimited => 429,
        Kind::Conflict | Kind::Corrupt | Kind::Internal | Kind::Unavailable => 500,
        Kind::Locked | Kind::NotInitialised | Kind::Sealed => 503,
    }
}

/// The body of a failure.
pub(super) fn error(error: &Error) -> SecretBytes {
    let text = |sentences: &[Cow<'static, str>]| sentences.iter().map(ToString::to_string).collect();
    let body = ErrorBody { errors: text(error.messages()), warnings: text(error.warnings()) };
    let mut bytes = serde_json::to_vec(&body).unwrap_or_else(|_| br#"{"errors":["internal error"]}"#.to_vec());
    bytes.push(b'\n');
    SecretBytes::new(bytes)
}

/// The body of a response.
pub(super) fn body(request_id: &str, response: &Response) -> Result<SecretBytes> {
    let Response { status: _, body, warnings, undo: _ } = response;
    let mut out = Writer(SecretBytes::new(Vec::with_capacity(512)));
    match body {
        ResponseBody::Empty if !response.has_body() => return Ok(out.0),
        ResponseBody::Raw { payload, .. } => out.raw(payload.json()),
        // Sent by itself, without so much as a newline.
        ResponseBody::Download { .. } => return Ok(out.0),
        ResponseBody::Empty => {
            out.head(request_id, None)?;
            out.tail(Parts { warnings, ..Parts::default() })?;
        }
        ResponseBody::Data { payload, lease, repeated, accessor: _ } => {
            out.head(request_id, lease.as_ref())?;
            if *repeated {
                out.repeat(payload.json());
            }
            out.tail(Parts { data: Some(payload.json()), warnings, ..Parts::default() })?;
        }
        ResponseBody::Auth(auth) => {
            out.head(request_id, None)?;
            out.tail(Parts { auth: Some(&json(auth)?), warnings, ..Parts::default() })?;
        }
        ResponseBody::Wrapped(info) => {
            out.head("", None)?;
            out.tail(Parts { wrap_info: Some(&json(info)?), warnings, ..Parts::default() })?;
        }
    }
    out.raw(b"\n");
    Ok(out.0)
}

/// What stands behind the head of an envelope; nothing is `null`.
#[derive(Clone, Copy, Default)]
struct Parts<'a> {
    data: Option<&'a [u8]>,
    wrap_info: Option<&'a [u8]>,
    warnings: &'a [Cow<'static, str>],
    auth: Option<&'a [u8]>,
}

struct Writer(SecretBytes);

impl Writer {
    fn raw(&mut self, bytes: &[u8]) {
        self.0.append(bytes);
    }

    fn head(&mut self, request_id: &str, lease: Option<&LeaseInfo>) -> Result<()> {
        self.raw(br#"{"request_id":"#);
        self.raw(&json(request_id)?);
        self.raw(br#","lease_id":"#);
        self.raw(&json(lease.map_or("", |lease| lease.id.as_str()))?);
        self.raw(if lease.is_some_and(|lease| lease.renewable) {
            br#","renewable":true"#
        } else {
            br#","renewable":false"#
        });
        self.raw(br#","lease_duration":"#);
        self.raw(&json(&lease.map_or(0, |lease| lease.ttl.seconds()))?);
        Ok(())
    }

    /// The fields of an object at the top level.
    fn repeat(&mut self, object: &[u8]) {
        let inner = object.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}")).unwrap_or_default();
        if !inner.is_empty() {
            self.raw(b",");
            self.raw(inner);
        }
    }

    fn tail(&mut self, parts: Parts<'_>) -> Result<()> {
        let Parts { data, wrap_info, warnings, auth } = parts;
        self.raw(br#","data":"#);
        self.raw(data.unwrap_or(b"null"));
        self.raw(br#","wrap_info":"#);
        self.raw(wrap_info.unwrap_or(b"null"));
        self.raw(br#","warnings":"#);
        if warnings.is_empty() {
            self.raw(b"null");
        } else {
            self.raw(&json(warnings)?);
        }
        self.raw(br#","auth":"#);
        self.raw(auth.unwrap_or(b"null"));
        self.raw(b"}");
        Ok(())
    }
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<SecretBytes> {
    serde_json::to_vec(value)
        .map(SecretBytes::new)
        .map_err(|error| Error::internal("the answer cannot be written").with_source(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Payload, StatusCode};
    use serde_json::{Value, json};

    fn rendered(response: &Response) -> Value {
        serde_json::from_slice(&body("id", response).unwrap()).unwrap()
    }

    #[test]
    fn the_envelope_has_its_keys_in_order() {
        let payload = Payload::of(&json!({"a": 1})).unwrap();
        let body_of = ResponseBody::Data { payload, lease: None, repeated: true, accessor: String::new() };
        let response = Response { status: StatusCode::OK, body: body_of, warnings: vec!["w".into()], undo: None };
        let text = String::from_utf8(body("id", &response).unwrap().to_vec()).unwrap();
        let expected = "{\"request_id\":\"id\",\"lease_id\":\"\",\"renewable\":false,\"lease_duration\":0,\"a\":1,\
            \"data\":{\"a\":1},\"wrap_info\":null,\"warnings\":[\"w\"],\"auth\":null}\n";
        assert_eq!(text, expected);
        assert_eq!(rendered(&response)["data"]["a"], 1);
    }

    #[test]
    fn a_large_payload_comes_through() {
        let large = "x".repeat(100_000);
        let payload = Payload::of(&json!({ "a": large })).unwrap();
        let body_of = ResponseBody::Data { payload, lease: None, repeated: false, accessor: String::new() };
        let response = Response { status: StatusCode::OK, body: body_of, warnings: Vec::new(), undo: None };
        assert_eq!(rendered(&response)["data"]["a"], large);
    }
}
