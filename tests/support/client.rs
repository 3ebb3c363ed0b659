//! A client of the HTTP API, over TLS with a certificate of its own.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use serde_json::Value;
use ureq::http::{HeaderMap, Request};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsProvider};

/// Asks a server. Each clone has the same connections.
#[derive(Clone)]
pub(crate) struct Client {
    agent: ureq::Agent,
    base: String,
    token: Option<String>,
    headers: Vec<(String, String)>,
}

/// What the server said.
#[derive(Debug)]
pub(crate) struct Answer {
    line: String,
    /// The status.
    pub(crate) status: u16,
    /// The body.
    pub(crate) text: String,
    /// The headers.
    pub(crate) headers: HeaderMap,
}

impl Client {
    /// The public key that the audit logs verify with.
    pub(crate) fn audit_key(&self) -> String {
        self.get("sys/config/auditing/public-key").data()["public_key"].as_str().unwrap().to_owned()
    }

    /// A client that trusts the authority `ca` and shows `certificate` (with its key), all in PEM.
    pub(crate) fn new(address: SocketAddr, ca: &str, certificate: Option<(&str, &str)>) -> Self {
        let root = Certificate::from_pem(ca.as_bytes()).unwrap();
        let shown = certificate.map(|(certificate, key)| {
            let chain = [Certificate::from_pem(certificate.as_bytes()).unwrap()];
            ClientCert::new_with_certs(&chain, PrivateKey::from_pem(key.as_bytes()).unwrap())
        });
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
            .root_certs(RootCerts::Specific(Arc::new(vec![root])))
            .client_cert(shown)
            .build();
        let config = ureq::Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(Duration::from_mins(1)))
            .proxy(None);
        let agent = ureq::Agent::new_with_config(config.build());
        Self { agent, base: format!("https://{address}"), token: None, headers: Vec::new() }
    }

    /// The same with a token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same without a token.
    pub(crate) fn anonymous(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// The same with this header, and no other of its name.
    pub(crate) fn with_header(&self, name: &str, value: &str) -> Self {
        let mut headers = self.headers.clone();
        headers.retain(|(other, _)| other != name);
        headers.push((name.to_owned(), value.to_owned()));
        Self { headers, ..self.clone() }
    }

    /// The token that it uses.
    pub(crate) fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// Sends a request below `/v1/`, or says why it did not come through.
    pub(crate) fn try_send(&self, method: &str, path: &str, body: Option<&[u8]>) -> Result<Answer, ureq::Error> {
        let url =
            if path.starts_with('/') { format!("{}{path}", self.base) } else { format!("{}/v1/{path}", self.base) };
        let mut request = Request::builder().method(method).uri(url).header("x-vault-request", "true");
        if let Some(token) = &self.token {
            request = request.header("x-vault-token", token);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if method == "PATCH" {
            request = request.header("content-type", "application/merge-patch+json");
        }
        let response = match body {
            Some(body) => self.agent.run(request.body(body)?)?,
            None => self.agent.run(request.body(())?)?,
        };
        let (parts, mut body) = response.into_parts();
        let bytes = body.with_config().limit(64 << 20).read_to_vec()?;
        // A backup is no text; who looks at it as one sees that something came.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Answer { line: format!("{method} {path}"), status: parts.status.as_u16(), text, headers: parts.headers })
    }

    /// Sends a request, which must come through.
    #[track_caller]
    pub(crate) fn send(&self, method: &str, path: &str, body: Option<&[u8]>) -> Answer {
        self.try_send(method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// `GET`.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    /// `GET` of what is no text: the status, the media type and the body.
    #[track_caller]
    pub(crate) fn bytes(&self, path: &str) -> (u16, String, Vec<u8>) {
        let request = Request::builder().uri(format!("{}/v1/{path}", self.base));
        let request = request.header("x-vault-token", self.token()).body(()).unwrap();
        let (parts, mut body) = self.agent.run(request).unwrap().into_parts();
        let media_type = parts.headers["content-type"].to_str().unwrap().to_owned();
        let bytes = body.with_config().limit(1 << 30).read_to_vec().unwrap();
        (parts.status.as_u16(), media_type, bytes)
    }

    /// `LIST`.
    #[track_caller]
    pub(crate) fn list(&self, path: &str) -> Answer {
        self.send("LIST", path, None)
    }

    /// `DELETE`.
    #[track_caller]
    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None)
    }

    /// `POST`.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "callers write the body where they send it")]
    pub(crate) fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body.to_string().as_bytes()))
    }

    /// `PATCH`, a merge patch (RFC 7396).
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "callers write the body where they send it")]
    pub(crate) fn patch(&self, path: &str, body: Value) -> Answer {
        self.send("PATCH", path, Some(body.to_string().as_bytes()))
    }
}

impl Answer {
    /// It must have this status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.line, self.text);
        self
    }

    /// It must be a success.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert!((200..300).contains(&self.status), "{}: {} {}", self.line, self.status, self.text);
        self
    }

    /// It must have this status, and an error that has `text` in it.
    #[track_caller]
    pub(crate) fn refuses(self, status: u16, text: &str) -> Self {
        let answer = self.is(status);
        let errors = answer.json()["errors"].to_string();
        assert!(errors.contains(text), "{}: no {text:?} in {errors}", answer.line);
        answer
    }

    /// The body.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{}: {error}: {}", self.line, self.text))
    }

    /// The `data` of a success.
    #[track_caller]
    pub(crate) fn data(self) -> Value {
        self.ok().json()["data"].take()
    }

    /// The `auth` of a success.
    #[track_caller]
    pub(crate) fn auth(self) -> Value {
        let auth = self.ok().json()["auth"].take();
        assert!(auth.is_object(), "no auth");
        auth
    }

    /// The token of a login.
    #[track_caller]
    pub(crate) fn issued(self) -> String {
        text_at(&self.auth(), "client_token")
    }
}

/// The text of a field.
#[track_caller]
pub(crate) fn text_at(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no text at {field}: {value}")).to_owned()
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.base).finish_non_exhaustive()
    }
}
