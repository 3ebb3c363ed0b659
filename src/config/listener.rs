//! `listener "tcp"`: where the server listens, how it proves who it is, and what it takes from whom.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::error::{ConfigError, Warning};
use super::section::Initial::{Default, Unset, Wanted};
use super::section::section;
use super::source::Stanza;
use super::value::{Setting, Switch};
use crate::api::Ttl;
use crate::hcl::Value;

/// A place where the server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Address and port.
    pub address: SocketAddr,
    /// How connections are protected; nothing for plain text.
    pub tls: Option<Tls>,
    /// How large a request may be, and how many there may be.
    pub limits: Limits,
    /// How long a request may take.
    pub timeouts: Timeouts,
    /// Whose word counts about where a request comes from.
    pub forwarded_for: ForwardedFor,
    /// What may be used without a token here, besides what always may.
    pub unauthenticated: Unauthenticated,
}

/// How connections are protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The server's certificate and those between it and its authority, in PEM.
    pub cert_file: PathBuf,
    /// Its private key, in PEM.
    pub key_file: PathBuf,
    /// What is asked of clients.
    pub client_auth: ClientAuth,
    /// Lists of revoked certificates of clients, in PEM. Only where there are authorities.
    pub client_crl_file: Option<PathBuf>,
    /// The oldest version that is spoken.
    pub min_version: TlsVersion,
    /// The newest version that is spoken.
    pub max_version: TlsVersion,
}

/// What a listener asks of clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// A certificate of one of the authorities in this file, or there is no connection.
    Required(PathBuf),
    /// A certificate if the client has one; checked against the authorities in this file if there is one.
    Optional(Option<PathBuf>),
    /// Nothing.
    Off,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

/// How large a request may be, and how many there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body.
    pub request_size: u64,
    /// Texts in a JSON body, keys included.
    pub json_strings: u64,
    /// Bytes of memory that a decoded JSON body may take.
    pub json_memory: u64,
    /// Objects and lists inside each other.
    pub json_depth: u64,
    /// Bytes of all headers.
    pub header_bytes: u64,
    /// Connections at a time.
    pub connections: u64,
}

/// How long a request may take. Nothing is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From the whole request to the answer.
    pub request: Option<Duration>,
    /// For the headers to arrive.
    pub read_header: Option<Duration>,
    /// For headers and body to arrive.
    pub read: Option<Duration>,
    /// For the client to take the next part of an answer.
    pub write: Option<Duration>,
    /// Between two requests of a connection.
    pub idle: Option<Duration>,
}

/// Whose `X-Forwarded-For` counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardedFor {
    /// The proxies that may say where a request comes from; nobody if empty.
    pub authorized: Vec<IpNet>,
    /// How many addresses from the end are proxies themselves.
    pub hop_skips: u32,
    /// Whether a request with the header from anyone else is refused; if not, its header is ignored.
    pub reject_not_authorized: bool,
    /// Whether a request of a proxy without the header is refused.
    pub reject_not_present: bool,
}

/// What may be used without a token at a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unauthenticated {
    /// `sys/rekey/*`.
    pub rekey: bool,
    /// `sys/generate-root/*`.
    pub generate_root: bool,
    /// `sys/metrics`.
    pub metrics: bool,
}

section! {
    /// A listener as the file has it.
    RawListener {
        /// Address and port.
        address: SocketAddr = Default("\"127.0.0.1:8200\""),
        /// Serve plain text. Only for a machine that nobody else is on, or behind a proxy that does TLS.
        tls_disable: Switch = Default("false"),
        /// The server's certificate with its chain, in PEM. Read again on SIGHUP.
        tls_cert_file: Option<PathBuf> = Wanted("\"/etc/arca/tls/server.pem\""),
        /// The private key of the certificate, in PEM.
        tls_key_file: Option<PathBuf> = Wanted("\"/etc/arca/tls/server-key.pem\""),
        /// The authorities whose client certificates are accepted, in PEM.
        tls_client_ca_file: Option<PathBuf> = Wanted("\"/etc/arca/tls/ca.pem\""),
        /// Certificates of clients that were revoked: one CRL for each authority, in PEM. Read again on SIGHUP.
        tls_client_crl_file: Option<PathBuf> = Unset("\"/etc/arca/tls/clients.crl\""),
        /// Refuse clients without a certificate of those authorities. (Off by default in OpenBao and Vault.)
        tls_require_and_verify_client_cert: Switch = Default("true"),
        /// Do not even ask clients for a certificate.
        tls_disable_client_certs: Switch = Default("false"),
        /// The oldest version of TLS: tls12 or tls13.
        tls_min_version: TlsVersion = Default("\"tls13\""),
        /// The newest version of TLS: tls12 or tls13.
        tls_max_version: TlsVersion = Default("\"tls13\""),
        /// Bytes that a body may have.
        max_request_size: u64 = Default("33554432"),
        /// Texts that a JSON body may have, keys included.
        max_request_json_strings: u64 = Default("1000"),
        /// Bytes of memory that a decoded JSON body may take.
        max_request_json_memory: u64 = Default("34078720"),
        /// Objects and lists that may stand inside each other in a JSON body.
        max_json_depth: u64 = Default("1000"),
        /// Bytes that all headers of a request may have.
        max_header_bytes: u64 = Default("65536"),
        /// Connections at a time.
        max_connections: u64 = Default("10000"),
        /// How long a request may take; the server's default_max_request_duration if unset. 0 is no limit.
        max_request_duration: Option<Ttl> = Unset("\"90s\""),
        /// How long the headers may take to arrive. 0 is no limit, here and below.
        http_read_header_timeout: Ttl = Default("\"10s\""),
        /// How long headers and body may take to arrive.
        http_read_timeout: Ttl = Default("\"30s\""),
        /// How long a client may take nothing of its answer.
        http_write_timeout: Ttl = Default("\"1m\""),
        /// How long a connection may wait for its next request.
        http_idle_timeout: Ttl = Default("\"5m\""),
        /// Proxies whose X-Forwarded-For is believed.
        x_forwarded_for_authorized_addrs: Vec<IpNet> = Default("[]"),
        /// How many addresses from the end of X-Forwarded-For are proxies themselves.
        x_forwarded_for_hop_skips: u32 = Default("0"),
        /// Refuse X-Forwarded-For from anyone else, rather than ignoring it.
        x_forwarded_for_reject_not_authorized: Switch = Default("true"),
        /// Refuse requests of those proxies that come without it.
        x_forwarded_for_reject_not_present: Switch = Default("true"),
        /// Turn off sys/rekey/*, which need no token.
        disable_unauthed_rekey_endpoints: Switch = Default("true"),
        /// Turn off sys/generate-root/*, which need no token.
        disable_unauthed_generate_root_endpoints: Switch = Default("true"),
    }
    blocks &["telemetry"];
    ignored &[
        "cluster_address", "cors_enabled", "cors_allowed_origins", "cors_allowed_headers", "custom_response_headers",
        "disable_request_limiter", "disable_replication_status_endpoints", "inflight_requests_logging",
        "profiling", "proxy_protocol_authorized_addrs", "proxy_protocol_behavior", "redact_addresses", "redact_cluster_name",
        "redact_version", "require_request_header", "tls_acme_ca_directory", "tls_acme_ca_root", "tls_acme_cache_path",
        "tls_acme_disable_alpn_challenge", "tls_acme_disable_http_challenge", "tls_acme_domains", "tls_acme_eab_key_id",
        "tls_acme_eab_mac_key", "tls_acme_email", "tls_acme_key_type", "tls_acme_test_ca_directory", "tls_auto_reload",
        "tls_cipher_suites", "tls_prefer_server_cipher_suites", "x_forwarded_for_client_cert_header",
        "x_forwarded_for_client_cert_header_decoders",
    ];
}

section! {
    /// The `telemetry` block of a listener.
    RawListenerTelemetry {
        /// Serve sys/metrics without a token.
        unauthenticated_metrics_access: Switch = Default("false"),
    }
    blocks &[];
    ignored &["disallow_metrics"];
}

impl Listener {
    /// Reads a listener. `request` is how long a request may take where it does not say.
    pub(super) fn read(stanza: &Stanza<'_>, request: Ttl, warnings: &mut Vec<Warning>) -> Result<Self, ConfigError> {
        if stanza.label(0) != "tcp" {
            return Err(stanza.error("this kind of listener is not supported; use listener \"tcp\""));
        }
        let raw = RawListener::read(&stanza.entries(), warnings)?;
        let mut metrics = false;
        for telemetry in stanza.stanzas("telemetry")? {
            metrics = RawListenerTelemetry::read(&telemetry.entries(), warnings)?.unauthenticated_metrics_access.0;
        }
        Ok(Self {
            address: raw.address,
            tls: raw.tls().map_err(|message| stanza.error(message))?,
            limits: raw.limits().map_err(|message| stanza.error(message))?,
            timeouts: Timeouts {
                request: limit(raw.max_request_duration.unwrap_or(request)),
                read_header: limit(raw.http_read_header_timeout),
                read: limit(raw.http_read_timeout),
                write: limit(raw.http_write_timeout),
                idle: limit(raw.http_idle_timeout),
            },
            unauthenticated: Unauthenticated {
                rekey: !raw.disable_unauthed_rekey_endpoints.0,
                generate_root: !raw.disable_unauthed_generate_root_endpoints.0,
                metrics,
            },
            forwarded_for: ForwardedFor {
                authorized: raw.x_forwarded_for_authorized_addrs,
                hop_skips: raw.x_forwarded_for_hop_skips,
                reject_not_authorized: raw.x_forwarded_for_reject_not_authorized.0,
                reject_not_present: raw.x_forwarded_for_reject_not_present.0,
            },
        })
    }
}

impl RawListener {
    fn tls(&self) -> Result<Option<Tls>, &'static str> {
        if self.tls_disable.0 {
            return Ok(None);
        }
        let cert_file = self.tls_cert_file.clone().ok_or("set tls_cert_file, or tls_disable = true")?;
        let key_file = self.tls_key_file.clone().ok_or("set tls_key_file, or tls_disable = true")?;
        if self.tls_max_version < self.tls_min_version {
            return Err("tls_max_version is older than tls_min_version");
        }
        let client_auth = self.client_auth()?;
        let client_crl_file = self.tls_client_crl_file.clone();
        if client_crl_file.is_some() && matches!(client_auth, ClientAuth::Optional(None) | ClientAuth::Off) {
            return Err(
                "tls_client_crl_file is about certificates of the authorities of tls_client_ca_file: set that too, \
                        and do not set tls_disable_client_certs",
            );
        }
        let (min_version, max_version) = (self.tls_min_version, self.tls_max_version);
        Ok(Some(Tls { cert_file, key_file, client_auth, client_crl_file, min_version, max_version }))
    }

    fn client_auth(&self) -> Result<ClientAuth, &'static str> {
        let authorities = self.tls_client_ca_file.clone();
        if self.tls_disable_client_certs.0 {
            return Ok(ClientAuth::Off);
        }
        if !self.tls_require_and_verify_client_cert.0 {
            return Ok(ClientAuth::Optional(authorities));
        }
        let missing = "set tls_client_ca_file, or tls_require_and_verify_client_cert = false to let clients in without a \
                       certificate";
        authorities.map(ClientAuth::Required).ok_or(missing)
    }

    fn limits(&self) -> Result<Limits, &'static str> {
        let limits = Limits {
            request_size: self.max_request_size,
            json_strings: self.max_request_json_strings,
            json_memory: self.max_request_json_memory,
            json_depth: self.max_json_depth,
            header_bytes: self.max_header_bytes,
            connections: self.max_connections,
        };
        let Limits { request_size, json_strings, json_memory, json_depth, header_bytes, connections } = limits;
        if [request_size, json_strings, json_memory, json_depth, header_bytes, connections].contains(&0) {
            return Err(
                "the limits that begin with max_ must be greater than 0: without them one request can take all memory",
            );
        }
        Ok(limits)
    }
}

fn limit(ttl: Ttl) -> Option<Duration> {
    (!ttl.is_zero()).then(|| ttl.duration())
}

impl Setting for TlsVersion {
    fn read(value: &Value) -> Result<Self, &'static str> {
        match value.as_text() {
            Some("tls12") => Ok(Self::Tls12),
            Some("tls13") => Ok(Self::Tls13),
            _ => Err("expected \"tls12\" or \"tls13\"; older versions are not spoken"),
        }
    }
}
