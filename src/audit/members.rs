//! `Members`: the members of a JSON object, written one by one, with what is secret as a device writes it.

use serde::Serialize;

use super::facts::HeaderFacts;
use super::redact::Hasher;

/// How a device writes what is secret.
#[derive(Debug)]
pub(super) struct Redaction {
    pub(super) hasher: Hasher,
    /// Whether accessors are hashed.
    pub(super) hmac_accessor: bool,
    /// Whether nothing is hashed at all.
    pub(super) raw: bool,
}

impl Redaction {
    /// A text that is secret, as JSON; nothing for an empty one.
    pub(super) fn secret(&self, text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        if !text.is_empty() {
            // Room for a hash and its quotes.
            out.reserve(80);
            self.write(text, &mut out);
        }
        out
    }

    /// An accessor, as JSON; nothing for an empty one.
    pub(super) fn accessor(&self, text: &str) -> Vec<u8> {
        match text {
            "" => Vec::new(),
            _ if self.hmac_accessor => self.secret(text),
            _ => to_json(&text),
        }
    }

    fn write(&self, text: &str, out: &mut Vec<u8>) {
        if self.raw {
            return write_json(out, text);
        }
        out.push(b'"');
        self.hasher.append(text.as_bytes(), out);
        out.push(b'"');
    }
}

/// The members of an object that is being written. Empty texts are left out, as in Vault.
pub(super) struct Members<'a> {
    out: &'a mut Vec<u8>,
    redaction: &'a Redaction,
    first: bool,
}

impl<'a> Members<'a> {
    /// Goes on with the members in `out`, which begin an object if there are none.
    pub(super) fn of(out: &'a mut Vec<u8>, redaction: &'a Redaction) -> Self {
        let first = out.is_empty();
        Self { out, redaction, first }
    }

    /// Begins an object behind what is in `out`, which ends in its opening brace.
    pub(super) fn begin(out: &'a mut Vec<u8>, redaction: &'a Redaction) -> Self {
        Self { out, redaction, first: true }
    }

    /// A name of ours, or of a header: neither has anything to escape (RFC 9110, section 5.6.2).
    fn name(&mut self, name: &str) {
        self.out.extend_from_slice(if std::mem::take(&mut self.first) { b"\"" } else { b",\"" });
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// A value that is not secret.
    pub(super) fn plain(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        self.name(name);
        write_json(self.out, value);
    }

    /// A text that is not secret.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.plain(name, text);
        }
    }

    pub(super) fn texts(&mut self, name: &str, texts: &[String]) {
        if !texts.is_empty() {
            self.plain(name, texts);
        }
    }

    /// A text that is hashed.
    pub(super) fn secret(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.name(name);
            self.hashed(text);
        }
    }

    pub(super) fn secrets<'t>(&mut self, name: &str, texts: impl Iterator<Item = &'t str>) {
        self.name(name);
        self.out.push(b'[');
        for (index, text) in texts.enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.hashed(text);
        }
        self.out.push(b']');
    }

    /// An accessor, which is hashed if the device wants it.
    pub(super) fn accessor(&mut self, name: &str, text: &str) {
        self.json_text(name, &self.redaction.accessor(text));
    }

    /// A text that is JSON already.
    pub(super) fn json_text(&mut self, name: &str, json: &[u8]) {
        if !json.is_empty() {
            self.name(name);
            self.out.extend_from_slice(json);
        }
    }

    pub(super) fn header(&mut self, header: &HeaderFacts<'_>) {
        let HeaderFacts { name, values, hashed } = header;
        if *hashed { self.secrets(name, values.iter().copied()) } else { self.plain(name, values) }
    }

    /// JSON text whose strings are hashed.
    pub(super) fn json(&mut self, name: &str, json: &[u8], plain: &[String]) {
        self.name(name);
        if !self.redaction.raw {
            return self.redaction.hasher.redact(json, plain, self.out);
        }
        match serde_json::from_slice::<&serde_json::value::RawValue>(json) {
            // A newline can only stand between its parts.
            Ok(raw) => self.out.extend(raw.get().bytes().map(|byte| if byte < b' ' { b' ' } else { byte })),
            Err(_) => write_json(self.out, &String::from_utf8_lossy(json)),
        }
    }

    /// Members that are already written, each with its comma.
    pub(super) fn more(&mut self, members: &[u8]) {
        self.out.extend_from_slice(if self.first { members.strip_prefix(b",").unwrap_or(members) } else { members });
        self.first &= members.is_empty();
    }

    /// A list of objects.
    pub(super) fn list<T>(&mut self, name: &str, items: &[T], fill: impl Fn(&mut Members<'_>, &T)) {
        self.name(name);
        self.out.push(b'[');
        for (index, item) in items.iter().enumerate() {
            self.out.extend_from_slice(if index > 0 { b",{" } else { b"{" });
            fill(&mut Members { out: self.out, redaction: self.redaction, first: true }, item);
            self.out.push(b'}');
        }
        self.out.push(b']');
    }

    /// An object whose members are already written.
    pub(super) fn verbatim(&mut self, name: &str, members: &[u8]) {
        self.name(name);
        self.out.push(b'{');
        self.out.extend_from_slice(members);
        self.out.push(b'}');
    }

    pub(super) fn nested(&mut self, name: &str, fill: impl FnOnce(&mut Members<'_>)) {
        self.name(name);
        self.out.push(b'{');
        fill(&mut Members { out: self.out, redaction: self.redaction, first: true });
        self.out.push(b'}');
    }

    fn hashed(&mut self, text: &str) {
        self.redaction.write(text, self.out);
    }
}

/// A plain member at the end of a line, unless it is empty.
pub(super) fn member(out: &mut Vec<u8>, name: &str, text: &str) {
    if !text.is_empty() {
        out.push(b',');
        write_json(out, name);
        out.push(b':');
        write_json(out, text);
    }
}

pub(super) fn to_json(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::new();
    write_json(&mut out, value);
    out
}

fn write_json(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    let start = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        // Texts, numbers and maps of texts into memory: it does not happen.
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}
