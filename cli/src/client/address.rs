//! The server's address, and the URLs below it.

use crate::error::{Error, Result};

/// An `http` or `https` address without a slash at its end.
pub(crate) struct Address {
    /// `https://host:port/prefix`
    base: String,
}

impl Address {
    /// Reads an address; anything but `http://host…` and `https://host…` is refused.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let base = text.trim().trim_end_matches('/');
        let malformed = || {
            Error::local("The server's address is not an http or https URL.")
                .advise("Write it like https://vault.example.com:8200, in -address or in ARCA_ADDR.")
        };
        let uri: ureq::http::Uri = base.parse().map_err(|_| malformed())?;
        match (uri.scheme_str(), uri.host(), uri.query()) {
            (Some("http" | "https"), Some(_), None) => Ok(Self { base: base.to_owned() }),
            _ => Err(malformed()),
        }
    }

    /// Whether the connection is encrypted.
    pub(crate) fn is_tls(&self) -> bool {
        self.base.starts_with("https:")
    }

    /// The address as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.base
    }

    /// The URL of an API path with a query.
    pub(crate) fn url(&self, path: &str, query: &[(String, String)]) -> String {
        let mut url = format!("{}/v1/{}", self.base, encode(path.trim_start_matches('/'), b"/!$&'()*+,;=:@"));
        for (index, (key, value)) in query.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(&encode(key, b""));
            url.push('=');
            url.push_str(&encode(value, b""));
        }
        url
    }
}

/// Percent-encodes everything but unreserved characters (RFC 3986, section 2.3) and those in `kept`.
fn encode(text: &str, kept: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_encoded_once() {
        let address = Address::parse("http://127.0.0.1:8200/").unwrap();
        assert_eq!(
            address.url("/secret/data/a b?c#d%é", &[]),
            "http://127.0.0.1:8200/v1/secret/data/a%20b%3Fc%23d%25%C3%A9"
        );
        let query = [("list".to_owned(), "true".to_owned()), ("a&b".to_owned(), "c=d e/f".to_owned())];
        assert_eq!(address.url("x/", &query), "http://127.0.0.1:8200/v1/x/?list=true&a%26b=c%3Dd%20e%2Ff");
    }

    #[test]
    fn only_http_addresses_are_taken() {
        for bad in ["", "127.0.0.1:8200", "ftp://x", "unix:///run/x", "https://", "http://x?y=z"] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
        assert!(Address::parse("https://[::1]:8200").unwrap().is_tls());
    }
}
