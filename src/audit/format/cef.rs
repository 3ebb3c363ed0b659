//! ArcSight Common Event Format, version 0. The last extension, `arca`, is the recorded line as a whole.

use std::net::IpAddr;

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::chain::escape_cef;

use super::recorded::{Recorded, Subject, milliseconds, text};

/// Writes a line without its end. `line` is what `recorded` was read from.
pub(super) fn write(recorded: &Recorded<'_>, line: &[u8], out: &mut Vec<u8>) {
    header(recorded, out);
    let mut extension = Extension { out, first: true };
    extension.text("rt", &milliseconds(recorded.time).to_string());
    if recorded.subject() != Subject::Log {
        about(&mut extension, recorded);
    }
    // What locates the recorded line; no value can have it, since each `=` in a value is escaped.
    out.extend_from_slice(b" arca=");
    escape_cef(line, out);
}

/// `CEF:0|vendor|product|version|event class|name|severity|`
fn header(recorded: &Recorded<'_>, out: &mut Vec<u8>) {
    let kind = text(recorded.kind).unwrap_or_default();
    let operation = text(recorded.request.operation).unwrap_or_default();
    let class = if operation.is_empty() { kind.to_string() } else { format!("{}:{}", *kind, *operation) };
    let name = match recorded.subject() {
        Subject::Log => format!("audit log {}", *kind),
        Subject::Request | Subject::Response if recorded.is_login() => format!("login {}", *kind),
        Subject::Request | Subject::Response => format!("{} {}", *operation, *kind),
    };
    let severity = match recorded.went_well() {
        Some(false) if recorded.is_denied() || recorded.is_login() => "6",
        Some(false) => "4",
        Some(true) | None => "2",
    };
    out.extend_from_slice(b"CEF:0|Arca|arcad|");
    for field in [env!("CARGO_PKG_VERSION"), &class, &name, severity] {
        for c in field.chars() {
            match c {
                '|' => out.extend_from_slice(br"\|"),
                '\\' => out.extend_from_slice(br"\\"),
                // A header has no way to write these.
                c if c.is_control() => out.push(b' '),
                c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        out.push(b'|');
    }
}

fn about(extension: &mut Extension<'_>, recorded: &Recorded<'_>) {
    let (auth, request) = (&recorded.auth, &recorded.request);
    extension.raw("externalId", request.id);
    extension.raw("act", request.operation);
    match recorded.went_well() {
        Some(true) => extension.text("outcome", "success"),
        Some(false) => extension.text("outcome", "failure"),
        None => {}
    }
    extension.raw("reason", recorded.error);
    if let Some(path) = text(request.path) {
        extension.text("request", &format!("/v1/{}", *path));
    }
    match text(request.remote_address).and_then(|address| address.parse().ok()) {
        Some(IpAddr::V4(address)) => extension.text("src", &address.to_string()),
        Some(IpAddr::V6(address)) => {
            extension.text("c6a2Label", "Source IPv6 Address");
            extension.text("c6a2", &address.to_string());
        }
        None => {}
    }
    if let Some(port) = request.remote_port {
        extension.text("spt", port.get());
    }
    extension.raw("suser", auth.display_name);
    extension.raw("suid", auth.entity_id);
    extension.labelled(("cs1Label", "cs1"), "mountPoint", text(request.mount_point));
    extension.labelled(("cs2Label", "cs2"), "mountType", text(request.mount_type));
    extension.labelled(("cs3Label", "cs3"), "namespace", text(request.namespace.path));
    let policies: Option<Vec<String>> = auth.policies.and_then(|raw| serde_json::from_str(raw.get()).ok());
    extension.labelled(("cs4Label", "cs4"), "policies", policies.map(|names| Zeroizing::new(names.join(","))));
    extension.labelled(("cs5Label", "cs5"), "clientToken", text(request.client_token));
    extension.labelled(("cs6Label", "cs6"), "accessor", text(auth.accessor));
}

/// The pairs behind the header.
struct Extension<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl Extension<'_> {
    fn text(&mut self, key: &'static str, value: &str) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b' ');
        }
        self.out.extend_from_slice(key.as_bytes());
        self.out.push(b'=');
        escape_cef(value.as_bytes(), self.out);
    }

    fn raw(&mut self, key: &'static str, value: Option<&RawValue>) {
        if let Some(value) = text(value) {
            self.text(key, &value);
        }
    }

    fn labelled(&mut self, (label, key): (&'static str, &'static str), name: &str, value: Option<Zeroizing<String>>) {
        if let Some(value) = value {
            self.text(label, name);
            self.text(key, &value);
        }
    }
}
