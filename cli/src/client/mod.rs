//! The client: one request at a time over HTTP/1.1, TLS if the address says https.

pub(crate) mod address;
mod failure;
mod secret;
mod tls;
mod wire;

use std::cell::OnceCell;
use std::time::Duration;

use arca::secret::{ClientToken, SecretBytes};
use ureq::Agent;
use ureq::http::Method;

use crate::error::{Error, Result};
use crate::json::Json;
use crate::token_helper::TokenHelper;

pub(crate) use address::Address;
pub(crate) use secret::Secret;
pub(crate) use tls::TlsSettings;
pub(crate) use wire::Retries;

/// What the command line and the environment say about the server and about this client.
pub(crate) struct Settings {
    /// Where the server is.
    pub(crate) address: Address,
    /// How to know it, and how to be known by it.
    pub(crate) tls: TlsSettings,
    /// The namespace, without slashes at its ends; empty for the root.
    pub(crate) namespace: String,
    /// How long answers are to be wrapped.
    pub(crate) wrap_ttl: Option<String>,
    /// Headers to send along.
    pub(crate) headers: Vec<(String, String)>,
    /// How long one request may take.
    pub(crate) timeout: Duration,
    /// How often a request is tried again.
    pub(crate) retries: Retries,
    /// Whether one redirect is followed.
    pub(crate) follow_redirect: bool,
    /// The token of the environment.
    pub(crate) token: Option<ClientToken>,
    /// Where the token of `arca login` is.
    pub(crate) helper: TokenHelper,
    /// Whether the operator may be asked.
    pub(crate) interactive: bool,
    /// Print requests instead of sending them.
    pub(crate) print_curl: bool,
}

/// One request.
pub(crate) struct Call<'a> {
    method: Method,
    path: &'a str,
    query: Vec<(String, String)>,
    body: Option<Json>,
    merge_patch: bool,
    wrapped: bool,
    curl: bool,
    token: Sender<'a>,
}

/// Whose token a request carries.
enum Sender<'a> {
    /// The operator's, if there is one.
    Operator,
    /// None.
    Nobody,
    /// This one.
    Holder(&'a ClientToken),
}

impl<'a> Call<'a> {
    /// A request of this method to this path.
    pub(crate) fn new(method: Method, path: &'a str) -> Self {
        let (query, token) = (Vec::new(), Sender::Operator);
        Self { method, path, query, body: None, merge_patch: false, wrapped: true, curl: true, token }
    }

    /// A read.
    pub(crate) fn get(path: &'a str) -> Self {
        Self::new(Method::GET, path)
    }

    /// A write, as Vault's own commands send most of them.
    pub(crate) fn put(path: &'a str) -> Self {
        Self::new(Method::PUT, path)
    }

    /// A write, as Vault's own commands send the others.
    pub(crate) fn post(path: &'a str) -> Self {
        Self::new(Method::POST, path)
    }

    /// A deletion.
    pub(crate) fn delete(path: &'a str) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// A list, which is a GET with `list=true`.
    pub(crate) fn list(path: &'a str) -> Self {
        Self::get(path).query("list", "true")
    }

    /// A merge patch (RFC 7396).
    pub(crate) fn patch(path: &'a str) -> Self {
        Self { merge_patch: true, ..Self::new(Method::PATCH, path) }
    }

    /// With this in the query.
    pub(crate) fn query(mut self, key: &str, value: impl Into<String>) -> Self {
        self.query.push((key.to_owned(), value.into()));
        self
    }

    /// With all of these in the query: the members of a map.
    pub(crate) fn queries(mut self, members: &Json) -> Self {
        for (key, value) in members.sorted_members() {
            let single = std::slice::from_ref(value);
            let values = if value.items().is_empty() { single } else { value.items() };
            for value in values {
                let text = value.as_text().map_or_else(|| value.compact().to_string(), str::to_owned);
                self.query.push((key.to_owned(), text));
            }
        }
        self
    }

    /// With this body.
    pub(crate) fn body(mut self, body: Json) -> Self {
        self.body = Some(body);
        self
    }

    /// Never wrapped, whatever the operator asked for.
    pub(crate) fn unwrapped(mut self) -> Self {
        self.wrapped = false;
        self
    }

    /// Sent even where requests are only to be printed, since the request to print depends on its answer.
    pub(crate) fn preliminary(mut self) -> Self {
        self.curl = false;
        self.unwrapped()
    }

    /// Without a token.
    pub(crate) fn anonymous(mut self) -> Self {
        self.token = Sender::Nobody;
        self
    }

    /// With this token in place of the operator's.
    pub(crate) fn with_token(mut self, token: &'a ClientToken) -> Self {
        self.token = Sender::Holder(token);
        self
    }
}

/// An answer: its status and its body.
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: SecretBytes,
    url: String,
    method: Method,
    sent: Sent,
}

/// What a request said about who sends it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    /// A token.
    Token,
    /// Nothing, since there is no token.
    NoToken,
    /// Nothing, since none is needed.
    Anonymous,
}

/// The client.
pub(crate) struct Client {
    settings: Settings,
    agent: OnceCell<Agent>,
    helped: OnceCell<Option<ClientToken>>,
}

impl Client {
    /// A client that will connect when it is first needed.
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, agent: OnceCell::new(), helped: OnceCell::new() }
    }

    /// What it was told.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The operator's token: the environment's, else the stored one.
    pub(crate) fn token(&self) -> Result<Option<&ClientToken>> {
        if let Some(token) = &self.settings.token {
            return Ok(Some(token));
        }
        if self.helped.get().is_none() {
            let stored = self.settings.helper.load()?;
            return Ok(self.helped.get_or_init(|| stored).as_ref());
        }
        Ok(self.helped.get().and_then(Option::as_ref))
    }

    /// Sends a request; any answer that is not an error is one.
    pub(crate) fn send(&self, call: Call) -> Result<Reply> {
        let reply = self.exchange(call)?;
        if reply.status >= 400 { Err(failure::of_reply(&reply, &self.settings.namespace)) } else { Ok(reply) }
    }

    /// Sends a request and reads the answer as JSON; null if it is empty. Some paths answer plainly in one version of
    /// the API and in an envelope in another: then this is what is in the envelope.
    pub(crate) fn call_json(&self, call: Call) -> Result<Json> {
        let mut json = self.send(call)?.json()?;
        let enveloped = json.at("request_id").is_some() && json.some("data").is_some();
        Ok(if enveloped { json.take("data") } else { json })
    }

    /// Sends a request and reads the answer as Vault's envelope; nothing if it is empty.
    pub(crate) fn call(&self, call: Call) -> Result<Option<Secret>> {
        let reply = self.send(call)?;
        if reply.body.is_empty() { Ok(None) } else { reply.json().map(|json| Some(Secret::of(json))) }
    }

    /// The same for reads and lists: a 404 that carries no error is nothing, or what little it carries.
    pub(crate) fn fetch(&self, call: Call) -> Result<Option<Secret>> {
        let reply = self.exchange(call)?;
        if reply.status == 404 {
            let json = reply.json().unwrap_or(Json::Null);
            if json.at("errors").is_some_and(|errors| !errors.items().is_empty()) {
                return Err(failure::of_reply(&reply, &self.settings.namespace));
            }
            let told = json.some("data").is_some() || json.some("warnings").is_some();
            return Ok(told.then(|| Secret::of(json)));
        }
        if reply.status >= 400 {
            return Err(failure::of_reply(&reply, &self.settings.namespace));
        }
        if reply.body.is_empty() { Ok(None) } else { reply.json().map(|json| Some(Secret::of(json))) }
    }

    /// Sends a request and gives the body as it came.
    pub(crate) fn fetch_raw(&self, call: Call) -> Result<SecretBytes> {
        self.send(call).map(|reply| reply.body)
    }
}

impl Reply {
    /// The body as JSON; null if it is empty.
    pub(crate) fn json(&self) -> Result<Json> {
        if self.body.is_empty() {
            return Ok(Json::Null);
        }
        let parsed = std::str::from_utf8(&self.body).map_err(|_| "it is not text".to_owned()).and_then(Json::parse);
        parsed.map_err(|reason| {
            Error::remote(format!("The answer to {} {} cannot be read: {reason}", self.method, self.url))
                .advise("Check that the address is a vault's; something between may have answered in its place.")
        })
    }
}
