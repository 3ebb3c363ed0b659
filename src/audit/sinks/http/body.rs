//! The bodies of requests, as each kind of collector wants them.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::audit::sinks::remote::line;

use super::CollectorKind;

impl CollectorKind {
    /// What a body is.
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::SplunkHec | Self::JsonArray => "application/json",
            Self::Elasticsearch | Self::Ndjson => "application/x-ndjson",
        }
    }

    /// The scheme under which a token is shown.
    pub(super) const fn scheme(self) -> &'static str {
        match self {
            Self::SplunkHec => "Splunk",
            Self::Elasticsearch => "ApiKey",
            Self::Ndjson | Self::JsonArray => "Bearer",
        }
    }

    /// A body with these lines. `source` is where they are from.
    pub(super) fn body(self, lines: &[&[u8]], source: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(lines.iter().map(|line| line.len() + 128).sum());
        match self {
            Self::SplunkHec => lines.iter().for_each(|line| splunk_event(line, source, &mut out)),
            Self::Elasticsearch => lines.iter().for_each(|line| bulk_item(line, &mut out)),
            Self::Ndjson => {
                for line in lines {
                    out.extend_from_slice(line);
                    out.push(b'\n');
                }
            }
            Self::JsonArray => {
                out.push(b'[');
                for (index, line) in lines.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    line::json_value(line, &mut out);
                }
                out.push(b']');
            }
        }
        out
    }
}

/// An event is the line as text: what is stored is then the line byte for byte, and its hash can be checked.
fn splunk_event(text: &[u8], source: &str, out: &mut Vec<u8>) {
    out.push(b'{');
    if let Some(time) = line::time(text) {
        let nanos = time.unix_nanos();
        let (seconds, micros) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000) / 1000);
        out.extend_from_slice(format!("\"time\":{seconds}.{micros:06},").as_bytes());
    }
    out.extend_from_slice(b"\"sourcetype\":\"_json\",\"source\":");
    line::json_text(source.as_bytes(), out);
    out.extend_from_slice(b",\"event\":");
    line::json_text(text, out);
    out.push(b'}');
}

/// A document is created under the hash of its line: one that is sent again is there already.
fn bulk_item(text: &[u8], out: &mut Vec<u8>) {
    match line::hash(text) {
        Some(hash) => out.extend_from_slice(format!("{{\"create\":{{\"_id\":\"{hash}\"}}}}\n").as_bytes()),
        None => out.extend_from_slice(b"{\"create\":{}}\n"),
    }
    let mut value = Vec::with_capacity(text.len());
    line::json_value(text, &mut value);
    if value.starts_with(b"{") {
        out.extend_from_slice(&value);
    } else {
        out.extend_from_slice(b"{\"message\":");
        out.extend_from_slice(&value);
        out.push(b'}');
    }
    out.push(b'\n');
}

/// The body in gzip (RFC 1952).
pub(super) fn compress(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use serde_json::{Value, json};

    use super::*;

    fn text(kind: CollectorKind, lines: &[&str]) -> String {
        let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
        String::from_utf8(kind.body(&lines, "arca:siem/")).unwrap()
    }

    #[test]
    fn splunk_gets_each_line_as_it_is() {
        let line = r#"{"time":"2023-11-14T22:13:20.5Z","a":"é\n","hash":"x"}"#;
        let body = text(CollectorKind::SplunkHec, &[line, "CEF:0|x"]);
        let events: Vec<Value> =
            serde_json::Deserializer::from_str(&body).into_iter().collect::<Result<_, _>>().unwrap();
        assert_eq!(
            events[0],
            json!({"time": 1_700_000_000.5, "sourcetype": "_json", "source": "arca:siem/", "event": line})
        );
        assert_eq!(events[1], json!({"sourcetype": "_json", "source": "arca:siem/", "event": "CEF:0|x"}));
    }

    #[test]
    fn elasticsearch_gets_documents_that_cannot_be_there_twice() {
        let hash = "0123456789abcdef".repeat(4);
        let line = format!(r#"{{"a":1,"hash":"{hash}"}}"#);
        let body = text(CollectorKind::Elasticsearch, &[&line, "torn"]);
        let lines: Vec<&str> = body.lines().collect();
        assert_eq!(lines[0], format!(r#"{{"create":{{"_id":"{hash}"}}}}"#));
        assert_eq!(lines[1], line);
        assert_eq!(lines[2..], [r#"{"create":{}}"#, r#"{"message":"torn"}"#]);
        assert!(body.ends_with('\n'));
    }

    #[test]
    fn webhooks_get_lines_or_an_array() {
        assert_eq!(text(CollectorKind::Ndjson, &[r#"{"a":1}"#, "x"]), "{\"a\":1}\nx\n");
        assert_eq!(text(CollectorKind::JsonArray, &[r#"{"a":1}"#, "x"]), r#"[{"a":1},"x"]"#);
    }

    #[test]
    fn a_compressed_body_is_the_body() {
        let body = b"{\"a\":1}\n".repeat(1000);
        let compressed = compress(&body).unwrap();
        assert!(compressed.len() < body.len() / 10);
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(compressed.as_slice()).read_to_end(&mut plain).unwrap();
        assert_eq!(plain, body);
    }
}
