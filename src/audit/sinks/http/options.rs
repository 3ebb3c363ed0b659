//! The options of a device of the type `http`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::audit::sinks::remote::{Given, RemoteOptionsError, TlsFiles};
use crate::outbound::{Authority, Destination};

/// The options of a device of the type `http`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpOptions {
    /// `url` (or `uri`): where the lines go.
    pub url: Destination,
    /// `kind`: who listens there.
    pub kind: CollectorKind,
    /// `token_file`: a file with the token that the collector asks for.
    pub token_file: Option<PathBuf>,
    /// `headers_file`: a file with more headers, `Name: value` on each line.
    pub headers_file: Option<PathBuf>,
    /// What a connection with TLS goes by.
    pub tls: TlsFiles,
    /// `timeout`: how long a request may take; the default is 10 seconds.
    pub timeout: Duration,
    /// `batch_bytes`: so many bytes of lines go with one request; the default is 1 MiB.
    pub batch_bytes: usize,
    /// `gzip`: whether bodies are compressed; the default is false.
    pub gzip: bool,
}

/// Who takes lines over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CollectorKind {
    /// `splunk_hec`: Splunk's HTTP Event Collector.
    SplunkHec,
    /// `elasticsearch`: the bulk API of Elasticsearch and OpenSearch.
    Elasticsearch,
    /// `webhook` with `body = "ndjson"`: one line after the other.
    Ndjson,
    /// `webhook` with `body = "json_array"`: one JSON array.
    JsonArray,
}

impl HttpOptions {
    pub(in crate::audit::sinks) const NAMES: &[&str] = &[
        "url",
        "uri",
        "kind",
        "body",
        "token_file",
        "headers_file",
        "ca_file",
        "client_cert_file",
        "client_key_file",
        "server_name",
        "timeout",
        "batch_bytes",
        "gzip",
    ];

    pub(in crate::audit::sinks) fn parse(given: Given<'_>) -> Result<Self, RemoteOptionsError> {
        let text = given.text("url").or_else(|| given.text("uri")).ok_or(RemoteOptionsError::Missing("url"))?;
        let kind = kind(given)?;
        let url = destination(text, kind)?;
        let (token_file, headers_file) = (given.path("token_file"), given.path("headers_file"));
        let tls = TlsFiles::parse(given)?;
        let needs_tls = token_file.is_some() || headers_file.is_some() || tls.are_set();
        if needs_tls && !url.is_secure() && (tls.are_set() || !is_here(text)) {
            let must = "one with https:// where there are credentials or options of TLS";
            return Err(RemoteOptionsError::Must("url", must));
        }
        let must = "a number of bytes from 1024 to 33554432";
        let batch = given.bytes("batch_bytes", 1 << 20, 1024..=32 << 20, must)?;
        Ok(Self {
            url,
            kind,
            token_file,
            headers_file,
            tls,
            timeout: given.time("timeout", Duration::from_secs(10))?,
            batch_bytes: usize::try_from(batch).unwrap_or(usize::MAX),
            gzip: given.flag("gzip")?,
        })
    }
}

fn kind(given: Given<'_>) -> Result<CollectorKind, RemoteOptionsError> {
    let body = given.text("body");
    let kind = match (given.text("kind"), body) {
        (Some("splunk_hec"), None) => CollectorKind::SplunkHec,
        (Some("elasticsearch"), None) => CollectorKind::Elasticsearch,
        (None | Some("webhook"), None | Some("ndjson")) => CollectorKind::Ndjson,
        (None | Some("webhook"), Some("json_array")) => CollectorKind::JsonArray,
        (None | Some("webhook"), Some(_)) => {
            return Err(RemoteOptionsError::Must("body", "\"ndjson\" or \"json_array\""));
        }
        (Some("splunk_hec" | "elasticsearch"), Some(_)) => {
            return Err(RemoteOptionsError::Must("kind", "\"webhook\" where there is a body"));
        }
        (Some(_), _) => {
            return Err(RemoteOptionsError::Must("kind", "\"splunk_hec\", \"elasticsearch\" or \"webhook\""));
        }
    };
    Ok(kind)
}

fn destination(text: &str, kind: CollectorKind) -> Result<Destination, RemoteOptionsError> {
    let must = "an absolute URL that begins with https:// or http://, without a name or password in it";
    let parsed = |text: &str| Destination::parse(text).map_err(|_| RemoteOptionsError::Must("url", must));
    match kind {
        CollectorKind::SplunkHec | CollectorKind::Ndjson | CollectorKind::JsonArray => parsed(text),
        CollectorKind::Elasticsearch => {
            if !text.ends_with("/_bulk") {
                return Err(RemoteOptionsError::Must("url", "that of a bulk API, as in https://host:9200/audit/_bulk"));
            }
            // What became of each line is all that is needed of the answer.
            parsed(&format!("{text}?filter_path=errors,items.*.status,items.*.error.type"))
        }
    }
}

/// Whether a URL leads to this machine: what goes there is on no network.
fn is_here(url: &str) -> bool {
    let authority = url.split("://").nth(1).and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
    let with_port = if authority.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok()) {
        authority.to_owned()
    } else {
        format!("{authority}:80")
    };
    let Ok(Authority { host, .. }) = Authority::parse(&with_port) else { return false };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn parse(options: &[(&str, &str)]) -> Result<HttpOptions, RemoteOptionsError> {
        let options: BTreeMap<String, String> =
            options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        HttpOptions::parse(Given(&options))
    }

    #[test]
    fn kinds_and_defaults() {
        let options = parse(&[("uri", "https://siem.example/in")]).unwrap();
        assert_eq!((options.kind, options.gzip, options.batch_bytes), (CollectorKind::Ndjson, false, 1 << 20));
        let bulk = parse(&[("url", "https://es:9200/audit/_bulk"), ("kind", "elasticsearch")]).unwrap();
        assert!(bulk.url.to_string().ends_with("/audit/_bulk?filter_path=errors,items.*.status,items.*.error.type"));
        let array = parse(&[("url", "http://a/"), ("body", "json_array"), ("gzip", "true")]).unwrap();
        assert_eq!((array.kind, array.gzip), (CollectorKind::JsonArray, true));
    }

    #[test]
    fn mistakes_are_named() {
        for (name, value) in [
            ("url", "siem"),
            ("url", "https://user:word@siem/"),
            ("kind", "splunk"),
            ("kind", "elasticsearch"),
            ("body", "xml"),
            ("timeout", "1h"),
            ("batch_bytes", "7"),
            ("gzip", "maybe"),
        ] {
            let mut options = vec![("url", "https://siem/in"), (name, value)];
            if name == "url" {
                options.remove(0);
            }
            let named = if value == "elasticsearch" { "url" } else { name };
            let error = parse(&options).unwrap_err();
            assert!(matches!(error, RemoteOptionsError::Must(wrong, _) if wrong == named), "{name}={value}: {error}");
        }
    }

    #[test]
    fn credentials_do_not_go_over_a_network_in_clear() {
        let with = |url: &str| parse(&[("url", url), ("token_file", "/t")]).is_ok();
        for fine in ["https://siem/", "http://127.0.0.1:8088/x", "http://localhost/", "http://[::1]:1/"] {
            assert!(with(fine), "{fine}");
        }
        for clear in ["http://siem/", "http://10.0.0.1:1/", "http://localhost.example/", "http://127.0.0.1.example:1/"]
        {
            assert!(!with(clear), "{clear}");
        }
    }
}
