//! The audit entry of a request, opened before anything is done.

use crate::api::Operation;
use crate::audit::{Entry, HeaderFacts};
use crate::vault::{Flight, Landing, Unsealed};

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

/// Puts `request` on the list of those that are being answered, until what is returned is dropped.
pub(super) fn in_flight(unsealed: &Unsealed, request: &Request) -> Landing {
    unsealed.core.in_flight.begin(Flight {
        id: request.id.clone(),
        start: unsealed.deps.clock.now(),
        address: request.client.address,
        port: request.client.port,
        path: request.path.clone(),
        method: method(request.operation),
    })
}

/// The method that an operation comes with, or one of them.
pub(super) const fn method(operation: Operation) -> &'static str {
    match operation {
        Operation::Read | Operation::Help => "GET",
        Operation::Write => "PUT",
        Operation::Patch => "PATCH",
        Operation::Delete => "DELETE",
        Operation::List => "LIST",
        Operation::Scan => "SCAN",
    }
}
