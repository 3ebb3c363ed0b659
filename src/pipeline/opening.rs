//! The audit entry of a request, opened before anything is done.

use crate::audit::{Entry, HeaderFacts};
use crate::vault::Unsealed;

use super::request::{AuditedHeader, Request};

/// Opens the entry of `request`.
pub(super) fn entry(unsealed: &Unsealed, request: &Request) -> Entry {
    let values: Vec<Vec<&str>> =
        request.headers.iter().map(|header| header.values.iter().map(String::as_str).collect()).collect();
    let facts = request.headers.iter().zip(&values).map(|(header, values)| {
        let AuditedHeader { name, hashed, values: _ } = header;
        HeaderFacts { name, values, hashed: *hashed }
    });
    let headers: Vec<HeaderFacts<'_>> = facts.collect();
    unsealed.core.open_entry(&request.facts(&unsealed.namespace, &headers))
}
