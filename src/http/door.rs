//! The door: an HTTP request becomes a [`Request`], whose answer becomes an HTTP response.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body as HttpBody;
use axum::extract::State;
use axum::response::Response as HttpResponse;
use http::{HeaderMap, HeaderValue, Method, Version, header};

use crate::api::{ApiPath, Operation, ROOT_NAMESPACE, Ttl};
use crate::config::{ForwardedFor, Limits, Listener};
use crate::engine::{Body, Client, SeenHeaders};
use crate::error::{Error, Kind, Result};
use crate::pipeline::{Audited, AuditedHeader, Pipeline, Request};
use crate::secret::ClientToken;

use super::cors::{self, CrossOrigin};
use super::json::JsonLimits;
use super::path::{Place, place};
use super::{body, query, reply};

/// The path whose success ends the connection.
const SEAL: &str = "sys/seal";
/// The header that names the namespace of a request.
const NAMESPACE: &str = "x-vault-namespace";
/// The most bytes of a body that is read although its request may come too early.
const SMALL_BODY: u64 = 16 * 1024;
/// The path of the metrics.
const METRICS: &str = "sys/metrics";

/// What every request of a listener shares.
#[derive(Clone, Debug)]
pub(super) struct Door {
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) listener: Arc<Listener>,
}

/// The other end of a connection.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    pub(super) certificates: Arc<[Vec<u8>]>,
}

/// Answers one request.
pub(super) async fn answer(
    State(door): State<Door>,
    axum::Extension(peer): axum::Extension<Peer>,
    request: http::Request<HttpBody>,
) -> HttpResponse {
    let over_tls = door.listener.tls.is_some();
    let (parts, http_body) = request.into_parts();
    let crossing = match cors::origin(&door.pipeline, &parts.headers) {
        Ok(crossing) => crossing,
        Err(error) => return reply::refusal(&error, over_tls),
    };
    let preflight = crossing.is_some() && CrossOrigin::is_preflight(&parts.method);
    let mut response =
        if preflight { reply::preflight(over_tls) } else { door.respond(&parts, peer, http_body, over_tls).await };
    if let Some(crossing) = crossing {
        crossing.allow(&mut response, preflight);
    }
    // Clients tell their user where the request went, above all when it was refused.
    if let Some(named) = parts.headers.get(NAMESPACE).filter(|named| !named.is_empty()) {
        response.headers_mut().insert(NAMESPACE, named.clone());
    }
    door.pipeline.vault().parts().metrics.requests.answered(response.status().as_u16());
    response
}

impl Door {
    async fn respond(
        &self,
        parts: &http::request::Parts,
        peer: Peer,
        http_body: HttpBody,
        over_tls: bool,
    ) -> HttpResponse {
        let path = match place(parts.uri.path()) {
            Ok(Place::Api(path)) => Ok(path),
            Ok(Place::Elsewhere(to)) => return reply::redirect(&to, parts.uri.query(), over_tls),
            Ok(Place::Nowhere) => return reply::refusal(&Error::absent(), over_tls),
            Err(error) => Err(error),
        };
        if self.listener.unauthenticated.metrics && path.as_ref().is_ok_and(|path| path.as_str() == METRICS) {
            return reply::response(self.scrape(parts), parts.method == Method::HEAD, over_tls);
        }
        // All connections end when the vault is sealed. A client that knows of it does not send its next request into
        // one that is about to.
        let hangs_up = path.as_ref().is_ok_and(|path| path.as_str() == SEAL);
        // A request that cannot be told is a read that is refused: what someone tried is on record too.
        let asked = operation(&parts.method, parts.uri.query().unwrap_or_default(), &path);
        let (operation, fault) = match asked {
            Ok(Some(operation)) => (operation, None),
            Ok(None) => (Operation::Read, Some(unknown(&parts.method))),
            Err(error) => (Operation::Read, Some(error)),
        };
        let audited = match self.request(parts, (operation, fault), path, peer, http_body).await {
            Ok(request) => self.limited(request).await,
            Err(error) => Audited::failure(&error),
        };
        let mut response = reply::response(audited, parts.method == Method::HEAD, over_tls);
        if hangs_up && response.status().is_success() && parts.version <= Version::HTTP_11 {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// The metrics, for everyone.
    fn scrape(&self, parts: &http::request::Parts) -> Audited {
        if parts.method != Method::GET {
            return Audited::failure(&Error::without_message(Kind::MethodNotAllowed));
        }
        if namespace(&parts.headers).ok().is_none_or(|namespace| !namespace.is_empty()) {
            return Audited::failure(&Error::invalid("operation unavailable in namespaces"));
        }
        let format = query::value(parts.uri.query().unwrap_or_default(), "format").unwrap_or_default();
        self.pipeline.scrape(&format, text(&parts.headers, header::ACCEPT.as_str()).unwrap_or_default())
    }

    /// The request. What is wrong with it is found before anyone acts on it, and goes with it to the audit log. The body of
    /// one that comes too early is not read.
    async fn request(
        &self,
        parts: &http::request::Parts,
        (operation, fault): (Operation, Option<Error>),
        path: Result<ApiPath>,
        peer: Peer,
        http_body: HttpBody,
    ) -> Result<Request> {
        let id = self.pipeline.vault().parts().entropy.uuid()?;
        let mut faults = Vec::from_iter(fault);
        let address = client_address(&self.listener.forwarded_for, &parts.headers, peer.address.ip());
        let address = or_fault(address, &mut faults);
        let namespace = or_fault(namespace(&parts.headers), &mut faults);
        let wrap_ttl = or_fault(wrap_ttl(&parts.headers), &mut faults);
        let path = or_fault(path, &mut faults);
        let client = Client {
            address: Some(address.unwrap_or(peer.address.ip()).to_canonical()),
            port: peer.address.port(),
            certificates: peer.certificates,
            headers: seen_headers(&parts.headers),
        };
        let mut request = Request {
            id,
            operation,
            namespace,
            path: spelling(path, operation),
            token: token(&parts.headers),
            body: Body::default(),
            client,
            wrap_ttl,
            headers: self.audited_headers(&parts.headers),
            fault: None,
            counted: None,
        };
        // A small body is read in any case, and the request counted on its way: what is left unread ends the connection.
        let is_small = axum::body::HttpBody::size_hint(&http_body).upper().is_some_and(|size| size <= SMALL_BODY);
        if is_small || !self.pipeline.count_head(&mut request) {
            request.body = or_fault(self.content(parts, operation, http_body).await, &mut faults);
        }
        request.fault = faults.into_iter().next();
        Ok(request)
    }

    /// The body of a write, the query of anything else.
    async fn content(&self, parts: &http::request::Parts, operation: Operation, body: HttpBody) -> Result<Body> {
        let Limits { request_size, json_strings, json_memory, json_depth, .. } = self.listener.limits;
        let bytes = body::read(body, request_size, self.listener.timeouts.read).await?;
        let media_type = text(&parts.headers, header::CONTENT_TYPE.as_str());
        match operation {
            Operation::Write | Operation::Patch => {
                if operation == Operation::Patch && !is_merge_patch(media_type) {
                    let message =
                        "PATCH requires Content-Type of application/merge-patch+json, provided type not supported";
                    return Err(Error::new(Kind::UnsupportedMediaType, message));
                }
                let limits = JsonLimits { strings: json_strings, depth: json_depth, memory: json_memory };
                body::object(bytes, media_type, limits)
            }
            // Clients that cancel an operation name it in the body.
            Operation::Delete if bytes.starts_with(b"{") => {
                let limits = JsonLimits { strings: json_strings, depth: json_depth, memory: json_memory };
                body::object(bytes, media_type, limits)
            }
            Operation::Read | Operation::Delete | Operation::List | Operation::Scan | Operation::Help => {
                query::fields(parts.uri.query().unwrap_or_default()).map(Body::new)
            }
        }
    }

    /// Those of the headers that the operator chose for the audit log.
    fn audited_headers(&self, headers: &HeaderMap) -> Vec<AuditedHeader> {
        let Ok(unsealed) = self.pipeline.vault().unsealed() else { return Vec::new() };
        let rules = unsealed.core.audited_headers.rules();
        let header = |(name, hashed): (&String, &bool)| {
            let values = headers.get_all(name.as_str()).iter();
            let values: Vec<String> =
                values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
            (!values.is_empty()).then(|| AuditedHeader { name: name.clone(), values, hashed: *hashed })
        };
        rules.iter().filter_map(header).collect()
    }

    /// The request's answer, or that it took too long. It is done, and audited, all the same.
    async fn limited(&self, request: Request) -> Audited {
        let Some(limit) = self.listener.timeouts.request else { return self.pipeline.handle(request).await };
        match tokio::time::timeout(limit, self.pipeline.handle(request)).await {
            Ok(audited) => audited,
            Err(_) => Audited::failure(&Error::new(Kind::Unavailable, "the request took too long; ask again")),
        }
    }
}

/// Where the request comes from, if a proxy says so whose word counts by the configuration.
pub(super) fn client_address(forwarded: &ForwardedFor, headers: &HeaderMap, peer: IpAddr) -> Result<Option<IpAddr>> {
    let trusted = forwarded.authorized.iter().any(|network| network.contains(&peer.to_canonical()));
    let named: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    match (trusted, named.is_empty()) {
        (true, true) if forwarded.reject_not_present => {
            Err(Error::invalid("missing x-forwarded-for header and configured to reject when not present"))
        }
        (true, false) => forwarded_address(&named, forwarded.hop_skips).map(Some),
        (false, false) if forwarded.reject_not_authorized && !forwarded.authorized.is_empty() => {
            Err(Error::invalid("client address not authorized for x-forwarded-for, rejecting connection"))
        }
        (_, _) => Ok(None),
    }
}

/// What was read; where it cannot be, nothing, and what is wrong joins the `faults`.
fn or_fault<T: Default>(read: Result<T>, faults: &mut Vec<Error>) -> T {
    read.unwrap_or_else(|error| {
        faults.push(error);
        T::default()
    })
}

/// The address that is `skips` proxies away from the end.
fn forwarded_address(named: &[&str], skips: u32) -> Result<IpAddr> {
    let skips = usize::try_from(skips).unwrap_or(usize::MAX);
    let place = named.len().checked_sub(1).and_then(|last| last.checked_sub(skips));
    let text = place.and_then(|place| named.get(place)).copied().unwrap_or_default();
    text.parse().map_err(|_| Error::invalid("the x-forwarded-for header has no address where one should be"))
}

pub(super) fn seen_headers(headers: &HeaderMap) -> SeenHeaders {
    let seen = |name| text(headers, name).map(str::to_owned);
    SeenHeaders { accept: seen("accept"), traceparent: seen("traceparent") }
}

/// What the caller of a method that nothing answers to reads.
fn unknown(method: &Method) -> Error {
    if *method == Method::OPTIONS {
        Error::invalid("cannot handle internal-only request operation")
    } else {
        Error::without_message(Kind::MethodNotAllowed)
    }
}

pub(super) fn operation(method: &Method, query: &str, path: &Result<ApiPath>) -> Result<Option<Operation>> {
    let is_health = path.as_ref().is_ok_and(|path| path.as_str() == "sys/health");
    Ok(match method.as_str() {
        "GET" if query::flag(query, "list")? => Some(Operation::List),
        "GET" if query::flag(query, "scan")? => Some(Operation::Scan),
        "GET" if query::flag(query, "help")? => Some(Operation::Help),
        "GET" => Some(Operation::Read),
        "HEAD" if is_health => Some(Operation::Read),
        "POST" | "PUT" => Some(Operation::Write),
        "PATCH" => Some(Operation::Patch),
        "DELETE" => Some(Operation::Delete),
        "LIST" => Some(Operation::List),
        "SCAN" => Some(Operation::Scan),
        _ => None,
    })
}

/// A list names a folder, a read and a delete never do; what a write names is for the pipeline to refuse.
fn spelling(path: ApiPath, operation: Operation) -> ApiPath {
    match operation {
        Operation::List | Operation::Scan => path.into_folder(),
        Operation::Read | Operation::Delete | Operation::Help => path.into_leaf(),
        Operation::Write | Operation::Patch => path,
    }
}

/// `X-Vault-Token` counts, even if it is bad or no text; else a bearer token.
pub(super) fn token(headers: &HeaderMap) -> Option<ClientToken> {
    let named = headers.get("x-vault-token").map(HeaderValue::as_bytes).filter(|token| !token.is_empty());
    let bearer = || headers.get(header::AUTHORIZATION)?.as_bytes().strip_prefix(b"Bearer ");
    named.or_else(bearer).map(|token| ClientToken::new(String::from_utf8_lossy(token).trim().to_owned()))
}

pub(super) fn wrap_ttl(headers: &HeaderMap) -> Result<Option<Duration>> {
    let Some(given) = text(headers, "x-vault-wrap-ttl").filter(|given| !given.is_empty()) else { return Ok(None) };
    if given.starts_with('-') {
        return Err(Error::invalid("requested wrap ttl cannot be negative"));
    }
    let ttl = Ttl::parse(given).map_err(|_| Error::invalid("error parsing X-Vault-Wrap-TTL header"))?;
    Ok((!ttl.is_zero()).then(|| ttl.duration()))
}

/// The namespace that the header names, with a slash at its end; empty for the root.
pub(super) fn namespace(headers: &HeaderMap) -> Result<String> {
    let unknown = || Error::not_found("namespace not found");
    let Some(named) = headers.get(NAMESPACE) else { return Ok(String::new()) };
    let named = named.to_str().map_err(|_| unknown())?.trim_matches('/');
    if named.is_empty() || named == ROOT_NAMESPACE {
        return Ok(String::new());
    }
    let path = ApiPath::parse(named).map_err(|_| unknown())?;
    Ok(path.into_folder().into())
}

pub(super) fn is_merge_patch(media_type: Option<&str>) -> bool {
    let media_type = media_type.and_then(|text| text.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/merge-patch+json")
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// What a request's headers carry to get through the door stays at the door.
    #[test]
    fn cve_2026_4525_a_token_is_no_header_that_a_handler_sees() {
        let mut headers = HeaderMap::new();
        for name in [
            "authorization",
            "x-vault-token",
            "x-vault-wrap-ttl",
            "x-vault-namespace",
            "cookie",
            "proxy-authorization",
            "x-forwarded-for",
            "x-vault-inline-auth-path",
            "x-bao-token",
        ] {
            headers.insert(name, HeaderValue::from_static("Bearer hvs.secret"));
        }
        assert_eq!(seen_headers(&headers), SeenHeaders::default());
        headers.insert("accept", HeaderValue::from_static("text/plain"));
        assert_eq!(seen_headers(&headers), SeenHeaders { accept: Some("text/plain".to_owned()), traceparent: None });
        assert_eq!(token(&headers).unwrap().expose(), "Bearer hvs.secret");
    }
}
