//! Past advisories of Vault and OpenBao, each as the test that would have shown it. `docs/security/advisories.md` has the
//! whole list, and says of the rest why it cannot happen here.

mod authentication;
mod certificates;
mod confidentiality;
mod cryptography;
mod http;
mod lifetimes;
mod policy;
mod spool;
mod table;

use arca::api::Operation;
use serde_json::{Value, json};

use crate::support::{CLIENT, Client, Provider, SECRET, TestVault};

pub(crate) use crate::attack::scale;

/// Of every user that is made here.
const PASSWORD: &str = "wide river, far shore";

/// The same client, asking from the namespace at `path`.
fn within(client: &Client, path: &str) -> Client {
    client.with_header("x-vault-namespace", path)
}

/// Mounts `userpass` at `path` with the user `ann`, who has these settings too; gives the accessor.
#[expect(clippy::needless_pass_by_value, reason = "callers write the settings where they send them")]
fn userpass(vault: &TestVault, path: &str, settings: Value) -> String {
    let root = vault.root();
    root.post(&format!("sys/auth/{path}"), json!({"type": "userpass"})).ok();
    let mut user = json!({"password": PASSWORD});
    user.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    root.post(&format!("auth/{path}/users/ann"), user).ok();
    id(&root.get(&format!("sys/auth/{path}")).data(), "accessor")
}

/// Mounts `oidc` for logins with a browser at `provider`, with these settings too.
#[expect(clippy::needless_pass_by_value, reason = "callers write the settings where they send them")]
fn browser_logins(vault: &TestVault, provider: &Provider, settings: Value) {
    let root = vault.root();
    root.post("sys/auth/oidc", json!({"type": "oidc"})).ok();
    let mut config = json!({
        "oidc_discovery_url": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET, "default_role": "web",
    });
    config.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    root.post("auth/oidc/config", config).ok();
}

/// The user `ann`, logged in, and what the login said.
fn log_in(vault: &TestVault, path: &str) -> (Client, Value) {
    let auth = vault.anonymous().post(&format!("auth/{path}/login/ann"), json!({"password": PASSWORD})).auth();
    (vault.anonymous().with_token(&id(&auth, "client_token")), auth)
}

/// A value as it stands in a URL.
fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn id(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}")).to_owned()
}

/// How an operation is asked for: a method, and a body where there is one.
fn method(operation: Operation) -> (&'static str, Option<&'static [u8]>) {
    match operation {
        Operation::Read | Operation::Help => ("GET", None),
        Operation::Write => ("POST", Some(b"{}")),
        Operation::Patch => ("PATCH", Some(b"{}")),
        Operation::Delete => ("DELETE", None),
        Operation::List => ("LIST", None),
        Operation::Scan => ("SCAN", None),
    }
}
