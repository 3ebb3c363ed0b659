//! Elastic Common Schema 8.17. What the schema has no field for is in `arca`, the recorded line as a whole.

use super::recorded::{Act, Object, Recorded, Subject};

/// Writes a line without its closing brace. `line` is what `recorded` was read from.
pub(super) fn write(recorded: &Recorded<'_>, line: &[u8], out: &mut Vec<u8>) {
    let mut object = Object::begin(out);
    object.some("@timestamp", recorded.time);
    object.nested("ecs", |ecs| ecs.word("version", "8.17.0"));
    object.nested("event", |event| self::event(event, recorded));
    if recorded.subject() != Subject::Log {
        about(&mut object, recorded);
    }
    if let Some(error) = recorded.error {
        object.nested("error", |object| object.raw("message", error.get()));
    }
    object.recorded("arca", line);
}

fn event(event: &mut Object<'_>, recorded: &Recorded<'_>) {
    event.word("kind", "event");
    event.word("module", "arca");
    event.word("dataset", "arca.audit");
    event.word("provider", "arcad");
    let category = if recorded.is_login() { "[\"authentication\"]" } else { "[\"api\"]" };
    match recorded.subject() {
        Subject::Log => {
            event.some("action", recorded.kind);
            event.raw("category", "[\"process\"]");
            event.raw("type", "[\"info\"]");
        }
        Subject::Request => {
            event.some("action", recorded.request.operation);
            event.raw("category", category);
            event.raw("type", &types(recorded, "start"));
        }
        Subject::Response => {
            event.some("action", recorded.request.operation);
            event.raw("category", category);
            event.raw("type", &types(recorded, "end"));
        }
    }
    let outcome = match recorded.went_well() {
        Some(true) => "success",
        Some(false) => "failure",
        None => "unknown",
    };
    event.word("outcome", outcome);
}

/// What sort of event it is: its side of the request, what it does, and whether it may.
fn types(recorded: &Recorded<'_>, side: &'static str) -> String {
    let act = match recorded.act() {
        Act::Create => "creation",
        Act::Read => "access",
        Act::Update => "change",
        Act::Delete => "deletion",
        Act::Other => "info",
    };
    let decided = recorded.auth.policy_results.as_ref();
    let decision = decided.map_or("", |decision| if decision.allowed { ",\"allowed\"" } else { ",\"denied\"" });
    format!("[\"{side}\",\"{act}\"{decision}]")
}

fn about(object: &mut Object<'_>, recorded: &Recorded<'_>) {
    let (auth, request) = (&recorded.auth, &recorded.request);
    if auth.entity_id.is_some() || auth.display_name.is_some() || auth.policies.is_some() {
        object.nested("user", |user| {
            user.some("id", auth.entity_id);
            user.some("name", auth.display_name);
            user.some("roles", auth.policies);
        });
    }
    if request.id.is_some() {
        object.nested("http", |http| http.nested("request", |object| object.some("id", request.id)));
    }
    if request.path.is_some() {
        object.nested("url", |url| url.behind("path", "/v1/", request.path));
    }
    if request.remote_address.is_some() {
        object.nested("source", |source| {
            source.some("address", request.remote_address);
            source.some("ip", request.remote_address);
            source.some("port", request.remote_port);
        });
    }
    if request.client_certificate_serial_number.is_some() {
        object.nested("tls", |tls| {
            tls.nested("client", |client| {
                client.nested("x509", |x509| x509.some("serial_number", request.client_certificate_serial_number));
            });
        });
    }
    if request.namespace.path.is_some() {
        object.nested("organization", |organization| organization.some("name", request.namespace.path));
    }
    object.nested("service", |service| {
        service.word("name", "arca");
        service.word("type", "arca");
    });
}
