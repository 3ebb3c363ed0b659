//! Metrics for everyone, where a listener is configured to give them.

use crate::error::Result;
use crate::sys::{MetricsForm, metrics_answer};

use super::Pipeline;
use super::response::{Audited, Response};

impl Pipeline {
    /// The metrics in the form that a query's `format` and a header `Accept` ask for. No token is asked for, nothing is
    /// put on record, and a sealed vault answers too: that it is sealed is what has to be seen.
    pub fn scrape(&self, format: &str, accept: &str) -> Audited {
        Audited::scraped(self.scraped(MetricsForm::of(format, accept)))
    }

    fn scraped(&self, form: MetricsForm<'_>) -> Result<Response> {
        Response::bare(metrics_answer(&self.vault.metrics(), &self.vault.parts().settings, form)?)
    }
}
