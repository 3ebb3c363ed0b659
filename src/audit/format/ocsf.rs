//! Open Cybersecurity Schema Framework 1.4: API Activity (6003), or Authentication (3002) where someone logs in. What the
//! schema has no attribute for is in `unmapped`, the recorded line as a whole.

use super::recorded::{Act, Object, Recorded, Subject, milliseconds};

/// Writes a line without its closing brace. `line` is what `recorded` was read from.
pub(super) fn write(recorded: &Recorded<'_>, line: &[u8], out: &mut Vec<u8>) {
    let class = Class::of(recorded);
    let mut object = Object::begin(out);
    object.number("time", milliseconds(recorded.time));
    class.write(recorded, &mut object);
    let severity = if recorded.went_well() == Some(false) { 2 } else { 1 };
    object.number("severity_id", severity);
    let status = match recorded.went_well() {
        Some(true) => 1,
        Some(false) => 2,
        None => 0,
    };
    object.number("status_id", status);
    object.some("status_detail", recorded.error);
    object.nested("metadata", |metadata| {
        metadata.word("version", "1.4.0");
        metadata.nested("product", |product| {
            product.word("name", "Arca");
            product.word("vendor_name", "Arca");
            product.word("version", env!("CARGO_PKG_VERSION"));
        });
        metadata.word("log_name", "audit");
        metadata.some("event_code", recorded.kind);
        metadata.some("correlation_uid", recorded.request.id);
        metadata.some("tenant_uid", recorded.request.namespace.path);
    });
    match class {
        Class::ApiActivity => activity(&mut object, recorded),
        Class::Authentication => authentication(&mut object, recorded),
    }
    source(&mut object, recorded);
    object.recorded("unmapped", line);
}

/// The class of an event.
#[derive(Clone, Copy)]
enum Class {
    ApiActivity,
    Authentication,
}

impl Class {
    fn of(recorded: &Recorded<'_>) -> Self {
        if recorded.is_login() { Self::Authentication } else { Self::ApiActivity }
    }

    fn write(self, recorded: &Recorded<'_>, object: &mut Object<'_>) {
        let (category, class, activity) = match self {
            Self::ApiActivity => (6, 6003, api_activity(recorded)),
            Self::Authentication => (3, 3002, LOGON),
        };
        object.number("category_uid", category);
        object.number("class_uid", class);
        object.number("activity_id", activity);
        object.number("type_uid", class * 100 + activity);
    }
}

fn api_activity(recorded: &Recorded<'_>) -> i64 {
    match (recorded.subject(), recorded.act()) {
        (Subject::Log, _) | (Subject::Request | Subject::Response, Act::Other) => OTHER,
        (Subject::Request | Subject::Response, Act::Create) => 1,
        (Subject::Request | Subject::Response, Act::Read) => 2,
        (Subject::Request | Subject::Response, Act::Update) => 3,
        (Subject::Request | Subject::Response, Act::Delete) => 4,
    }
}

fn activity(object: &mut Object<'_>, recorded: &Recorded<'_>) {
    let (auth, request) = (&recorded.auth, &recorded.request);
    object.nested("actor", |actor| {
        if recorded.subject() == Subject::Log {
            return actor.word("app_name", "arcad");
        }
        actor.nested("user", |user| self::user(user, recorded));
        if auth.accessor.is_some() {
            actor.nested("session", |session| session.some("uid", auth.accessor));
        }
        if let Some(decision) = &auth.policy_results {
            let word = if decision.allowed { "allowed" } else { "denied" };
            actor.list_of("authorizations", |authorization| {
                authorization.word("decision", word);
                if let Some(granting) = decision.granting_policies.first() {
                    authorization.nested("policy", |policy| policy.some("name", granting.name));
                }
            });
        }
    });
    object.nested("api", |api| {
        api.some("operation", request.operation.or(recorded.kind));
        if request.id.is_some() {
            api.nested("request", |object| object.some("uid", request.id));
        }
        if recorded.error.is_some() {
            api.nested("response", |response| response.some("error_message", recorded.error));
        }
        if request.mount_type.is_some() {
            api.nested("service", |service| service.some("name", request.mount_type));
        }
    });
    if request.path.is_some() {
        object.list_of("resources", |resource| {
            resource.some("name", request.path);
            resource.some("type", request.mount_type);
            resource.some("namespace", request.namespace.path);
        });
        object.nested("http_request", |http| {
            http.nested("url", |url| url.behind("path", "/v1/", request.path));
        });
    }
}

fn authentication(object: &mut Object<'_>, recorded: &Recorded<'_>) {
    let request = &recorded.request;
    object.nested("user", |user| self::user(user, recorded));
    object.number("auth_protocol_id", OTHER);
    object.some("auth_protocol", request.mount_type);
    object.nested("service", |service| service.some("name", request.mount_point));
    object.raw("is_remote", "true");
    let issued = recorded.response.as_ref().and_then(|response| response.auth.as_ref());
    if let Some(accessor) = issued.and_then(|issued| issued.accessor) {
        object.nested("session", |session| session.raw("uid", accessor.get()));
    }
    object.nested("http_request", |http| {
        http.nested("url", |url| url.behind("path", "/v1/", request.path));
    });
}

/// Who it is. A user of the schema needs a name or an identifier.
fn user(user: &mut Object<'_>, recorded: &Recorded<'_>) {
    match recorded.auth.display_name {
        Some(name) => user.raw("name", name.get()),
        None => user.word("name", "unknown"),
    }
    user.some("uid", recorded.auth.entity_id);
    user.some("credential_uid", recorded.request.client_token);
}

/// Where it comes from. An endpoint of the schema needs an address or a name.
fn source(object: &mut Object<'_>, recorded: &Recorded<'_>) {
    let request = &recorded.request;
    object.nested("src_endpoint", |endpoint| match request.remote_address {
        Some(address) => {
            endpoint.raw("ip", address.get());
            endpoint.some("port", request.remote_port);
        }
        None => endpoint.word("svc_name", "arcad"),
    });
}

const LOGON: i64 = 1;
const OTHER: i64 = 99;
