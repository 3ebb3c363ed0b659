//! One exchange: headers, redirect, retries.

use std::io::Read;
use std::time::Duration;

use arca::secret::SecretBytes;
use ureq::http::{Method, Request, Response, Uri, header};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body};

use super::{Call, Client, Reply, Sender, Sent, failure, tls};
use crate::error::{Error, Exit, Result};

/// The largest body that is read, in bytes.
const MAX_BODY: u64 = 64 << 20;
/// Bytes of a download that are handed on at once.
const PIECE: usize = 64 << 10;

/// How long an answer may take.
#[derive(Clone, Copy)]
enum Patience {
    /// As the operator says, as a whole.
    Usual,
    /// Until it begins as the operator says, and then as long as it comes.
    Download,
}

/// How often a request is tried again, besides the first time.
#[derive(Clone, Copy)]
pub(crate) struct Retries(u32);

impl Retries {
    /// At most so often, and never more than ten times.
    pub(crate) fn at_most(count: u32) -> Self {
        Self(count.min(10))
    }

    /// Whether to try once more after this status. A write is only repeated where the server cannot have done it.
    fn again(self, tried: u32, method: &Method, status: u16, body: &[u8]) -> bool {
        let worth = match status {
            412 | 429 => true,
            501 => false,
            // Sealed is not a passing weakness, and waiting for an operator would only look like a hanging command.
            503 => *method == Method::GET && !contains(body, b"sealed"),
            500.. => *method == Method::GET,
            _ => false,
        };
        worth && tried < self.0
    }
}

impl Default for Retries {
    fn default() -> Self {
        Self(2)
    }
}

impl Client {
    /// Sends a request and takes any answer.
    pub(super) fn exchange(&self, call: Call) -> Result<Reply> {
        let url = self.settings.address.url(call.path, &call.query);
        let body = call.body.as_ref().map(crate::json::Json::compact);
        let body = body.as_ref().map(|text| text.as_bytes());
        if self.settings.print_curl && call.curl {
            return Err(Error::usage(Exit::Success, curl(&call, &url, body)));
        }
        let mut tried = 0;
        loop {
            let mut reply = self.once(&call, &url, body)?;
            if let Some(location) = reply.location.take_if(|_| self.settings.follow_redirect) {
                reply = self.once(&call, &self.redirected(&url, &location)?, body)?;
            }
            if reply.location.is_some() {
                return Err(Error::remote(format!(
                    "{} {url}: the server redirects, and that is not followed.",
                    call.method
                ))
                .advise(
                    "Give the address of the server itself; one redirect is followed without -disable-redirects.",
                ));
            }
            let Answer { status, body: answer, .. } = reply;
            if !self.settings.retries.again(tried, &call.method, status, &answer) {
                let sent = match &call.token {
                    Sender::Nobody => Sent::Anonymous,
                    Sender::Operator if self.token()?.is_none() => Sent::NoToken,
                    Sender::Operator | Sender::Holder(_) => Sent::Token,
                };
                return Ok(Reply { status, body: answer, url, method: call.method, sent });
            }
            tried += 1;
            pause(tried);
        }
    }

    /// Sends a request and hands its answer on as it comes, however long that takes. An answer that does not come whole is
    /// a failure.
    pub(crate) fn download(&self, call: &Call, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let url = self.settings.address.url(call.path, &call.query);
        if self.settings.print_curl && call.curl {
            return Err(Error::usage(Exit::Success, curl(call, &url, None)));
        }
        let unreachable =
            |error: ureq::Error| failure::of_transport(&error, &call.method, &url, &self.settings.address);
        let mut response = self.begin(call, &url, None, Patience::Download)?;
        if response.status().as_u16() != 200 {
            let Answer { status, body, .. } = Answer::read(response).map_err(unreachable)?;
            let sent = if self.token()?.is_none() { Sent::NoToken } else { Sent::Token };
            let reply = Reply { status, body, url: url.clone(), method: call.method.clone(), sent };
            return Err(failure::of_reply(&reply, &self.settings.namespace));
        }
        let mut reader = response.body_mut().as_reader();
        let mut piece = vec![0; PIECE];
        loop {
            let count = reader.read(&mut piece).map_err(|error| unreachable(ureq::Error::Io(error)))?;
            if count == 0 {
                return Ok(());
            }
            take(piece.get(..count).unwrap_or_default())?;
        }
    }

    fn once(&self, call: &Call, url: &str, body: Option<&[u8]>) -> Result<Answer> {
        let unreachable = |error: ureq::Error| failure::of_transport(&error, &call.method, url, &self.settings.address);
        Answer::read(self.begin(call, url, body, Patience::Usual)?).map_err(unreachable)
    }

    /// Sends a request, and gives the answer as soon as it begins.
    fn begin(&self, call: &Call, url: &str, body: Option<&[u8]>, patience: Patience) -> Result<Response<Body>> {
        let unreachable = |error: ureq::Error| failure::of_transport(&error, &call.method, url, &self.settings.address);
        let agent = self.agent()?;
        let (sent_url, host) = self.named_url(url)?;
        let mut request = Request::builder().method(call.method.clone()).uri(&sent_url);
        if let Some(host) = host {
            request = request.header(header::HOST, host);
        }
        for (name, value) in self.headers(call)? {
            request = request.header(name, value);
        }
        let malformed = |_| {
            Error::local("A header has a character that headers cannot have.")
                .advise("Check the token, the namespace and -header for line breaks.")
        };
        let response = match (body, patience) {
            (Some(body), _) => agent.run(request.body(body).map_err(malformed)?),
            (None, Patience::Usual) => agent.run(request.body(()).map_err(malformed)?),
            (None, Patience::Download) => {
                let configured = agent.configure_request(request.body(()).map_err(malformed)?);
                let timeout = Some(self.settings.timeout);
                let configured = configured.timeout_global(None).timeout_connect(timeout);
                agent.run(configured.timeout_recv_response(timeout).build())
            }
        };
        response.map_err(unreachable)
    }

    fn headers(&self, call: &Call) -> Result<Vec<(String, String)>> {
        let mut headers = vec![("X-Vault-Request".to_owned(), "true".to_owned())];
        let mut add = |name: &str, value: &str| headers.push((name.to_owned(), value.to_owned()));
        let token = match &call.token {
            Sender::Operator => self.token()?,
            Sender::Nobody => None,
            Sender::Holder(token) => Some(*token),
        };
        if let Some(token) = token {
            add("X-Vault-Token", token.expose());
        }
        if !self.settings.namespace.is_empty() {
            add("X-Vault-Namespace", &format!("{}/", self.settings.namespace));
        }
        if let Some(ttl) = self.settings.wrap_ttl.as_deref().filter(|_| call.wrapped) {
            add("X-Vault-Wrap-TTL", ttl);
        }
        if call.body.is_some() {
            add("Content-Type", if call.merge_patch { "application/merge-patch+json" } else { "application/json" });
        }
        headers.extend(self.settings.headers.iter().cloned());
        Ok(headers)
    }

    /// The URL to connect with, and the host to name in it: with a TLS server name, the URL has that name.
    fn named_url(&self, url: &str) -> Result<(String, Option<String>)> {
        let Some(name) = &self.settings.tls.server_name else { return Ok((url.to_owned(), None)) };
        let uri: Uri = url.parse().map_err(|_| Error::local("The URL cannot be read.").advise("Check the path."))?;
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok((format!("{}://{name}{port}{path}", uri.scheme_str().unwrap_or("https")), Some(authority)))
    }

    /// Where a redirect leads, if that is no step down from https to http.
    fn redirected(&self, from: &str, location: &str) -> Result<String> {
        let target =
            if location.starts_with('/') { format!("{}{location}", origin(from)) } else { location.to_owned() };
        if self.settings.address.is_tls() && !target.starts_with("https:") {
            return Err(Error::remote("The server redirects to an address without TLS, which is refused.")
                .advise("Check the server's api_addr, or whether something else answered in its place."));
        }
        Ok(target)
    }

    fn agent(&self) -> Result<&Agent> {
        if let Some(agent) = self.agent.get() {
            return Ok(agent);
        }
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("arca/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(self.settings.timeout));
        if self.settings.address.is_tls() {
            config = config.tls_config(self.settings.tls.config()?);
        }
        let agent = match self.pinned()? {
            Some(pinned) => Agent::with_parts(config.proxy(None).build(), DefaultConnector::default(), pinned),
            None => config.build().new_agent(),
        };
        Ok(self.agent.get_or_init(|| agent))
    }

    fn pinned(&self) -> Result<Option<tls::Pinned>> {
        let Some(name) = &self.settings.tls.server_name else { return Ok(None) };
        tls::check_server_name(name)?;
        let uri: Uri = self.settings.address.as_str().parse().unwrap_or_default();
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = uri.port_u16().unwrap_or(if self.settings.address.is_tls() { 443 } else { 80 });
        Ok(Some(tls::Pinned { host, port }))
    }
}

/// What came back over the wire.
struct Answer {
    status: u16,
    location: Option<String>,
    body: SecretBytes,
}

impl Answer {
    fn read(mut response: Response<Body>) -> Result<Self, ureq::Error> {
        let status = response.status().as_u16();
        let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        let location = location.filter(|_| matches!(status, 301 | 302 | 307 | 308)).map(str::to_owned);
        let body = response.body_mut().with_config().limit(MAX_BODY).read_to_vec()?;
        Ok(Self { status, location, body: SecretBytes::new(body) })
    }
}

/// The scheme and authority of a URL.
fn origin(url: &str) -> &str {
    let after = url.find("://").map_or(0, |index| index + 3);
    let end = url.get(after..).and_then(|rest| rest.find('/')).map_or(url.len(), |index| after + index);
    url.get(..end).unwrap_or(url)
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server asked for time between two tries, and there is nothing to wait for"
)]
fn pause(tried: u32) {
    std::thread::sleep(Duration::from_millis(500 + 500 * u64::from(tried)));
}

/// The request as a curl command; the token is left to the shell.
fn curl(call: &Call, url: &str, body: Option<&[u8]>) -> String {
    let mut command = "curl".to_owned();
    if call.method != Method::GET {
        command.push_str(&format!(" -X {}", call.method));
    }
    command.push_str(" -H \"X-Vault-Request: true\"");
    if call.merge_patch {
        command.push_str(" -H \"Content-Type: application/merge-patch+json\"");
    }
    if matches!(call.token, Sender::Operator) {
        command.push_str(" -H \"X-Vault-Token: $(arca print token)\"");
    }
    if let Some(body) = body {
        let body = String::from_utf8_lossy(body).replace('\'', "'\"'\"'");
        command.push_str(&format!(" -d '{body}'"));
    }
    format!("{command} \"{url}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_repeated_only_where_they_cannot_have_happened() {
        let retries = Retries::default();
        assert!(retries.again(0, &Method::PUT, 429, b""));
        assert!(retries.again(1, &Method::POST, 412, b""));
        assert!(!retries.again(0, &Method::PUT, 500, b""));
        assert!(retries.again(0, &Method::GET, 502, b""));
        assert!(!retries.again(0, &Method::GET, 501, b""));
        assert!(!retries.again(0, &Method::GET, 503, br#"{"errors":["Vault is sealed"]}"#));
        assert!(!retries.again(2, &Method::GET, 502, b""));
        assert!(!retries.again(0, &Method::GET, 404, b""));
        assert!(Retries::at_most(1_000_000).again(9, &Method::GET, 500, b""));
        assert!(!Retries::at_most(1_000_000).again(10, &Method::GET, 500, b""));
    }

    #[test]
    fn the_origin_is_what_stands_before_the_path() {
        assert_eq!(origin("https://a:1/v1/x"), "https://a:1");
        assert_eq!(origin("https://a:1"), "https://a:1");
    }

    #[test]
    fn a_printed_request_does_not_have_the_token_in_it() {
        let call = Call::put("a").body(crate::json::Json::map([("k", crate::json::Json::text("it's"))]));
        let line = curl(&call, "http://x/v1/a", Some(b"{\"k\":\"it's\"}"));
        assert!(line.contains("$(arca print token)") && line.contains("it'\"'\"'s"), "{line}");
    }
}
