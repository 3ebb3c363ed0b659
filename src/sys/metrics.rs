//! `GET /v1/sys/metrics`: the figures that an operator watches, as JSON or in the form of Prometheus.
//!
//! A listener that is configured so answers this to everyone, sealed or not; see [`crate::pipeline::Pipeline::scrape`].

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseText;
use crate::engine::{Answer, Content, Cx, Endpoint, Payload, Route, StatusCode};
use crate::error::Result;
use crate::metrics;
use crate::secret::SecretBytes;
use crate::vault::{Settings, Unsealed};

use super::NoPath;

/// The form that is wanted.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct ReadMetrics {
    /// `prometheus`; nothing is JSON, unless the header `Accept` says otherwise.
    format: LooseText,
}

/// In which form metrics are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MetricsForm<'a> {
    /// The figures of ten seconds, as JSON.
    Json,
    /// The text form of Prometheus.
    Prometheus,
    /// None that there is.
    Unknown(&'a str),
}

/// The media types in `Accept` that ask for the form of Prometheus where no format is named.
const PROMETHEUS: [&str; 2] = ["application/openmetrics-text", "prometheus/telemetry"];

impl Endpoint for ReadMetrics {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Answer;
    const ROUTE: Route = Route::read("metrics").summary("The figures that an operator watches");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Answer> {
        let accept = cx.client.headers.accept.as_deref().unwrap_or_default();
        let form = MetricsForm::of(&self.format.0, accept);
        answer(&unsealed.core.metrics(), unsealed.core.settings(), form)
    }
}

impl<'a> MetricsForm<'a> {
    /// What a query and a header ask for.
    pub(crate) fn of(format: &'a str, accept: &str) -> Self {
        match format {
            "" if PROMETHEUS.iter().any(|media_type| accept.contains(media_type)) => Self::Prometheus,
            "" => Self::Json,
            "prometheus" => Self::Prometheus,
            unknown => Self::Unknown(unknown),
        }
    }
}

/// The page in the form that is wanted.
pub(crate) fn answer(page: &metrics::Page, settings: &Settings, form: MetricsForm<'_>) -> Result<Answer> {
    let prefix = &settings.metrics_prefix;
    let (status, media_type, payload) = match form {
        MetricsForm::Json => (StatusCode::OK, "application/json", Payload::of(&page.report(prefix))?),
        MetricsForm::Prometheus if !settings.prometheus => refusal("prometheus is not enabled".to_owned()),
        MetricsForm::Prometheus => (StatusCode::OK, metrics::Page::TEXT, text(page.text(prefix))),
        MetricsForm::Unknown(format) => refusal(format!("metric response format {format:?} unknown")),
    };
    Ok(Answer { status, content: Content::Raw { media_type, payload }, warnings: Vec::new() })
}

fn refusal(message: String) -> (StatusCode, &'static str, Payload) {
    (StatusCode::BAD_REQUEST, "text/plain", text(message))
}

fn text(text: String) -> Payload {
    Payload::verbatim(SecretBytes::new(text.into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_counts_more_than_the_header() {
        let openmetrics = "application/openmetrics-text; version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(MetricsForm::of("", ""), MetricsForm::Json);
        assert_eq!(MetricsForm::of("", "text/plain, application/json"), MetricsForm::Json);
        assert_eq!(MetricsForm::of("", openmetrics), MetricsForm::Prometheus);
        assert_eq!(MetricsForm::of("", "prometheus/telemetry"), MetricsForm::Prometheus);
        assert_eq!(MetricsForm::of("prometheus", "application/json"), MetricsForm::Prometheus);
        assert_eq!(MetricsForm::of("Prometheus", openmetrics), MetricsForm::Unknown("Prometheus"));
    }
}
