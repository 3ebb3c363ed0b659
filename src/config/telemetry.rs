//! `telemetry`: what the metrics look like, and where traces go.

use std::path::PathBuf;

use super::error::{ConfigError, Warning};
use super::section::Initial::{Default, Unset};
use super::section::section;
use super::source::Stanza;
use super::value::{Ratio, Switch};
use crate::api::Ttl;

/// What the metrics look like, and where traces go.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Telemetry {
    /// How long a value that does not change is shown in the format of Prometheus; zero turns that format off.
    pub prometheus_retention_time: Ttl,
    /// Whether names go without the host's name, as they do here in any case.
    pub disable_hostname: bool,
    /// Whether every listener serves `sys/metrics` without a token.
    pub unauthenticated_metrics_access: bool,
    /// What all names begin with, if it is not the usual.
    pub metrics_prefix: Option<String>,
    /// Where traces go; nowhere unless it is set.
    pub otlp: Option<Otlp>,
}

/// Where traces go, and how many.
#[derive(Clone, Debug, PartialEq)]
pub struct Otlp {
    /// The URL of the collector.
    pub endpoint: String,
    /// The authorities that vouch for it, as PEM; those of the machine if unset.
    pub ca_file: Option<PathBuf>,
    /// The share of requests that are looked at, from 0 to 1.
    pub sample_ratio: Ratio,
}

section! {
    /// The `telemetry` block as the file has it.
    RawTelemetry {
        /// How long a value that does not change is shown in the format of Prometheus. 0 turns that format off.
        prometheus_retention_time: Ttl = Default("0"),
        /// Kept for the sake of other servers' files: no name here has the host in it.
        disable_hostname: Switch = Default("false"),
        /// Serve sys/metrics without a token at every listener.
        unauthenticated_metrics_access: Switch = Default("false"),
        /// What the names begin with that Vault has too; what is this server's alone begins with "arca".
        metrics_prefix: Option<String> = Unset("\"vault\""),
        /// Where traces go, as OTLP over HTTP: a whole URL. Nowhere if unset.
        otlp_endpoint: Option<String> = Unset("\"https://collector.example.com:4318/v1/traces\""),
        /// The authorities that vouch for the collector, as PEM; those of this machine if unset.
        otlp_ca_file: Option<PathBuf> = Unset("\"/etc/arca/tls/collector-ca.pem\""),
        /// The share of requests that are traced, from 0 to 1; a request that belongs to a trace is traced as its caller says.
        otlp_sample_ratio: Ratio = Default("1"),
    }
    blocks &[];
    ignored &[
        "add_lease_metrics_namespace_labels", "add_mount_point_rollback_metrics", "circonus_api_app", "circonus_api_token",
        "circonus_api_url", "circonus_broker_id", "circonus_broker_select_tag", "circonus_check_display_name",
        "circonus_check_force_metric_activation", "circonus_check_id", "circonus_check_instance_id",
        "circonus_check_search_tag", "circonus_check_tags", "circonus_submission_interval", "circonus_submission_url",
        "dogstatsd_addr", "dogstatsd_tags", "enable_hostname_label", "filter_default", "lease_metrics_epsilon",
        "maximum_gauge_cardinality", "num_lease_metrics_buckets", "prefix_filter", "stackdriver_debug_logs",
        "stackdriver_location", "stackdriver_namespace", "stackdriver_project_id", "statsd_address", "statsite_address",
        "usage_gauge_period",
    ];
}

impl Telemetry {
    pub(super) fn read(stanza: &Stanza<'_>, warnings: &mut Vec<Warning>) -> Result<Self, ConfigError> {
        let RawTelemetry {
            prometheus_retention_time,
            disable_hostname,
            unauthenticated_metrics_access,
            metrics_prefix,
            otlp_endpoint,
            otlp_ca_file: ca_file,
            otlp_sample_ratio: sample_ratio,
        } = RawTelemetry::read(&stanza.entries(), warnings)?;
        Ok(Self {
            prometheus_retention_time,
            disable_hostname: disable_hostname.0,
            unauthenticated_metrics_access: unauthenticated_metrics_access.0,
            metrics_prefix,
            otlp: otlp_endpoint.map(|endpoint| Otlp { endpoint, ca_file, sample_ratio }),
        })
    }
}
