//! Where traces go, as the configuration says.

use std::sync::Arc;

use crate::config::Telemetry;
use crate::entropy::Entropy;
use crate::metrics::Metrics;
use crate::outbound::{Destination, HttpClient, Trust};
use crate::trace::{Exporter, Settings, Tracer};

use super::{Failure, files};

/// The tracer, and what is to run for it.
pub(super) fn tracer(
    telemetry: &Telemetry,
    entropy: &Arc<dyn Entropy>,
    metrics: &Arc<Metrics>,
) -> Result<(Tracer, Option<Exporter>), Failure> {
    let Some(otlp) = &telemetry.otlp else { return Ok((Tracer::off(), None)) };
    let endpoint = Destination::parse(&otlp.endpoint).map_err(|error| format!("telemetry: otlp_endpoint: {error}"))?;
    if !endpoint.is_secure() {
        tracing::warn!("traces go to the collector without TLS: whoever is on the way sees who uses which mount");
    }
    let authorities = match &otlp.ca_file {
        None => String::new(),
        Some(file) => String::from_utf8(files::read("telemetry: otlp_ca_file", file)?)
            .map_err(|error| format!("telemetry: otlp_ca_file: {}: {error}", file.display()))?,
    };
    let client = HttpClient::new(Trust { authorities: &authorities, server_names: &[] })
        .map_err(|error| format!("telemetry: otlp_ca_file: {error}"))?;
    let settings = Settings { endpoint, client, sample_ratio: otlp.sample_ratio.0 };
    let (tracer, exporter) = Tracer::new(settings, entropy.clone(), metrics.clone());
    Ok((tracer, Some(exporter)))
}
