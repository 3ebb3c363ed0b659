//! The keys at the top of the file, and the whole: [`Config`].

use std::path::{Path, PathBuf};

use super::audit::AuditDevice;
use super::error::{ConfigError, Warning};
use super::listener::Listener;
use super::lockout::UserLockout;
use super::log::{Log, LogFormat, LogLevel};
use super::sandbox::Sandbox;
use super::section::Initial::{Default, Unset};
use super::section::section;
use super::source::{self, Entry, Source, Stanza};
use super::storage::Storage;
use super::telemetry::Telemetry;
use super::value::Switch;
use crate::api::Ttl;

/// A configuration that is complete and fits together.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where clients reach the server, as it tells them.
    pub api_addr: Option<String>,
    /// The name that `seal-status` shows.
    pub cluster_name: Option<String>,
    /// How long leases and tokens last where nobody says.
    pub default_lease_ttl: Ttl,
    /// How long they may last.
    pub max_lease_ttl: Ttl,
    /// How long a request may take where a listener does not say; zero is no limit.
    pub default_max_request_duration: Ttl,
    /// The operational log.
    pub log: Log,
    /// Where the server's process id is written.
    pub pid_file: Option<PathBuf>,
    /// A checkpoint that the store must not be older than.
    pub checkpoint_file: Option<PathBuf>,
    /// How long after a check of the store the server makes the next one by itself; zero is never.
    pub check_interval: Ttl,
    /// Whether the store is checked before anything of it is served, and must be sound.
    pub check_on_unseal: bool,
    /// Whether there is a web interface.
    pub ui: bool,
    /// Whether `sys/raw` is there.
    pub raw_storage_endpoint: bool,
    /// Whether audit devices may be made through the API, and not only in this file.
    pub unsafe_allow_api_audit_creation: bool,
    /// Whether memory may be swapped out.
    pub disable_mlock: bool,
    /// What the kernel lets the process do.
    pub sandbox: Sandbox,
    /// Where the encrypted data is kept.
    pub storage: Storage,
    /// Where the server listens; at least one.
    pub listeners: Vec<Listener>,
    /// Where the audit log goes.
    pub audit: Vec<AuditDevice>,
    /// What the metrics look like, and where traces go.
    pub telemetry: Telemetry,
    /// How long users must wait after wrong passwords.
    pub user_lockout: UserLockout,
}

section! {
    /// The top of the file.
    RawServer {
        /// Where clients reach the server: the URL that it tells them.
        api_addr: Option<String> = Unset("\"https://vault.example.com:8200\""),
        /// The name that seal-status shows.
        cluster_name: Option<String> = Unset("\"main\""),
        /// How long leases and tokens last where nobody says.
        default_lease_ttl: Ttl = Default("\"768h\""),
        /// How long they may last.
        max_lease_ttl: Ttl = Default("\"768h\""),
        /// How long a request may take where its listener does not say. 0 is no limit.
        default_max_request_duration: Ttl = Default("\"90s\""),
        /// What is worth a line in the log: trace, debug, info, warn or error. Read again on SIGHUP.
        log_level: LogLevel = Default("\"info\""),
        /// How a line looks: standard or json.
        log_format: LogFormat = Default("\"standard\""),
        /// Where the log goes; standard error if unset.
        log_file: Option<PathBuf> = Unset("\"/var/log/arca/server.log\""),
        /// Where the server's process id is written.
        pid_file: Option<PathBuf> = Unset("\"/run/arca/arcad.pid\""),
        /// A checkpoint of `arca operator checkpoint`: the server does not start with a store that is older.
        checkpoint_file: Option<PathBuf> = Unset("\"/etc/arca/checkpoint.json\""),
        /// How long after a check of all records of the store the server makes the next one by itself. 0 is never.
        check_interval: Ttl = Default("\"24h\""),
        /// Check the store at each unsealing, before anything is served, and stay sealed if something is wrong with it.
        check_on_unseal: Switch = Default("true"),
        /// Serve the web interface.
        ui: Switch = Default("false"),
        /// Serve sys/raw, with which an operator reads and writes single records of the store.
        raw_storage_endpoint: Switch = Default("false"),
        /// Let audit devices be made through the API. Whoever may do so can make the server write files.
        unsafe_allow_api_audit_creation: Switch = Default("false"),
        /// Do not lock the server's memory: what is in it may be written to swap.
        disable_mlock: Switch = Default("false"),
    }
    blocks &["audit", "listener", "sandbox", "seal", "storage", "telemetry", "user_lockout"];
    ignored &[
        "allow_audit_log_prefixing", "allow_unauthenticated_workflows", "cache_size", "cluster_addr", "cluster_cipher_suites",
        "detect_deadlocks", "disable_cache", "disable_clustering", "disable_indexing",
        "disable_performance_standby", "disable_printable_check", "disable_sealwrap", "disable_sentinel_trace",
        "disable_ssct_tokens", "disable_standby_reads", "enable_response_header_hostname",
        "enable_response_header_raft_node_id", "entropy", "experiments", "ha_storage", "imprecise_lease_role_tracking",
        "initialize", "introspection_endpoint", "license_path", "log_requests_level", "log_rotate_bytes",
        "log_rotate_duration", "log_rotate_max_files", "plugin", "plugin_auto_download", "plugin_directory",
        "plugin_download_behavior", "plugin_file_permissions", "plugin_file_uid", "service_registration",
        "unsafe_cross_namespace_identity", "unsafe_relative_paths",
    ];
}

impl Config {
    /// Reads a configuration out of files and directories (of which all `.hcl` and `.json` files count, by name).
    /// Where several files set a key, the last one counts; listeners and audit devices add up.
    pub fn load(paths: &[PathBuf]) -> Result<(Self, Vec<Warning>), ConfigError> {
        Self::of(&source::read(paths)?)
    }

    /// Puts files together.
    pub(super) fn of(sources: &[Source]) -> Result<(Self, Vec<Warning>), ConfigError> {
        let mut warnings = Vec::new();
        let raw = RawServer::read(&entries(sources), &mut warnings)?;
        check(&raw)?;
        refuse_other_seals(sources)?;
        let storage = last(sources, "storage", 1)?;
        let storage = storage.ok_or_else(|| ConfigError::general("add storage \"redb\" { path = \"…\" }"))?;
        let telemetry = match last(sources, "telemetry", 0)? {
            Some(stanza) => Telemetry::read(&stanza, &mut warnings)?,
            None => Telemetry::default(),
        };
        let sandbox = match last(sources, "sandbox", 0)? {
            Some(stanza) => Sandbox::read(&stanza, &mut warnings)?,
            None => Sandbox::default(),
        };
        let mut listeners = listeners(sources, raw.default_max_request_duration, &mut warnings)?;
        for listener in &mut listeners {
            listener.unauthenticated.metrics |= telemetry.unauthenticated_metrics_access;
        }
        let config = Self {
            storage: Storage::read(&storage, &mut warnings)?,
            listeners,
            telemetry,
            audit: audit(sources, &mut warnings)?,
            user_lockout: user_lockout(sources, &mut warnings)?,
            log: Log { level: raw.log_level, format: raw.log_format, file: raw.log_file },
            api_addr: raw.api_addr,
            cluster_name: raw.cluster_name,
            default_lease_ttl: raw.default_lease_ttl,
            max_lease_ttl: raw.max_lease_ttl,
            default_max_request_duration: raw.default_max_request_duration,
            pid_file: raw.pid_file,
            checkpoint_file: raw.checkpoint_file,
            check_interval: raw.check_interval,
            check_on_unseal: raw.check_on_unseal.0,
            ui: raw.ui.0,
            raw_storage_endpoint: raw.raw_storage_endpoint.0,
            unsafe_allow_api_audit_creation: raw.unsafe_allow_api_audit_creation.0,
            disable_mlock: raw.disable_mlock.0,
            sandbox,
        };
        Ok((config, warnings))
    }
}

/// What stands at the top of all files.
fn entries(sources: &[Source]) -> Vec<Entry<'_>> {
    let entries = |source| {
        let Source { file, document }: &Source = source;
        document.items().iter().map(move |item| Entry { file, item })
    };
    sources.iter().flat_map(entries).collect()
}

/// What the keys at the top must be together.
fn check(raw: &RawServer) -> Result<(), ConfigError> {
    let is_url = |url: &String| url.starts_with("https://") || url.starts_with("http://");
    if !raw.api_addr.as_ref().is_none_or(is_url) {
        return Err(ConfigError::general("api_addr must be a URL that begins with https:// or http://"));
    }
    if raw.default_lease_ttl.is_zero() || raw.max_lease_ttl.is_zero() {
        return Err(ConfigError::general("default_lease_ttl and max_lease_ttl must be greater than 0"));
    }
    if raw.default_lease_ttl > raw.max_lease_ttl {
        return Err(ConfigError::general("default_lease_ttl must not be longer than max_lease_ttl"));
    }
    Ok(())
}

/// The blocks called `name` in all files.
fn all<'a>(sources: &'a [Source], name: &str, labels: usize) -> Result<Vec<Stanza<'a>>, ConfigError> {
    let mut stanzas = Vec::new();
    for source in sources {
        stanzas.extend(source.stanzas(name, labels)?);
    }
    Ok(stanzas)
}

/// The block called `name` that counts: that of the last file. A file has at most one.
fn last<'a>(sources: &'a [Source], name: &str, labels: usize) -> Result<Option<Stanza<'a>>, ConfigError> {
    let mut found = None;
    for source in sources {
        let mut stanzas = source.stanzas(name, labels)?;
        if let Some(second) = stanzas.get(1) {
            return Err(second.error(format!("a file has only one {name} block; remove this one")));
        }
        found = stanzas.pop().or(found);
    }
    Ok(found)
}

fn refuse_other_seals(sources: &[Source]) -> Result<(), ConfigError> {
    let other = all(sources, "seal", 1)?.into_iter().find(|stanza| stanza.label(0) != "shamir");
    other.map_or(Ok(()), |stanza| {
        Err(stanza.error("this kind of seal is not supported; remove the block to use key shares"))
    })
}

fn listeners(sources: &[Source], request: Ttl, warnings: &mut Vec<Warning>) -> Result<Vec<Listener>, ConfigError> {
    let mut listeners = Vec::new();
    for stanza in all(sources, "listener", 1)? {
        listeners.push(Listener::read(&stanza, request, warnings)?);
    }
    if listeners.is_empty() {
        return Err(ConfigError::general("add listener \"tcp\" { … }"));
    }
    Ok(listeners)
}

fn audit(sources: &[Source], warnings: &mut Vec<Warning>) -> Result<Vec<AuditDevice>, ConfigError> {
    let mut devices: Vec<AuditDevice> = Vec::new();
    let nameless = |entry: &Entry<'_>| entry.item.name() == "audit" && entry.item.labels().len() == 1;
    if let Some(entry) = entries(sources).iter().find(|entry| nameless(entry)) {
        let message = "an audit device needs a name, as in audit \"file\" \"main\" { … }";
        return Err(ConfigError::at(&entry.place(entry.item.position()), message));
    }
    for stanza in all(sources, "audit", 2)? {
        let device = AuditDevice::read(&stanza, warnings)?;
        if devices.iter().any(|known| known.path == device.path) {
            return Err(stanza.error("there is another audit device of this name; choose another"));
        }
        devices.push(device);
    }
    if let Some(first) = devices.first().filter(|_| devices.iter().all(AuditDevice::is_filtered)) {
        let message = "every audit device has a filter, and one has to take every entry; add one without a filter";
        return Err(ConfigError::at(&first.place, message));
    }
    Ok(devices)
}

fn user_lockout(sources: &[Source], warnings: &mut Vec<Warning>) -> Result<UserLockout, ConfigError> {
    let mut lockout = UserLockout::default();
    for stanza in all(sources, "user_lockout", 1)? {
        lockout.add(&stanza, warnings)?;
    }
    Ok(lockout)
}

/// What the fuzz target runs: a configuration means the same when it is formatted, and what is wrong with one is said.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    let read = |bytes: &[u8]| Config::of(&[Source::parse(Path::new("arca.hcl").into(), bytes)?]);
    let (config, warnings) = match read(bytes) {
        Ok(read) => read,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert!(!config.listeners.is_empty() && config.sanitized().is_object());
    assert!(warnings.iter().all(|warning| !warning.message.is_empty()));
    let formatted = crate::hcl::format(bytes).map(|text| read(text.as_bytes()));
    assert!(formatted.is_ok_and(|read| read.is_ok_and(|(mut again, repeated)| {
        // Where a device stands is another place now.
        for (device, before) in again.audit.iter_mut().zip(&config.audit) {
            device.place = before.place.clone();
        }
        again == config && repeated.len() == warnings.len()
    })));
}
