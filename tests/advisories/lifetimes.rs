//! How long anything lives: nothing outlives what its role, its mount, its token or the system says.

use std::time::Duration;

use arca::time::{Clock, SystemClock};
use serde_json::{Value, json};

use super::{PASSWORD, browser_logins, encoded, id};
use crate::api::database::{CREATE, configure, users};
use crate::support::postgres::Postgres;
use crate::support::signer::Signer;
use crate::support::{Client, Clients, Issue, Provider, Setup, TestVault, eventually, issuer};

const HOUR: u64 = 3600;
/// What the system allows.
const MOST: u64 = 768 * HOUR;

/// A mounted method, with a role that says how long its tokens live.
struct Method<'a> {
    kind: &'static str,
    /// Where its role is, and what it is besides.
    role: (String, Value),
    /// Who logs in and renews.
    client: Client,
    /// The `auth` of a login.
    log_in: Box<dyn Fn() -> Value + 'a>,
}

/// Every method that can be mounted, with a way to log in.
fn methods<'a>(vault: &'a TestVault, provider: &'a Provider) -> Vec<Method<'a>> {
    let root = vault.root();
    for kind in ["userpass", "approle", "cert", "jwt"] {
        root.post(&format!("sys/auth/{kind}"), json!({"type": kind})).ok();
    }
    let client = vault.anonymous();
    let log_in = move |path: &str, body: &Value| client.post(path, body.clone()).auth();
    root.post("auth/userpass/users/ann", json!({"password": PASSWORD})).ok();
    let (with_password, password) = (log_in.clone(), json!({"password": PASSWORD}));
    root.post("auth/approle/role/app", json!({"role_id": "app"})).ok();
    let secret_id = root.post("auth/approle/role/app/secret-id", json!({})).data()["secret_id"].take();
    let (with_secret_id, secret_id) = (log_in.clone(), json!({"role_id": "app", "secret_id": secret_id}));
    let authority = issuer("services");
    let (certificate, key) = Issue::default().by(&authority);
    let service = Client::new(vault.address, &vault.pki.ca, Some((&certificate, &key)));
    let signer = Signer::new("EdDSA", "k");
    root.post("auth/jwt/config", json!({"jwt_validation_pubkeys": [signer.pem()]})).ok();
    let now = SystemClock.now().unix_seconds();
    let token = json!({"role": "dev", "jwt": signer.sign(&json!({"sub": "ann", "iat": now, "exp": now + 300}))});
    browser_logins(vault, provider, json!({}));
    let here = "http://localhost:8250/oidc/callback";
    let browser = vault.anonymous();
    let with_browser = move || {
        let asked = json!({"redirect_uri": here, "client_nonce": "mine"});
        let begun = browser.post("auth/oidc/oidc/auth_url", asked).data();
        let (state, code) = provider.visit(begun["auth_url"].as_str().unwrap(), &json!({}), now);
        let code = encoded(&code);
        browser.get(&format!("auth/oidc/oidc/callback?state={state}&code={code}&client_nonce=mine")).auth()
    };
    let method = |kind, role: &str, is: Value, log_in| Method {
        kind,
        role: (format!("auth/{kind}/{role}"), is),
        client: vault.anonymous(),
        log_in,
    };
    let is_jwt = json!({"role_type": "jwt", "user_claim": "sub", "bound_subject": "ann"});
    let is_oidc = json!({"role_type": "oidc", "user_claim": "sub", "allowed_redirect_uris": [here]});
    let with_certificate = service.clone();
    let with_certificate = move || with_certificate.post("auth/cert/login", json!({})).auth();
    let cert = method("cert", "certs/web", json!({"certificate": authority.pem()}), Box::new(with_certificate));
    vec![
        method(
            "userpass",
            "users/ann",
            json!({}),
            Box::new(move || with_password("auth/userpass/login/ann", &password)),
        ),
        method("approle", "role/app", json!({}), Box::new(move || with_secret_id("auth/approle/login", &secret_id))),
        Method { client: service, ..cert },
        method("jwt", "role/dev", is_jwt, Box::new(move || log_in("auth/jwt/login", &token))),
        method("oidc", "role/web", is_oidc, Box::new(with_browser)),
    ]
}

impl Method<'_> {
    /// A login with a role of these settings; all that an earlier one said is taken back.
    fn with(&self, root: &Client, settings: &Value) -> Value {
        let (path, is) = &self.role;
        let mut role = json!({
            "token_ttl": 0, "token_max_ttl": 0, "token_period": 0, "token_explicit_max_ttl": 0, "token_type": "default",
        });
        role.as_object_mut()
            .unwrap()
            .extend([is, settings].into_iter().flat_map(|more| more.as_object().unwrap().clone()));
        root.post(path, role).ok();
        (self.log_in)()
    }

    /// Logins of every kind, each with the seconds that its token may live.
    fn is_bounded(&self, root: &Client) -> Vec<String> {
        let tune = |config: Value| root.post(&format!("sys/auth/{}/tune", self.kind), config).ok();
        // At first, and renewed for as long as can be.
        let lives = |settings: Value, first: u64, longest: u64| {
            let auth = self.with(root, &settings);
            assert_eq!(auth["lease_duration"], first, "{}: {settings}", self.kind);
            let token = id(&auth, "client_token");
            if auth["renewable"] == true {
                let holder = self.client.with_token(&token);
                let renewed = holder.post("auth/token/renew-self", json!({"increment": "9000h"})).auth();
                assert_eq!(renewed["lease_duration"], longest, "{}: {settings}, renewed", self.kind);
            }
            token
        };
        let long = json!({"token_ttl": "10h", "token_max_ttl": "20h"});
        lives(json!({}), MOST, MOST);
        lives(long.clone(), 10 * HOUR, 20 * HOUR);
        tune(json!({"default_lease_ttl": "1h", "max_lease_ttl": "2h"}));
        let mut tokens = Vec::new();
        for kind in ["service", "batch"] {
            let of_kind = |mut settings: Value| {
                settings["token_type"] = json!(kind);
                settings
            };
            tokens.push(lives(of_kind(json!({})), HOUR, 2 * HOUR));
            tokens.push(lives(of_kind(long.clone()), 2 * HOUR, 2 * HOUR));
            tokens.push(lives(of_kind(json!({"token_max_ttl": "5m"})), 300, 300));
        }
        tokens.push(lives(json!({"token_ttl": "10h", "token_explicit_max_ttl": "4m"}), 240, 240));
        tune(json!({"default_lease_ttl": "1h", "max_lease_ttl": "2000h"}));
        lives(json!({"token_ttl": "3000h", "token_max_ttl": "3000h"}), 2000 * HOUR, 2000 * HOUR);
        lives(json!({"token_ttl": "3h", "token_max_ttl": "3h"}), 3 * HOUR, 3 * HOUR);
        // A period is longer than its mount allows where the mount was tuned after it.
        assert_eq!(self.with(root, &json!({"token_period": "24h"}))["lease_duration"], 24 * HOUR, "{}", self.kind);
        tune(json!({"default_lease_ttl": "1h", "max_lease_ttl": "2h"}));
        let periodic = (self.log_in)();
        assert_eq!(periodic["lease_duration"], 2 * HOUR, "{}", self.kind);
        tokens.push(id(&periodic, "client_token"));
        tokens
    }
}

#[test]
fn cve_2020_12757_time_to_live_of_logins() {
    let provider = Provider::start();
    let vault = Setup { clients: Clients::Any, ..Setup::manual_clock() }.start();
    let root = vault.root();
    let methods = methods(&vault, &provider);
    let tried: Vec<String> = methods.iter().map(|method| method.kind.to_owned()).collect();
    let mut kinds: Vec<String> = arca::auth::kinds().iter().map(|kind| kind.name.to_owned()).collect();
    kinds.sort_by_key(|kind| tried.iter().position(|other| other == kind));
    assert_eq!(tried, kinds, "a method is not tried");
    let tokens: Vec<(&str, Vec<String>)> =
        methods.iter().map(|method| (method.kind, method.is_bounded(&root))).collect();
    vault.advance(Duration::from_secs(2 * HOUR + 1));
    for (kind, tokens) in tokens {
        for token in tokens {
            root.with_token(&token).get("auth/token/lookup-self").is(403);
        }
        root.post(&format!("sys/leases/revoke-prefix/auth/{kind}"), json!({"sync": true})).ok();
    }
}

/// Leases of credentials: bounded by their role, their mount, the system, and a token that cannot be asked again.
#[test]
fn cve_2020_12757_time_to_live_of_leases() {
    let tried = ["cubbyhole", "database", "kv", "kv-v2"];
    let mut kinds: Vec<&str> = arca::engines::kinds().iter().map(|kind| kind.name).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, tried, "an engine is not tried");
    let server = Postgres::start();
    let vault = Setup::manual_clock().start();
    let root = vault.root();
    configure(&root, &server, CREATE);
    let role =
        |default: &str, max: &str| root.post("database/roles/app", json!({"default_ttl": default, "max_ttl": max}));
    let tune = |default: &str, max: &str| {
        root.post("sys/mounts/database/tune", json!({"default_lease_ttl": default, "max_lease_ttl": max})).ok();
    };
    let lease = |client: &Client| {
        let made = client.get("database/creds/app").ok().json();
        (made["lease_duration"].as_u64().unwrap(), id(&made, "lease_id"))
    };
    let renewed = |lease: &str| {
        let body = json!({"lease_id": lease, "increment": "9000h"});
        root.post("sys/leases/renew", body).ok().json()["lease_duration"].as_u64().unwrap()
    };
    let mut until = Vec::new();
    for (settings, mount, first, longest) in [
        (("10h", "20h"), ("0", "0"), 10 * HOUR, 20 * HOUR),
        (("0", "0"), ("1h", "2h"), HOUR, 2 * HOUR),
        (("10h", "20h"), ("1h", "2h"), 2 * HOUR, 2 * HOUR),
        (("3h", "3h"), ("1h", "200h"), 3 * HOUR, 3 * HOUR),
        (("2000h", "3000h"), ("0", "0"), MOST, MOST),
    ] {
        tune(mount.0, mount.1);
        role(settings.0, settings.1).ok();
        let (seconds, id) = lease(&root);
        assert_eq!((seconds, renewed(&id)), (first, longest), "{settings:?} in a mount of {mount:?}");
        until.push((longest, id));
    }
    role("10h", "20h").ok();
    let app = json!({"policy": "path \"database/creds/app\" { capabilities = [\"read\"] }"});
    root.post("sys/policies/acl/app", app).ok();
    let batch = vault.with_token(json!({"type": "batch", "policies": ["app"], "ttl": "60s"}));
    let (seconds, id) = lease(&batch);
    assert!(seconds <= 60, "{seconds}");
    until.push((60, id));
    // One that ends with the token that it was made for.
    let service = vault.with_token(json!({"policies": ["app"], "ttl": "90s", "explicit_max_ttl": "90s"}));
    until.push((90, lease(&service).1));
    nothing_is_lent(&root, &server);
    until.sort_unstable();
    let mut passed = 0;
    for (seconds, lease) in until {
        vault.advance(Duration::from_secs(seconds + 1 - passed));
        passed = seconds + 1;
        eventually("its time is over", || {
            let found = root.post("sys/leases/lookup", json!({"lease_id": lease}));
            (found.status == 400).then_some(())
        });
    }
    eventually("no user is left", || (users(&server) == 0).then_some(()));
}

/// Nothing of a static user is lent, nor of what is only kept.
fn nothing_is_lent(root: &Client, server: &Postgres) {
    server.query("create role steady login");
    let steady = json!({"db_name": "pg", "username": "steady", "rotation_period": "1h"});
    root.post("database/config/pg", json!({"allowed_roles": "*"})).ok();
    root.post("database/static-roles/steady", steady).ok();
    root.post("sys/mounts/kv", json!({"type": "kv"})).ok();
    root.post("kv/a", json!({"x": 1})).ok();
    root.post("sys/mounts/kv2", json!({"type": "kv", "options": {"version": "2"}})).ok();
    root.post("kv2/data/a", json!({"data": {"x": 1}})).ok();
    root.post("cubbyhole/a", json!({"x": 1})).ok();
    for path in ["database/static-creds/steady", "kv/a", "kv2/data/a", "cubbyhole/a"] {
        let read = root.get(path).ok().json();
        assert_eq!((&read["lease_id"], &read["renewable"]), (&json!(""), &json!(false)), "{path}");
    }
}

/// Tokens that are made for somebody: bounded by what they are made with, by their role, by the system.
#[test]
fn cve_2020_12757_time_to_live_of_tokens() {
    let vault = Setup::manual_clock().start();
    let root = vault.root();
    root.post("auth/token/roles/short", json!({"token_explicit_max_ttl": "5m"})).ok();
    root.post("auth/token/roles/batch", json!({"token_type": "batch", "orphan": true, "renewable": false})).ok();
    root.post("auth/token/roles/periodic", json!({"token_period": "10m"})).ok();
    let mut until = Vec::new();
    for (role, body, seconds) in [
        ("", json!({}), MOST),
        ("", json!({"ttl": "9000h"}), MOST),
        ("", json!({"ttl": "9000h", "type": "batch"}), MOST),
        ("", json!({"ttl": "10h", "explicit_max_ttl": "1h"}), HOUR),
        ("", json!({"period": "9000h", "explicit_max_ttl": "2h"}), 2 * HOUR),
        ("/short", json!({"ttl": "10h"}), 300),
        ("/short", json!({"ttl": "10h", "explicit_max_ttl": "20h"}), 300),
        ("/short", json!({"ttl": "10h", "explicit_max_ttl": "2m"}), 120),
        ("/batch", json!({"ttl": "9000h"}), MOST),
        ("/periodic", json!({"ttl": "10h"}), 600),
    ] {
        let mut asked = json!({"policies": ["default"]});
        asked.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let made = root.post(&format!("auth/token/create{role}"), asked).auth();
        assert_eq!(made["lease_duration"], seconds, "{role}: {body}");
        let token = id(&made, "client_token");
        if made["renewable"] == true {
            let renewed = root.with_token(&token).post("auth/token/renew-self", json!({"increment": "9000h"})).auth();
            assert_eq!(renewed["lease_duration"], seconds, "{role}: {body}");
        }
        until.push((seconds, token));
    }
    let wrapped = root.with_header("x-vault-wrap-ttl", "60").get("sys/mounts").is(200).json();
    assert_eq!(wrapped["wrap_info"]["ttl"], 60);
    until.push((60, id(&wrapped["wrap_info"], "token")));
    until.sort_unstable();
    let mut passed = 0;
    for (seconds, token) in until {
        vault.advance(Duration::from_secs(seconds + 1 - passed));
        passed = seconds + 1;
        root.with_token(&token).get("auth/token/lookup-self").is(403);
    }
}
