//! Messages of the syslog protocol (RFC 5424).

use std::sync::Arc;

use crate::audit::sinks::remote::line;
use crate::audit::sinks::remote::stream::Framing;
use crate::time::{Clock, Timestamp};

use super::Facility;

/// Makes messages out of lines.
#[derive(Clone, Debug)]
pub(super) struct Messages {
    /// The priority, `1`, the version, in front of the time.
    before_time: String,
    /// The host, the tag, the process, the kind of message, and no structured data, behind the time.
    behind_time: String,
    clock: Arc<dyn Clock>,
}

impl Messages {
    /// Messages of the severity `informational` from `host`.
    pub(super) fn new(facility: Facility, tag: &str, host: &str, clock: Arc<dyn Clock>) -> Self {
        let priority = facility.code() * 8 + INFORMATIONAL;
        let process = std::process::id();
        Self { before_time: format!("<{priority}>1 "), behind_time: format!(" {host} {tag} {process} audit - "), clock }
    }

    /// Appends the message with a line as its content. Its time is the entry's own, if the line says it.
    pub(super) fn append(&self, content: &[u8], out: &mut Vec<u8>) {
        let time = line::time(content).unwrap_or_else(|| self.clock.now());
        out.extend_from_slice(self.before_time.as_bytes());
        out.extend_from_slice(in_microseconds(time).as_bytes());
        out.extend_from_slice(self.behind_time.as_bytes());
        out.extend_from_slice(content);
    }
}

/// Counts octets in front of each message (RFC 6587, section 3.4.1, and RFC 5425).
pub(super) struct OctetCounting(pub(super) Messages);

impl Framing for OctetCounting {
    fn frame(&self, line: &[u8], out: &mut Vec<u8>) {
        let mut message = Vec::with_capacity(line.len() + 128);
        self.0.append(line, &mut message);
        out.extend_from_slice(format!("{} ", message.len()).as_bytes());
        out.extend_from_slice(&message);
    }
}

/// RFC 3339 with at most six digits of a second, as RFC 5424 has it.
fn in_microseconds(time: Timestamp) -> String {
    let nanos = time.unix_nanos();
    Timestamp::from_unix_nanos(nanos - nanos.rem_euclid(1000)).to_string()
}

/// The severity of all messages.
const INFORMATIONAL: u8 = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::ManualClock;

    #[test]
    fn a_message_is_as_the_rfc_has_it() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(0)));
        let messages = Messages::new(Facility::parse("LOCAL4").unwrap(), "arca", "vault-1", clock);
        let text = |line: &str| {
            let mut out = Vec::new();
            OctetCounting(messages.clone()).frame(line.as_bytes(), &mut out);
            String::from_utf8(out).unwrap()
        };
        let process = std::process::id();
        let line = r#"{"time":"2023-11-14T22:13:20.123456789Z","a":"é"}"#;
        let message = format!("<166>1 2023-11-14T22:13:20.123456Z vault-1 arca {process} audit - {line}");
        assert_eq!(text(line), format!("{} {message}", message.len()));
        assert!(text("CEF:0|x").contains("<166>1 1970-01-01T00:00:00Z vault-1"));
    }
}
