//! `Destination`: a URL that a request can go to.

use std::fmt;
use std::net::Ipv6Addr;

use http::Uri;

use super::OutboundError;

/// An absolute URL of the scheme `https` or `http`, without a name or a password in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    uri: Uri,
    host: String,
    port: u16,
    secure: bool,
}

impl Destination {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, OutboundError> {
        let uri: Uri = text.parse().map_err(|_| OutboundError::Address)?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err(OutboundError::Address),
        };
        let authority = uri.authority().ok_or(OutboundError::Address)?;
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(OutboundError::Address);
        }
        let host = match authority.host().strip_prefix('[').map(|rest| rest.strip_suffix(']')) {
            None => authority.host().to_ascii_lowercase(),
            Some(Some(address)) if address.parse::<Ipv6Addr>().is_ok() => address.to_ascii_lowercase(),
            Some(_) => return Err(OutboundError::Address),
        };
        if host.contains(['[', ']']) {
            return Err(OutboundError::Address);
        }
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            // A colon without a port behind it, or with one that is too large.
            None if authority.as_str().len() != authority.host().len() => return Err(OutboundError::Address),
            None if secure => 443,
            None => 80,
        };
        Ok(Self { uri, host, port, secure })
    }

    /// Whether it is reached over TLS.
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// The name or the address of the server, without brackets.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// The value of the header `Host`.
    pub(super) fn host_header(&self) -> String {
        let host = match self.host.parse::<Ipv6Addr>() {
            Ok(address) => format!("[{address}]"),
            Err(_) => self.host.clone(),
        };
        let usual = if self.secure { 443 } else { 80 };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }

    /// The path and the query, as the first line of a request has them.
    pub(super) fn target(&self) -> &str {
        self.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str)
    }

    /// Where the `Location` of an answer leads, if that is on the same server, over the same scheme.
    pub(super) fn redirected(&self, location: &str) -> Option<Self> {
        let next = match location.strip_prefix('/') {
            Some(rest) if !rest.starts_with('/') => {
                let scheme = if self.secure { "https" } else { "http" };
                Self::parse(&format!("{scheme}://{}{location}", self.host_header())).ok()?
            }
            Some(_) | None => Self::parse(location).ok()?,
        };
        let same = (next.secure, &next.host, next.port) == (self.secure, &self.host, self.port);
        same.then_some(next)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(f)
    }
}

/// What the fuzz target runs: a URL (the first line) is read as what is written of it, has nothing in it that could end a
/// header, and a `Location` (the rest) leads nowhere else.
#[doc(hidden)]
pub fn fuzz(text: &str) {
    let (url, location) = text.split_once('\n').unwrap_or((text, ""));
    if let Ok(to) = super::Authority::parse(url) {
        let host = if to.host.contains(':') { format!("[{}]", to.host) } else { to.host.clone() };
        assert_eq!(super::Authority::parse(&format!("{host}:{}", to.port)), Ok(to));
    }
    let Ok(from) = Destination::parse(url) else { return };
    assert_eq!(Destination::parse(&from.to_string()), Ok(from.clone()));
    let is_one_word = |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_ascii_control() || c == ' ');
    assert!(is_one_word(&from.host_header()) && is_one_word(from.target()));
    if let Some(next) = from.redirected(location) {
        assert_eq!((next.secure, &next.host, next.port), (from.secure, &from.host, from.port));
        assert!(is_one_word(next.target()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_reached() {
        let parsed = |text: &str| Destination::parse(text).map(|to| (to.host.clone(), to.port, to.secure)).ok();
        assert_eq!(parsed("https://IdP.example/a?b=c"), Some(("idp.example".to_owned(), 443, true)));
        assert_eq!(parsed("http://127.0.0.1:8200"), Some(("127.0.0.1".to_owned(), 8200, false)));
        assert_eq!(parsed("https://[::1]:9/x"), Some(("::1".to_owned(), 9, true)));
        for bad in [
            "",
            "abc",
            "/keys",
            "ftp://a/b",
            "https://",
            "https://user:pw@a/",
            "https://a:/",
            "https://a:99999/",
            "https://a[::1]:1/",
        ] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
    }

    #[test]
    fn redirects_stay_on_the_server() {
        let from = Destination::parse("https://idp.example/keys").unwrap();
        let next = |location: &str| from.redirected(location).map(|to| to.target().to_owned());
        assert_eq!(next("/other?x=1").as_deref(), Some("/other?x=1"));
        assert_eq!(next("https://idp.example/b").as_deref(), Some("/b"));
        assert_eq!(next("https://IDP.example:443/b").as_deref(), Some("/b"));
        for elsewhere in
            ["http://idp.example/b", "https://evil.example/b", "//evil.example/b", "https://idp.example:444/b", "b"]
        {
            assert_eq!(next(elsewhere), None, "{elsewhere}");
        }
    }
}
