//! What the fuzz targets run: everything that reads what a client sends here, but for HTTP itself.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::api::{ApiPath, Operation};
use crate::config::ForwardedFor;
use crate::secret::SecretBytes;

use super::json::JsonLimits;
use super::path::{Place, place};
use super::{body, door, query};

/// Reads a request: its path (the first line), its query (the second), and its headers (the rest).
#[doc(hidden)]
pub fn fuzz_request(text: &str) {
    let mut lines = text.split('\n');
    let (raw, asked) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    if let Ok(Place::Elsewhere(to)) = place(raw) {
        // A redirect leads to a clean path, and within this server.
        let is_clean = !matches!(place(&to), Ok(Place::Elsewhere(_)));
        assert!(to == "/" || is_clean && to.starts_with('/') && !to.starts_with("//"));
    }
    read_query(asked);
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let (name, value) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value.trim()));
        if let (Ok(name), Ok(value)) = (name, value) {
            let _ = headers.try_append(name, value);
        }
    }
    read_headers(&headers);
}

fn read_query(asked: &str) {
    let fields = query::fields(asked).map(|json| serde_json::from_slice::<Map<String, Value>>(&json));
    assert!(fields.is_ok());
    let fields = fields.into_iter().flatten().next().unwrap_or_default();
    for (name, value) in query::pairs(asked) {
        let is_there = fields.get(&name).and_then(Value::as_str).is_some_and(|text| text.contains(&value));
        assert!(is_there || query::DIRECTIONS.contains(&name.as_str()));
    }
    // What was understood can be said again.
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pair =
        |(name, value): (&String, &Value)| format!("{}={}", encoded(name), encoded(value.as_str().unwrap_or_default()));
    let written = fields.iter().map(pair).collect::<Vec<_>>().join("&");
    let again = query::form(written.as_bytes()).map(|json| serde_json::from_slice::<Map<String, Value>>(&json));
    assert!(again.is_ok_and(|again| again.unwrap_or_default() == fields));
    for method in [Method::GET, Method::POST, Method::DELETE] {
        let path = ApiPath::parse("kv/a").map_err(|_| crate::error::Error::absent());
        if let Ok(Some(Operation::List)) = door::operation(&method, asked, &path) {
            assert!(query::value(asked, "list").is_some_and(|value| !value.is_empty()));
        }
    }
}

fn read_headers(headers: &HeaderMap) {
    let _ = door::token(headers);
    let _ = door::seen_headers(headers);
    assert!(door::wrap_ttl(headers).map_or(true, |ttl| ttl.is_none_or(|ttl| !ttl.is_zero())));
    if let Ok(namespace) = door::namespace(headers) {
        let is_path = ApiPath::parse(&namespace).is_ok_and(|path| path.as_str() == namespace);
        assert!(namespace.is_empty() || namespace.ends_with('/') && is_path);
    }
    let media_type = headers.get("content-type").and_then(|value| value.to_str().ok());
    assert!(!door::is_merge_patch(media_type) || media_type.is_some_and(|text| text.contains('/')));
    for hop_skips in 0..3 {
        let forwarded = ForwardedFor {
            authorized: ["10.0.0.0/8".parse()].into_iter().flatten().collect(),
            hop_skips,
            reject_not_present: false,
            reject_not_authorized: hop_skips == 1,
        };
        let from = |peer: [u8; 4]| door::client_address(&forwarded, headers, peer.into());
        // Whoever is no proxy of ours cannot choose an address.
        assert!(from([192, 0, 2, 1]).map_or(true, |address| address.is_none()));
        let is_named = headers.contains_key("x-forwarded-for");
        assert!(from([10, 0, 0, 1]).map_or(true, |address| address.is_none() || is_named));
    }
}

/// Reads a body of JSON within these limits, and of a form. Whether the JSON was taken.
#[doc(hidden)]
pub fn fuzz_body(bytes: &[u8], strings: u64, depth: u64, memory: u64) -> bool {
    let limits = JsonLimits { strings, depth, memory };
    let read = |media_type| body::object(SecretBytes::new(bytes.to_vec()), media_type, limits);
    if let Ok(form) = read(Some("application/x-www-form-urlencoded")) {
        // Whatever it came as, it is an object of fields.
        assert!(form.fields().is_ok() || bytes.starts_with(b"{"));
    }
    read(Some("application/json")).is_ok()
}
