//! A mount of type `oidc` against a real identity provider: `oidc-provider`, for node.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Setup, TestVault, fields};

const HERE: &str = "http://127.0.0.1:8250/oidc/callback";

/// The provider, in a process of its own; killed, by its own id, when this goes.
struct Node {
    child: Child,
    /// Open as long as it runs: it ends when it cannot write.
    _out: BufReader<ChildStdout>,
    issuer: String,
}

impl Node {
    fn start() -> Self {
        let modules = std::env::var_os("ARCA_TEST_OIDC_PROVIDER");
        let modules = modules.expect("ARCA_TEST_OIDC_PROVIDER: `cargo xtask test` installs the provider and sets this");
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/idp/provider.mjs");
        let mut child = Command::new("node")
            .arg(program)
            .arg(modules)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node: apt-get install nodejs");
        let mut issuer = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut issuer).unwrap();
        assert!(issuer.starts_with("http://127.0.0.1:"), "the provider did not start");
        Self { child, _out: out, issuer: issuer.trim().to_owned() }
    }

    fn agent() -> ureq::Agent {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .proxy(None);
        ureq::Agent::new_with_config(config.build())
    }

    /// Takes its key back, and has a new one.
    fn rotate(&self) {
        let answer = Self::agent().post(format!("{}/rotate", self.issuer)).send_empty().unwrap();
        assert_eq!(answer.status(), 200);
    }

    /// Goes to `address` and wherever that leads, as a browser does, until it comes back: what it comes back with.
    fn browse(&self, address: &str) -> BTreeMap<String, String> {
        let agent = Self::agent();
        let mut cookies: BTreeMap<String, String> = BTreeMap::new();
        let mut at = address.to_owned();
        for _ in 0..10 {
            let sent: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let answer = agent.get(&at).header("Cookie", sent.join("; ")).call().unwrap();
            for cookie in answer.headers().get_all("set-cookie") {
                let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
                match rest.split(';').next().unwrap() {
                    "" => cookies.remove(name),
                    value => cookies.insert(name.to_owned(), value.to_owned()),
                };
            }
            let location = answer.headers().get("location").unwrap_or_else(|| panic!("no redirect: {answer:?}"));
            let location = location.to_str().unwrap();
            if let Some(query) = location.strip_prefix(&format!("{HERE}?")) {
                return fields(query);
            }
            at = if location.starts_with('/') { format!("{}{location}", self.issuer) } else { location.to_owned() };
            assert!(at.starts_with(&self.issuer), "sent elsewhere: {at}");
        }
        panic!("the provider leads nowhere");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configured(node: &Node) -> TestVault {
    let vault = Setup::default().start();
    let root = vault.root();
    root.post("sys/auth/oidc", json!({"type": "oidc"})).ok();
    let config = json!({
        "oidc_discovery_url": node.issuer, "oidc_client_id": "arca", "oidc_client_secret": "a secret of the client",
        "default_role": "web",
    });
    root.post("auth/oidc/config", config).ok();
    let role = json!({
        "user_claim": "sub", "allowed_redirect_uris": [HERE], "oidc_scopes": ["email", "profile", "groups"],
        "claim_mappings": {"email": "email", "name": "name"}, "groups_claim": "groups", "token_policies": "reader",
        "bound_claims": {"groups": "engineering"}, "bound_audiences": ["arca"],
    });
    root.post("auth/oidc/role/web", role).ok();
    vault
}

fn log_in(vault: &TestVault, node: &Node) -> Value {
    let client = vault.anonymous();
    let body = json!({"redirect_uri": HERE, "client_nonce": "mine"});
    let begun = client.post("auth/oidc/oidc/auth_url", body).data();
    let came = node.browse(begun["auth_url"].as_str().unwrap());
    assert_eq!(came["iss"], node.issuer);
    let path = format!("auth/oidc/oidc/callback?state={}&code={}&client_nonce=mine", came["state"], came["code"]);
    let auth = client.get(&path).auth();
    client.get(&path).refuses(400, "missing OAuth state");
    auth
}

#[test]
#[ignore = "needs node, and the provider that `cargo xtask test` installs"]
fn people_log_in_before_and_after_the_provider_has_new_keys() {
    let node = Node::start();
    let vault = configured(&node);
    let auth = log_in(&vault, &node);
    assert_eq!(auth["metadata"], json!({"role": "web", "email": "ann@example.com", "name": "Ann"}));
    assert_eq!(auth["policies"], json!(["default", "reader"]));
    let token = vault.root().with_token(auth["client_token"].as_str().unwrap());
    assert_eq!(token.get("auth/token/lookup-self").data()["display_name"], "oidc-ann");
    assert_eq!(vault.root().get("auth/oidc/config").data()["status"], "valid");
    node.rotate();
    // The discovery document names the new algorithm; a configuration that is written again reads it.
    vault.root().post("auth/oidc/role/web", json!({"role_type": "oidc", "token_ttl": "1m"})).ok();
    let auth = log_in(&vault, &node);
    assert_eq!(auth["lease_duration"], 60);
}

#[test]
#[ignore = "needs node, and the provider that `cargo xtask test` installs"]
fn a_code_is_worth_nothing_without_what_began_it() {
    let node = Node::start();
    let vault = configured(&node);
    let client = vault.anonymous();
    let begin = || {
        let body = json!({"redirect_uri": HERE, "client_nonce": "mine"});
        client.post("auth/oidc/oidc/auth_url", body).data()["auth_url"].as_str().unwrap().to_owned()
    };
    // The code of one login under the state of another: the provider asks for the other's proof (RFC 7636).
    let (first, second) = (node.browse(&begin()), node.browse(&begin()));
    let path = format!("auth/oidc/oidc/callback?state={}&code={}&client_nonce=mine", second["state"], first["code"]);
    client.get(&path).refuses(400, "did not take the code");
    let root = vault.root();
    let config = json!({"oidc_discovery_url": node.issuer, "oidc_client_id": "arca", "oidc_client_secret": "wrong"});
    root.post("auth/oidc/config", config).ok();
    let body = json!({"role": "web", "redirect_uri": HERE});
    let begun = client.post("auth/oidc/oidc/auth_url", body).data();
    let came = node.browse(begun["auth_url"].as_str().unwrap());
    let path = format!("auth/oidc/oidc/callback?state={}&code={}", came["state"], came["code"]);
    client.get(&path).refuses(400, "did not take the code");
}
