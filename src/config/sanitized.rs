//! The configuration as `sys/config/state/sanitized` shows it: fields that are named here, and no others.

use serde_json::{Value, json};

use super::listener::{ClientAuth, Listener, TlsVersion};
use super::log::Log;
use super::server::Config;
use super::telemetry::Telemetry;

impl Config {
    /// What `sys/config/state/sanitized` answers. Durations are in seconds, except those of `telemetry`, which are in
    /// nanoseconds as OpenBao has them. A new field of [`Config`] must be decided about here.
    pub fn sanitized(&self) -> Value {
        let Self {
            api_addr,
            cluster_name,
            default_lease_ttl,
            max_lease_ttl,
            default_max_request_duration,
            log: Log { level, format, file: _ },
            checkpoint_file: _,
            check_interval: _,
            check_on_unseal: _,
            pid_file,
            ui,
            raw_storage_endpoint,
            unsafe_allow_api_audit_creation,
            disable_mlock: _,
            sandbox: _,
            storage,
            listeners,
            audit: _,
            telemetry,
            user_lockout: _,
        } = self;
        let api_addr = api_addr.as_deref().unwrap_or_default();
        json!({
            "api_addr": api_addr,
            "cluster_addr": "",
            "cluster_name": cluster_name.as_deref().unwrap_or_default(),
            "default_lease_ttl": default_lease_ttl.seconds(),
            "default_max_request_duration": default_max_request_duration.seconds(),
            "disable_cache": false,
            "enable_ui": ui,
            "listeners": listeners.iter().map(sanitized_listener).collect::<Vec<_>>(),
            "log_format": format.as_str(),
            "log_level": level.as_str(),
            "max_lease_ttl": max_lease_ttl.seconds(),
            "pid_file": pid_file.as_deref().map(|path| path.to_string_lossy()).unwrap_or_default(),
            "raw_storage_endpoint": raw_storage_endpoint,
            "seals": [{"disabled": false, "type": "shamir"}],
            "storage": {"cluster_addr": "", "disable_clustering": true, "redirect_addr": api_addr, "type": storage.kind()},
            "telemetry": sanitized_telemetry(telemetry),
            "unsafe_allow_api_audit_creation": unsafe_allow_api_audit_creation,
        })
    }
}

fn sanitized_listener(listener: &Listener) -> Value {
    let Listener { address, tls, limits, timeouts, forwarded_for: _, unauthenticated } = listener;
    let mut config = json!({
        "address": address.to_string(),
        "disable_unauthed_generate_root_endpoints": !unauthenticated.generate_root,
        "disable_unauthed_rekey_endpoints": !unauthenticated.rekey,
        "max_request_duration": timeouts.request.unwrap_or_default().as_secs(),
        "max_request_json_memory": limits.json_memory,
        "max_request_json_strings": limits.json_strings,
        "max_request_size": limits.request_size,
        "tls_disable": tls.is_none(),
    });
    if let (Some(tls), Value::Object(fields)) = (tls, &mut config) {
        let version = |version| if version == TlsVersion::Tls12 { "tls12" } else { "tls13" };
        fields.insert("tls_cert_file".to_owned(), json!(tls.cert_file));
        fields.insert("tls_key_file".to_owned(), json!(tls.key_file));
        fields.insert("tls_min_version".to_owned(), version(tls.min_version).into());
        fields.insert("tls_max_version".to_owned(), version(tls.max_version).into());
        let is_required = matches!(tls.client_auth, ClientAuth::Required(_));
        fields.insert("tls_require_and_verify_client_cert".to_owned(), is_required.into());
        if let ClientAuth::Required(file) | ClientAuth::Optional(Some(file)) = &tls.client_auth {
            fields.insert("tls_client_ca_file".to_owned(), json!(file));
        }
    }
    if let (Some(file), Value::Object(fields)) =
        (tls.as_ref().and_then(|tls| tls.client_crl_file.as_ref()), &mut config)
    {
        fields.insert("tls_client_crl_file".to_owned(), json!(file));
    }
    json!({"config": config, "type": "tcp"})
}

fn sanitized_telemetry(telemetry: &Telemetry) -> Value {
    let Telemetry {
        prometheus_retention_time,
        disable_hostname,
        unauthenticated_metrics_access: _,
        metrics_prefix,
        otlp: _,
    } = telemetry;
    json!({
        "disable_hostname": disable_hostname,
        "metrics_prefix": metrics_prefix.as_deref().unwrap_or_default(),
        "prometheus_retention_time": prometheus_retention_time.seconds().saturating_mul(1_000_000_000),
    })
}
