//! What is counted of each request.

use super::counter::Counter;
use super::interval::Epoch;
use super::page::{Labels, Page};
use super::summary::Summary;

/// The statuses that are counted each by itself; all others together.
const STATUSES: [u16; 18] = [200, 202, 204, 307, 400, 403, 404, 405, 408, 413, 415, 429, 472, 473, 500, 501, 503, 504];

/// What is counted of each request.
#[derive(Debug)]
pub struct RequestMeters {
    /// How long a request takes that is no login, its audit entries among it.
    pub handled: Summary,
    /// The same for a login.
    pub logins: Summary,
    /// Finding out who asks and whether they may.
    pub token_checks: Summary,
    /// Putting a request on record.
    pub audited_requests: Summary,
    /// Putting an answer on record.
    pub audited_responses: Summary,
    /// Requests that no audit device took, so that they were not carried out.
    pub unaudited_requests: Counter,
    /// Answers that no audit device took, so that they were withheld.
    pub unaudited_responses: Counter,
    /// Requests that a rate limit refused.
    pub rate_limited: Counter,
    statuses: [Counter; STATUSES.len()],
    other_statuses: Counter,
}

impl RequestMeters {
    pub(super) fn new(epoch: Epoch) -> Self {
        let (summary, counter) = (|| Summary::new(epoch), || Counter::new(epoch));
        Self {
            handled: summary(),
            logins: summary(),
            token_checks: summary(),
            audited_requests: summary(),
            audited_responses: summary(),
            unaudited_requests: counter(),
            unaudited_responses: counter(),
            rate_limited: counter(),
            statuses: std::array::from_fn(|_| counter()),
            other_statuses: counter(),
        }
    }

    /// Counts an answer of the HTTP server by its status.
    pub fn answered(&self, status: u16) {
        let place = STATUSES.iter().position(|known| *known == status);
        place.and_then(|place| self.statuses.get(place)).unwrap_or(&self.other_statuses).add();
    }

    pub(super) fn show(&self, page: &mut Page) {
        let Self {
            handled,
            logins,
            token_checks,
            audited_requests,
            audited_responses,
            unaudited_requests,
            unaudited_responses,
            rate_limited,
            statuses,
            other_statuses,
        } = self;
        page.summary("vault.core.handle_request", "Time to answer a request that is no login, in ms", handled);
        page.summary("vault.core.handle_login_request", "Time to answer a login, in ms", logins);
        page.summary("vault.core.check_token", "Time to find out who asks and whether they may, in ms", token_checks);
        page.summary("vault.audit.log_request", "Time to put a request on record, in ms", audited_requests);
        page.summary("vault.audit.log_response", "Time to put an answer on record, in ms", audited_responses);
        let help = "Requests that no audit device took; they were not carried out";
        page.counter("vault.audit.log_request_failure", help, Labels::new(), unaudited_requests);
        let help = "Answers that no audit device took; they were withheld";
        page.counter("vault.audit.log_response_failure", help, Labels::new(), unaudited_responses);
        let help = "Requests that a rate limit refused";
        page.counter("arca.rate_limited_requests_total", help, Labels::new(), rate_limited);
        let help = "Answers of the HTTP server by status";
        for (status, counter) in STATUSES.iter().zip(statuses) {
            page.counter("arca.http_responses_total", help, vec![("status", status.to_string())], counter);
        }
        let other = vec![("status", "other".to_owned())];
        page.counter("arca.http_responses_total", help, other, other_statuses);
    }
}
