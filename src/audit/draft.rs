//! `Draft`: one device's lines about one request, written as the facts come in.
//!
//! The request's object is written once, hashes and all, and used for both lines: its body may be gone by then.

use std::sync::Arc;

use zeroize::Zeroize;

use crate::policy::{GrantingPolicy, Permit};
use crate::secret::SecretBytes;
use crate::time::Timestamp;

use super::facts::{AuthFacts, NamespaceFacts, RequestFacts, ResponseFacts, WrapFacts};
use super::members::{Members, Redaction, member};
use super::mounted::AuditedMount;

/// The members of objects whose closing braces are still to come.
#[derive(Debug)]
pub(super) struct Draft {
    request: Vec<u8>,
    auth: Vec<u8>,
    policy_results: Vec<u8>,
    body: SecretBytes,
    /// The caller's token as both objects have it: hashed once, as JSON. Empty if there is none.
    token: Vec<u8>,
    /// Whether there are secrets in all of them.
    raw: bool,
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.raw {
            self.request.zeroize();
            self.auth.zeroize();
            self.token.zeroize();
        }
    }
}

impl Draft {
    /// Begins with the request as it came in.
    pub(super) fn open(facts: &RequestFacts<'_>, redaction: &Redaction) -> Self {
        // Room for a usual request: a buffer that grows leaves a copy behind that nobody wipes.
        let mut draft = Self {
            request: Vec::with_capacity(2048),
            auth: Vec::new(),
            policy_results: Vec::new(),
            body: SecretBytes::default(),
            token: redaction.secret(facts.client_token.map_or("", |token| token.expose())),
            raw: redaction.raw,
        };
        let RequestFacts {
            id,
            // Written at the end, when it is known what a write is.
            operation: _,
            path,
            namespace: NamespaceFacts { id: namespace_id, path: namespace_path },
            client_token: _,
            data,
            remote_address,
            remote_port,
            client_certificate_serial_number,
            wrap_ttl,
            headers,
        } = facts;
        let mut object = Members::of(&mut draft.request, redaction);
        object.text("id", id);
        object.json_text("client_token", &draft.token);
        object.nested("namespace", |object| {
            object.text("id", namespace_id);
            object.text("path", namespace_path);
        });
        object.text("path", path.as_str());
        if let Some(address) = remote_address {
            object.text("remote_address", &address.to_string());
            object.plain("remote_port", remote_port);
        }
        object.text("client_certificate_serial_number", client_certificate_serial_number.unwrap_or_default());
        if let Some(ttl) = wrap_ttl {
            object.plain("wrap_ttl", &ttl.as_secs());
        }
        if !headers.is_empty() {
            object.nested("headers", |object| headers.iter().for_each(|header| object.header(header)));
        }
        // The body waits for the mount, which says what stays plain in it.
        draft.body.extend_from_slice(data.unwrap_or_default());
        draft
    }

    /// Adds where the request goes, and its body by that mount's rules; nothing is a path that leads nowhere.
    pub(super) fn route(&mut self, operation: &str, mount: Option<&AuditedMount>, redaction: &Redaction) {
        let body = std::mem::take(&mut self.body);
        let mut object = Members::of(&mut self.request, redaction);
        object.text("operation", operation);
        let plain = mount.map_or(&[] as &[String], |mount| &mount.facts().non_hmac_request_keys);
        if !body.is_empty() {
            object.json("data", &body, plain);
        }
        if let Some(mount) = mount {
            object.more(mount.in_request());
        }
    }

    /// Adds the caller, who holds the token that the request came with.
    pub(super) fn identify(&mut self, auth: &AuthFacts<'_>, redaction: &Redaction) {
        let accessor = redaction.accessor(auth.accessor);
        let mut object = Members::of(&mut self.request, redaction);
        object.text("client_id", auth.client_id);
        object.json_text("client_token_accessor", &accessor);
        self.auth.clear();
        self.auth.reserve(1024);
        auth_members(&mut Members::of(&mut self.auth, redaction), auth, &self.token, &accessor);
    }

    /// Adds that the request may go ahead, and by which policies.
    pub(super) fn allow(&mut self, permit: &Permit, redaction: &Redaction) {
        self.decided(true, permit.granting(), redaction);
    }

    /// Adds that policies do not allow it. Without a caller there was no such decision.
    pub(super) fn deny(&mut self, redaction: &Redaction) {
        if !self.auth.is_empty() {
            self.decided(false, &[], redaction);
        }
    }

    fn decided(&mut self, allowed: bool, granting: &[Arc<GrantingPolicy>], redaction: &Redaction) {
        self.policy_results.clear();
        self.policy_results.reserve(256);
        let mut object = Members::of(&mut self.policy_results, redaction);
        object.plain("allowed", &allowed);
        if !granting.is_empty() {
            object.list("granting_policies", granting, |object, policy| {
                let GrantingPolicy { name, namespace_id, kind } = &**policy;
                object.text("name", name);
                object.text("namespace_id", namespace_id);
                object.text("type", kind);
            });
        }
    }

    /// The request line, without its closing brace.
    pub(super) fn request_line(&self, now: Timestamp, error: &str, out: &mut Vec<u8>) {
        self.begin("request", now, (&self.auth, &self.policy_results), out);
        member(out, "error", error);
    }

    /// The response line, without its closing brace.
    pub(super) fn response_line(
        &self,
        now: Timestamp,
        response: &ResponseFacts<'_>,
        mount: Option<&AuditedMount>,
        redaction: &Redaction,
        out: &mut Vec<u8>,
    ) {
        let ResponseFacts { auth, lease_id, data, wrap, warnings, error } = response;
        let error = error.map(ToString::to_string).unwrap_or_default();
        let mut issued = SecretBytes::default();
        if let Some(auth) = auth {
            let token = SecretBytes::new(redaction.secret(auth.client_token.map_or("", |token| token.expose())));
            let accessor = redaction.accessor(auth.accessor);
            auth_members(&mut Members::of(&mut issued, redaction), auth, &token, &accessor);
        }
        // The line about a login is about the one who has logged in.
        let login = self.auth.is_empty() && !issued.is_empty();
        let caller =
            if login { (issued.as_slice(), &[] as &[u8]) } else { (self.auth.as_slice(), &*self.policy_results) };
        self.begin("response", now, caller, out);
        out.extend_from_slice(b",\"response\":{");
        let mut object = Members::begin(out, redaction);
        if auth.is_some() {
            object.verbatim("auth", &issued);
        }
        if let Some(mount) = mount {
            object.more(mount.in_response());
        }
        if let Some(lease_id) = lease_id {
            object.nested("secret", |object| object.text("lease_id", lease_id));
        }
        if !error.is_empty() {
            object.nested("data", |object| object.secret("error", &error));
        } else if let Some(data) = data {
            object.json("data", data, mount.map_or(&[], |mount| &mount.facts().non_hmac_response_keys));
        }
        if let Some(wrap) = wrap {
            object.nested("wrap_info", |object| wrap_members(object, wrap));
        }
        if !warnings.is_empty() {
            object.secrets("warnings", warnings.iter().map(String::as_str));
        }
        out.push(b'}');
        member(out, "error", &error);
    }

    /// Everything up to the end of the request's object. `auth` and `results` are the members about the caller and the
    /// decision; where there are none of the first, the token is of the type that it has by default.
    fn begin(&self, kind: &str, now: Timestamp, (auth, results): (&[u8], &[u8]), out: &mut Vec<u8>) {
        // Room for the rest of a usual line too.
        out.reserve(self.request.len() + auth.len() + results.len() + 1024);
        out.extend_from_slice(b"{\"time\":\"");
        out.extend_from_slice(now.to_string().as_bytes());
        out.extend_from_slice(b"\",\"type\":\"");
        out.extend_from_slice(kind.as_bytes());
        out.extend_from_slice(b"\",\"auth\":{");
        out.extend_from_slice(if auth.is_empty() { b"\"token_type\":\"default\"" } else { auth });
        if !results.is_empty() {
            out.extend_from_slice(b",\"policy_results\":{");
            out.extend_from_slice(results);
            out.push(b'}');
        }
        out.extend_from_slice(b"},\"request\":{");
        out.extend_from_slice(&self.request);
        out.push(b'}');
    }
}

/// `token` and `accessor` are JSON, as this device has them.
fn auth_members(object: &mut Members<'_>, auth: &AuthFacts<'_>, token: &[u8], accessor: &[u8]) {
    let AuthFacts {
        client_token: _,
        accessor: _,
        // It stands in the request's object.
        client_id: _,
        display_name,
        policies,
        token_policies,
        identity_policies,
        metadata,
        entity_id,
        entity_created,
        token_type,
        token_ttl,
        token_issue_time,
        remaining_uses,
    } = auth;
    object.json_text("client_token", token);
    object.json_text("accessor", accessor);
    object.text("display_name", display_name);
    object.texts("policies", policies);
    object.texts("token_policies", token_policies);
    object.texts("identity_policies", identity_policies);
    if let Some(metadata) = metadata.filter(|metadata| !metadata.is_empty()) {
        object.plain("metadata", metadata);
    }
    object.text("entity_id", entity_id);
    if *entity_created {
        object.plain("entity_created", entity_created);
    }
    object.text("token_type", token_type);
    if let Some(ttl) = token_ttl.filter(|ttl| !ttl.is_zero()) {
        object.plain("token_ttl", &ttl.as_secs());
    }
    if let Some(time) = token_issue_time {
        object.plain("token_issue_time", time);
    }
    if let Some(uses) = remaining_uses {
        object.plain("remaining_uses", uses);
    }
}

fn wrap_members(object: &mut Members<'_>, wrap: &WrapFacts<'_>) {
    let WrapFacts { token, accessor, ttl, creation_time, creation_path, wrapped_accessor } = wrap;
    object.plain("ttl", &ttl.as_secs());
    object.secret("token", token.expose());
    object.accessor("accessor", accessor);
    object.plain("creation_time", creation_time);
    object.text("creation_path", creation_path);
    object.accessor("wrapped_accessor", wrapped_accessor);
}
