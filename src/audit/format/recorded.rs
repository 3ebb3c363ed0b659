//! A recorded line, read back: the values stay the JSON texts that they are.

use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// A value as it stands on the line.
type Raw<'a> = Option<&'a RawValue>;

/// A line about a request or a response, a checkpoint, or a resume line.
#[derive(Deserialize)]
pub(super) struct Recorded<'a> {
    #[serde(borrow)]
    pub(super) time: Raw<'a>,
    #[serde(rename = "type", borrow)]
    pub(super) kind: Raw<'a>,
    #[serde(default, borrow)]
    pub(super) auth: Caller<'a>,
    #[serde(default, borrow)]
    pub(super) request: Request<'a>,
    #[serde(borrow)]
    pub(super) response: Option<Response<'a>>,
    #[serde(borrow)]
    pub(super) error: Raw<'a>,
}

/// Who asks.
#[derive(Default, Deserialize)]
pub(super) struct Caller<'a> {
    #[serde(borrow)]
    pub(super) accessor: Raw<'a>,
    #[serde(borrow)]
    pub(super) display_name: Raw<'a>,
    #[serde(borrow)]
    pub(super) entity_id: Raw<'a>,
    #[serde(borrow)]
    pub(super) policies: Raw<'a>,
    #[serde(borrow)]
    pub(super) policy_results: Option<Decision<'a>>,
}

/// What the policies say.
#[derive(Deserialize)]
pub(super) struct Decision<'a> {
    pub(super) allowed: bool,
    #[serde(default, borrow)]
    pub(super) granting_policies: Vec<Granting<'a>>,
}

/// A policy that allows the request.
#[derive(Deserialize)]
pub(super) struct Granting<'a> {
    #[serde(borrow)]
    pub(super) name: Raw<'a>,
}

/// What is asked for.
#[derive(Default, Deserialize)]
pub(super) struct Request<'a> {
    #[serde(borrow)]
    pub(super) id: Raw<'a>,
    #[serde(borrow)]
    pub(super) client_token: Raw<'a>,
    #[serde(borrow)]
    pub(super) client_token_accessor: Raw<'a>,
    #[serde(borrow)]
    pub(super) operation: Raw<'a>,
    #[serde(borrow)]
    pub(super) path: Raw<'a>,
    #[serde(default, borrow)]
    pub(super) namespace: Namespace<'a>,
    #[serde(borrow)]
    pub(super) remote_address: Raw<'a>,
    #[serde(borrow)]
    pub(super) remote_port: Raw<'a>,
    #[serde(borrow)]
    pub(super) client_certificate_serial_number: Raw<'a>,
    #[serde(borrow)]
    pub(super) mount_point: Raw<'a>,
    #[serde(borrow)]
    pub(super) mount_type: Raw<'a>,
    #[serde(borrow)]
    pub(super) mount_class: Raw<'a>,
}

/// Where.
#[derive(Default, Deserialize)]
pub(super) struct Namespace<'a> {
    #[serde(borrow)]
    pub(super) path: Raw<'a>,
}

/// What it came to.
#[derive(Deserialize)]
pub(super) struct Response<'a> {
    #[serde(borrow)]
    pub(super) auth: Option<Issued<'a>>,
}

/// A token that was made.
#[derive(Deserialize)]
pub(super) struct Issued<'a> {
    #[serde(borrow)]
    pub(super) accessor: Raw<'a>,
}

/// What a line is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// A request, before it is carried out.
    Request,
    /// What it came to.
    Response,
    /// The log itself: a checkpoint, or a resume line.
    Log,
}

/// What is done to what the path names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Create,
    Read,
    Update,
    Delete,
    Other,
}

impl Recorded<'_> {
    pub(super) fn subject(&self) -> Subject {
        match self.kind.map(RawValue::get) {
            Some("\"request\"") => Subject::Request,
            Some("\"response\"") => Subject::Response,
            Some(_) | None => Subject::Log,
        }
    }

    pub(super) fn act(&self) -> Act {
        match self.request.operation.map(RawValue::get) {
            Some("\"create\"") => Act::Create,
            Some("\"read\"" | "\"list\"" | "\"scan\"" | "\"help\"") => Act::Read,
            Some("\"update\"" | "\"patch\"") => Act::Update,
            Some("\"delete\"") => Act::Delete,
            Some(_) | None => Act::Other,
        }
    }

    /// Whether someone asks an auth method who has not shown a token that is good: a login, or what looks like one.
    pub(super) fn is_login(&self) -> bool {
        self.request.mount_class.map(RawValue::get) == Some("\"auth\"") && self.request.client_token_accessor.is_none()
    }

    /// Whether policies do not allow it.
    pub(super) fn is_denied(&self) -> bool {
        self.auth.policy_results.as_ref().is_some_and(|decision| !decision.allowed)
    }

    /// Whether it went well; nothing as long as that is not known.
    pub(super) fn went_well(&self) -> Option<bool> {
        match self.subject() {
            _ if self.error.is_some() => Some(false),
            Subject::Request => None,
            Subject::Response | Subject::Log => Some(true),
        }
    }
}

/// What a JSON text between quotes says; nothing for what is none. Wiped: a raw device has secrets on its lines.
pub(super) fn text(raw: Option<&RawValue>) -> Option<Zeroizing<String>> {
    serde_json::from_str(raw?.get()).ok().map(Zeroizing::new)
}

/// The milliseconds since 1970-01-01T00:00:00Z of a time on a line; 0 for what is none.
pub(super) fn milliseconds(time: Option<&RawValue>) -> i64 {
    let time = text(time).and_then(|time| crate::time::Timestamp::parse(&time));
    time.map_or(0, |time| time.unix_nanos().div_euclid(1_000_000))
}

/// The members of a JSON object that is being written, without its braces.
pub(super) struct Object<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl<'o> Object<'o> {
    /// Begins an object.
    pub(super) fn begin(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true }
    }

    /// A value as it is.
    pub(super) fn raw(&mut self, name: &'static str, value: &str) {
        self.name(name);
        self.out.extend_from_slice(value.as_bytes());
    }

    /// A value as it is, if there is one.
    pub(super) fn some(&mut self, name: &'static str, value: Option<&RawValue>) {
        if let Some(value) = value {
            self.raw(name, value.get());
        }
    }

    /// One of our own words.
    pub(super) fn word(&mut self, name: &'static str, word: &str) {
        self.name(name);
        self.out.push(b'"');
        self.out.extend_from_slice(word.as_bytes());
        self.out.push(b'"');
    }

    /// One of our own words before a text.
    pub(super) fn behind(&mut self, name: &'static str, before: &str, text: Option<&RawValue>) {
        if let Some(inside) = text.and_then(|text| text.get().strip_prefix('"')) {
            self.name(name);
            self.out.push(b'"');
            self.out.extend_from_slice(before.as_bytes());
            self.out.extend_from_slice(inside.as_bytes());
        }
    }

    /// A number.
    pub(super) fn number(&mut self, name: &'static str, number: i64) {
        self.raw(name, &number.to_string());
    }

    /// An object in this one.
    pub(super) fn nested(&mut self, name: &'static str, fill: impl FnOnce(&mut Object<'_>)) {
        self.name(name);
        let mut object = Object::begin(self.out);
        fill(&mut object);
        self.out.push(b'}');
    }

    /// A list of one object.
    pub(super) fn list_of(&mut self, name: &'static str, fill: impl FnOnce(&mut Object<'_>)) {
        self.name(name);
        self.out.push(b'[');
        let mut object = Object::begin(self.out);
        fill(&mut object);
        self.out.extend_from_slice(b"}]");
    }

    /// The recorded line: an object that is still to be closed.
    pub(super) fn recorded(&mut self, name: &'static str, line: &[u8]) {
        self.name(name);
        self.out.extend_from_slice(line);
        self.out.push(b'}');
    }

    fn name(&mut self, name: &'static str) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }
}
