//! `AuditedMount`: what lines say of a mount, written once for all of its requests.

use super::facts::MountFacts;
use super::members::member;

/// A mount, and its members as both lines of a request have them.
#[derive(Debug)]
pub struct AuditedMount {
    facts: MountFacts,
    request: Vec<u8>,
    response: Vec<u8>,
}

impl AuditedMount {
    /// The mount of these facts.
    pub fn new(facts: MountFacts) -> Self {
        let request = members(&facts, "mount_running_version");
        let response = members(&facts, "mount_running_plugin_version");
        Self { facts, request, response }
    }

    pub(super) fn facts(&self) -> &MountFacts {
        &self.facts
    }

    /// Its members in the object about the request; each begins with its comma.
    pub(super) fn in_request(&self) -> &[u8] {
        &self.request
    }

    /// The same in the object about the response.
    pub(super) fn in_response(&self) -> &[u8] {
        &self.response
    }
}

fn members(facts: &MountFacts, version: &str) -> Vec<u8> {
    let MountFacts {
        point,
        kind,
        accessor,
        running_version,
        class,
        non_hmac_request_keys: _,
        non_hmac_response_keys: _,
    } = facts;
    let mut out = Vec::new();
    member(&mut out, "mount_point", point);
    member(&mut out, "mount_type", kind);
    member(&mut out, "mount_accessor", accessor);
    member(&mut out, version, running_version);
    member(&mut out, "mount_class", class);
    out
}
