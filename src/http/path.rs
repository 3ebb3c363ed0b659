//! From the URL to the one spelling of a path.

use percent_encoding::percent_decode_str;

use crate::api::ApiPath;
use crate::error::{Error, Result};

/// What a URL's path leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A path of the API.
    Api(ApiPath),
    /// The path has doubled slashes or dots in clear: the client is sent to the clean one.
    Elsewhere(String),
    /// Nothing is served here.
    Nowhere,
}

/// Reads the path of a URL, still encoded.
pub(super) fn place(raw: &str) -> Result<Place> {
    if raw == "/" {
        return Ok(Place::Elsewhere("/ui/".to_owned()));
    }
    if let Some(clean) = cleaned(raw) {
        return Ok(Place::Elsewhere(clean));
    }
    let Some(encoded) = raw.strip_prefix("/v1/") else { return Ok(Place::Nowhere) };
    let decoded = percent_decode_str(encoded)
        .decode_utf8()
        .map_err(|_| Error::invalid("the path is not UTF-8; percent-encode it as such"))?;
    ApiPath::parse(&decoded).map(Place::Api).map_err(|error| Error::invalid(error.to_string()))
}

/// The clean path, if this one is not.
fn cleaned(raw: &str) -> Option<String> {
    let body = raw.strip_prefix('/').unwrap_or(raw);
    let inner = body.strip_suffix('/').unwrap_or(body);
    let is_clean = inner.is_empty() || inner.split('/').all(|segment| !matches!(segment, "" | "." | ".."));
    if is_clean && raw.starts_with('/') {
        return None;
    }
    let mut kept: Vec<&str> = Vec::new();
    for segment in body.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    let folder = if raw.ends_with('/') && !kept.is_empty() { "/" } else { "" };
    Some(format!("/{}{folder}", kept.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(text: &str) -> Place {
        Place::Api(ApiPath::parse(text).unwrap())
    }

    #[test]
    fn one_spelling_each() {
        assert_eq!(place("/v1/kv/a%20b").unwrap(), api("kv/a b"));
        assert_eq!(place("/v1/kv/a%2Fb").unwrap(), api("kv/a/b"));
        assert_eq!(place("/v1/kv//b").unwrap(), Place::Elsewhere("/v1/kv/b".to_owned()));
        assert_eq!(place("/v1/kv/../b").unwrap(), Place::Elsewhere("/v1/b".to_owned()));
        assert_eq!(place("/v1/kv/").unwrap(), api("kv/"));
        assert_eq!(place("/").unwrap(), Place::Elsewhere("/ui/".to_owned()));
        assert_eq!(place("/v1").unwrap(), Place::Nowhere);
        assert_eq!(place("/v2/kv").unwrap(), Place::Nowhere);
        for bad in ["/v1/kv/%2e%2e/b", "/v1/kv/%2e", "/v1/a%2F%2Fb", "/v1/a%0ab", "/v1/a%00", "/v1/%ff"] {
            assert!(place(bad).is_err(), "{bad}");
        }
    }
}
