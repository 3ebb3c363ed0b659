//! Class B: logins, tokens, leases.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arca::engine::LockoutPolicy;
use arca::storage::fault::{FaultyStorage, Moment};
use arca::storage::{MemoryStorage, Page, Storage, StorageError};
use arca::time::{Clock, SystemClock};
use serde_json::{Value, json};

use super::certificates::{self, Leaf};
use super::{PASSWORD, browser_logins, encoded, id, userpass, within};
use crate::api::database::{CREATE, configure, users};
use crate::support::postgres::Postgres;
use crate::support::signer::Signer;
use crate::support::{Client, Clients, Issue, Provider, Setup, TestVault, crl, eventually, issuer};

fn approle(vault: &TestVault, role: &str, settings: &Value) -> Value {
    let root = vault.root();
    let _ = root.post("sys/auth/approle", json!({"type": "approle"}));
    root.post(&format!("auth/approle/role/{role}"), settings.clone()).ok();
    root.get(&format!("auth/approle/role/{role}/role-id")).data()["role_id"].take()
}

fn secret_id(vault: &TestVault, role: &str) -> Value {
    vault.root().post(&format!("auth/approle/role/{role}/secret-id"), json!({})).data()
}

#[test]
fn cve_2026_115362_expired_secret_id() {
    let vault = Setup::manual_clock().start();
    let role_id = approle(&vault, "app", &json!({"secret_id_ttl": "2s"}));
    let secret = secret_id(&vault, "app")["secret_id"].take();
    let log_in = || vault.anonymous().post("auth/approle/login", json!({"role_id": role_id, "secret_id": secret}));
    log_in().is(200);
    vault.advance(Duration::from_secs(2));
    log_in().is(400);
    vault.root().post("auth/approle/tidy/secret-id", json!({})).ok();
    log_in().is(400);
}

/// A quota of a role counts its logins however they are written down.
#[test]
fn cve_2026_115359_role_quota_and_forms() {
    let vault = Setup { clients: Clients::Any, ..Setup::default() }.start();
    let root = vault.root();
    let settings = json!({"bind_secret_id": false, "secret_id_bound_cidrs": "0.0.0.0/0,::/0"});
    let role_id = approle(&vault, "web", &settings);
    let rule = json!({"path": "auth/approle", "role": "web", "rate": 3, "interval": "1h"});
    root.post("sys/quotas/rate-limit/web", rule).ok();
    let form = |client: &Client, path: &str, body: &str| {
        client.with_header("content-type", "application/x-www-form-urlencoded").send(
            "POST",
            path,
            Some(body.as_bytes()),
        )
    };
    let as_form = format!("role_id={}", role_id.as_str().unwrap());
    let client = vault.anonymous();
    let statuses = [
        client.post("auth/approle/login", json!({"role_id": role_id})).status,
        form(&client, "auth/approle/login", &as_form).status,
        form(&client, "auth/approle/login", &as_form).status,
        form(&client, "auth/approle/login", &as_form).status,
        client.post("auth/approle/login", json!({"role_id": role_id})).status,
    ];
    assert_eq!(statuses, [200, 200, 200, 429, 429]);

    root.post("sys/auth/cert", json!({"type": "cert"})).ok();
    let authority = issuer("services");
    root.post("auth/cert/certs/web", json!({"certificate": authority.pem()})).ok();
    let rule = json!({"path": "auth/cert", "role": "web", "rate": 3, "interval": "1h"});
    root.post("sys/quotas/rate-limit/certs", rule).ok();
    let (certificate, key) = Issue::default().by(&authority);
    let client = Client::new(vault.address, &vault.pki.ca, Some((&certificate, &key)));
    let statuses = [
        client.post("auth/cert/login", json!({"name": "web"})).status,
        client.post("auth/cert/login", json!({})).status,
        form(&client, "auth/cert/login", "name=WEB").status,
        form(&client, "auth/cert/login", "name=web").status,
        client.post("auth/cert/login", json!({})).status,
    ];
    assert_eq!(statuses, [200, 200, 200, 429, 429]);

    // A rule may be written in another case than the role, and so may the logins.
    root.post("sys/auth/jwt", json!({"type": "jwt"})).ok();
    let signer = Signer::new("EdDSA", "k");
    root.post("auth/jwt/config", json!({"jwt_validation_pubkeys": [signer.pem()]})).ok();
    let role = json!({"role_type": "jwt", "user_claim": "sub", "bound_audiences": "mine"});
    root.post("auth/jwt/role/dev", role).ok();
    let rule = json!({"path": "auth/jwt", "role": "dEv", "rate": 3, "interval": "1h"});
    root.post("sys/quotas/rate-limit/jwt", rule).ok();
    let mut claims = claims();
    claims["aud"] = json!("mine");
    let token = signer.sign(&claims);
    let statuses = ["dev", "Dev", "DEV", "deV", "dev"]
        .map(|role| client.post("auth/jwt/login", json!({"role": role, "jwt": token})).status);
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
}

#[test]
fn cve_2026_39388_renewal_with_a_sibling_certificate() {
    let vault = certificates::vault();
    let authority = issuer("services");
    vault.root().post("auth/cert/certs/web", json!({"certificate": authority.pem(), "token_ttl": "10m"})).ok();
    let (mine, sibling) = (Issue::default().by(&authority), Issue::default().by(&authority));
    let client = certificates::client(&vault, &mine);
    let token = client.post("auth/cert/login", json!({"name": "web"})).issued();
    client.with_token(&token).post("auth/token/renew-self", json!({})).is(200);
    let other = certificates::client(&vault, &sibling).with_token(&token);
    other.post("auth/token/renew-self", json!({})).is(400);
    Client::new(vault.address, &vault.pki.ca, None).with_token(&token).post("auth/token/renew-self", json!({})).is(400);
}

#[test]
fn cve_2026_40264_accessors_and_leases_of_another_namespace() {
    let vault = TestVault::new();
    let root = vault.root();
    for name in ["one", "two"] {
        root.post(&format!("sys/namespaces/{name}"), json!({})).ok();
    }
    let two = within(&root, "two");
    let victim = two.post("auth/token/create", json!({"policies": ["default"], "ttl": "1h"})).auth();
    let keys = two.list("sys/leases/lookup/auth/token/create").data()["keys"].take();
    let lease = format!("auth/token/create/{}", keys[0].as_str().unwrap());
    let all = "path \"*\" { capabilities = [\"create\", \"read\", \"update\", \"delete\", \"list\", \"sudo\"] }";
    let one = within(&root, "one");
    one.post("sys/policies/acl/admin", json!({ "policy": all })).ok();
    let (token, accessor) = (json!({"token": victim["client_token"]}), json!({"accessor": victim["accessor"]}));
    let named = json!({"lease_id": lease, "sync": true});
    for (path, body, status) in [
        ("auth/token/lookup", &token, 400),
        ("auth/token/lookup-accessor", &accessor, 400),
        ("auth/token/renew", &token, 400),
        ("auth/token/renew-accessor", &accessor, 400),
        ("auth/token/revoke", &token, 400),
        ("auth/token/revoke-orphan", &token, 400),
        // A success that says: "No token found with this accessor". Revoking a lease that is not there is one too.
        ("auth/token/revoke-accessor", &accessor, 200),
        ("sys/capabilities-accessor", &json!({"accessor": victim["accessor"], "path": "a"}), 400),
        ("sys/leases/lookup", &named, 400),
        ("sys/leases/renew", &named, 400),
        (&format!("sys/leases/renew/{lease}"), &json!({}), 400),
        ("sys/leases/revoke", &named, 204),
        (&format!("sys/leases/revoke/{lease}"), &json!({"sync": true}), 204),
        // What is below a prefix is what is below it in one's own namespace.
        ("sys/leases/revoke-prefix/auth", &json!({"sync": true}), 204),
        ("sys/leases/revoke-force/auth/token", &json!({}), 204),
        ("sys/leases/revoke-prefix/two/auth", &json!({"sync": true}), 204),
        ("sys/leases/revoke-prefix/../two/auth", &json!({"sync": true}), 404),
    ] {
        for (path, status) in [(path.to_owned(), status), (format!("../two/{path}"), 404), (format!("two/{path}"), 404)]
        {
            // Whoever revokes all that is below a prefix may be below it: each try has a token of its own.
            let made = json!({"policies": ["admin"], "no_default_policy": true});
            let admin = one.with_token(&one.post("auth/token/create", made).issued());
            admin.get("sys/mounts").is(200);
            let mut answer = admin.post(&path, body.clone());
            if answer.status == 307 {
                answer = admin.post(answer.headers["location"].to_str().unwrap(), body.clone());
            }
            let answer = answer.is(status);
            let said = answer.text.contains(victim["accessor"].as_str().unwrap());
            assert!(!said, "{path}: {} {}", answer.status, answer.text);
            let holder = two.with_token(victim["client_token"].as_str().unwrap());
            let ttl = holder.get("auth/token/lookup-self").data()["ttl"].as_u64().unwrap();
            assert!((3500..=3600).contains(&ttl), "{path} renewed it: {ttl}");
        }
    }
    two.post("sys/leases/lookup", json!({"lease_id": lease})).is(200);
}

#[test]
fn cve_2026_46405_a_refused_login_leaves_no_token() {
    let vault = TestVault::new();
    let root = vault.root();
    userpass(&vault, "userpass", json!({"token_bound_cidrs": "203.0.113.0/24"}));
    let role = json!({"bind_secret_id": false, "secret_id_bound_cidrs": "203.0.113.0/24"});
    let role_id = approle(&vault, "app", &role);
    let signer = Signer::new("EdDSA", "k");
    root.post("sys/auth/jwt", json!({"type": "jwt"})).ok();
    root.post("auth/jwt/config", json!({"jwt_validation_pubkeys": [signer.pem()]})).ok();
    let role = json!({"role_type": "jwt", "user_claim": "sub", "token_bound_cidrs": "203.0.113.0/24"});
    root.post("auth/jwt/role/dev", role).ok();
    let count = || (root.list("auth/token/accessors").data()["keys"].as_array().unwrap().len(), vault.lease_count());
    let before = count();
    let jwt = signer.sign(&claims());
    for (path, body) in [
        ("auth/userpass/login/ann", json!({"password": PASSWORD})),
        ("auth/approle/login", json!({"role_id": role_id})),
        ("auth/jwt/login", json!({"role": "dev", "jwt": jwt})),
        ("auth/userpass/login/ann", json!({"password": [PASSWORD, 1]})),
    ] {
        let answer = vault.anonymous().post(path, body);
        assert!(matches!(answer.status, 400 | 403), "{path}: {} {}", answer.status, answer.text);
        assert!(!answer.text.contains("client_token"));
    }
    root.post("auth/token/create", json!({"policies": ["default"], "num_uses": -1})).is(400);
    assert_eq!(count(), before);
}

#[test]
fn ghsa_rh46_vc3j_w2w3_verbs_are_a_closed_set() {
    let vault = TestVault::new();
    let root = vault.root();
    userpass(&vault, "userpass", json!({}));
    root.post("cubbyhole/kept", json!({"a": 1})).ok();
    for verb in [
        "RENEW",
        "REVOKE",
        "ROLLBACK",
        "ALIAS-LOOKAHEAD",
        "RESOLVE-ROLE",
        "HEADER",
        "CREATE",
        "UPDATE",
        "HELP",
        "RECOVER",
        "INITIALIZE",
        "get",
        "list",
        "TRACE",
        "CONNECTED",
    ] {
        for path in ["cubbyhole/kept", "auth/userpass/login/ann", "sys/leases/lookup"] {
            root.send(verb, path, None).is(405);
        }
    }
    for name in ["x-http-method-override", "x-method-override", "x-http-method"] {
        root.with_header(name, "DELETE").get("cubbyhole/kept").is(200);
    }
    assert_eq!(root.get("cubbyhole/kept").data()["a"], 1);
}

#[test]
fn cve_2025_6004_lockout_over_spellings_of_a_name() {
    let vault = TestVault::new();
    let root = vault.root();
    userpass(&vault, "userpass", json!({}));
    let log_in = |name: &str, password: &str| {
        vault.anonymous().post(&format!("auth/userpass/login/{name}"), json!({"password": password})).status
    };
    for name in ["ann", "ANN", "Ann", "aNN", "anN"] {
        assert_eq!(log_in(name, "wrong"), 400);
    }
    for name in ["ann", "ANN", "aNn"] {
        assert_eq!(log_in(name, PASSWORD), 403, "{name} is not locked out");
    }
    // With blanks around it it is no name.
    assert_eq!(log_in("%20ann", PASSWORD), 404);
    assert_eq!(log_in("ann%20", PASSWORD), 404);
    assert_eq!(root.list("identity/entity-alias/id").status, 404, "nobody has logged in");
}

/// A login of an unknown user takes as long as one with a wrong password.
#[test]
fn cve_2025_6011_time_of_unknown_users() {
    let mut settings = arca::vault::Settings::default();
    settings.lockouts.insert("all".to_owned(), LockoutPolicy { threshold: None, ..LockoutPolicy::default() });
    let vault = Setup { settings, audited: false, ..Setup::default() }.start();
    userpass(&vault, "userpass", json!({}));
    let client = vault.anonymous();
    let time = |name: &str| {
        let start = Instant::now();
        client.post(&format!("auth/userpass/login/{name}"), json!({"password": "wrong"})).is(400);
        start.elapsed().as_secs_f64()
    };
    time("ann");
    let mut ratio = 0.0;
    for _ in 0..8 {
        let (mut known, mut unknown): (Vec<f64>, Vec<f64>) = (0..12).map(|_| (time("ann"), time("nobody"))).unzip();
        ratio = median(&mut known) / median(&mut unknown);
        if (0.95..1.05).contains(&ratio) {
            break;
        }
    }
    println!("cve_2025_6011: a wrong password takes {ratio:.3} times as long as an unknown name");
    // Without the work that is done for nobody it would be ten and more; a machine that has other things to do disturbs
    // either, and not all of the readings.
    assert!((0.9..1.1).contains(&ratio), "{ratio}");
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// What was shown for LDAP holds for every method that knows names.
#[test]
fn cve_2020_35177_answers_for_unknown_users() {
    let vault = TestVault::new();
    userpass(&vault, "userpass", json!({}));
    let role_id = approle(&vault, "app", &json!({}));
    let said = |path: &str, body: Value| {
        let answer = vault.anonymous().post(path, body);
        (answer.status, answer.text)
    };
    // Far enough to be locked out, which is to tell nothing either.
    let tries = |name: &str| -> Vec<(u16, String)> {
        (0..7).map(|_| said(&format!("auth/userpass/login/{name}"), json!({"password": "wrong"}))).collect()
    };
    let (known, unknown) = (tries("ann"), tries("bob"));
    assert_eq!(known, unknown);
    assert_eq!(known.last().map(|(status, _)| *status), Some(403), "nobody was locked out");
    let locked = vault.root().get("sys/locked-users").data();
    assert_eq!(locked["by_namespace"][0]["mount_accessors"][0]["alias_identifiers"], json!(["ann"]));
    // Who gets the name is not locked out by what was tried before.
    vault.root().post("auth/userpass/users/bob", json!({"password": PASSWORD})).ok();
    vault.anonymous().post("auth/userpass/login/bob", json!({"password": PASSWORD})).is(200);
    assert_eq!(
        said("auth/approle/login", json!({"role_id": role_id, "secret_id": "wrong"})).0,
        said("auth/approle/login", json!({"role_id": "unknown", "secret_id": "wrong"})).0
    );
}

#[test]
fn cve_2025_6037_forged_twin_of_a_trusted_leaf() {
    let vault = certificates::vault();
    let (authority, stranger) = (issuer("services"), issuer("services"));
    let leaf = Leaf { name: "billing", serial: 4711 };
    let real = leaf.by(&authority);
    vault.root().post("auth/cert/certs/billing", json!({"certificate": real.0})).ok();
    certificates::client(&vault, &real).post("auth/cert/login", json!({})).is(200);
    for twin in [leaf.by(&authority), leaf.by(&stranger), leaf.by_itself()] {
        certificates::client(&vault, &twin).post("auth/cert/login", json!({})).is(400);
        certificates::client(&vault, &twin).post("auth/cert/login", json!({"name": "billing"})).is(400);
    }
    // A pinned leaf is no authority for others.
    let child = leaf.below(&real);
    certificates::client(&vault, &child).post("auth/cert/login", json!({})).is(400);
}

/// OCSP is not asked; whoever switches it on is told so, and does not believe to be protected.
#[test]
fn cve_2024_2660_ocsp_is_not_believed() {
    let vault = certificates::vault();
    let authority = issuer("services");
    let role = json!({"certificate": authority.pem(), "ocsp_enabled": true});
    vault.root().post("auth/cert/certs/web", role).refuses(400, "OCSP is not supported");
    vault.root().get("auth/cert/certs/web").is(404);
}

#[test]
fn cve_2022_41316_crl_after_a_restart() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let setup = || Setup { clients: Clients::Any, storage: storage.clone(), ..Setup::default() };
    let vault = setup().start();
    let root = vault.root();
    root.post("sys/auth/cert", json!({"type": "cert"})).ok();
    let authority = issuer("services");
    root.post("auth/cert/certs/web", json!({"certificate": authority.pem()})).ok();
    let (bad, good) = (Leaf { name: "bad", serial: 5 }.by(&authority), Leaf { name: "good", serial: 6 }.by(&authority));
    let before = certificates::client(&vault, &bad).post("auth/cert/login", json!({})).issued();
    root.post("auth/cert/crls/one", json!({"crl": crl(&authority, &[5], 1)})).ok();
    certificates::client(&vault, &bad).post("auth/cert/login", json!({})).is(400);
    certificates::client(&vault, &bad).with_token(&before).post("auth/token/renew-self", json!({})).is(400);
    let (shares, token) = (vault.shares.clone(), vault.root().token().to_owned());
    vault.crash();
    let mut again = setup().start();
    again.adopt(&shares, &token);
    again.unseal();
    certificates::client(&again, &bad).post("auth/cert/login", json!({"name": "web"})).is(400);
    certificates::client(&again, &good).post("auth/cert/login", json!({"name": "web"})).is(200);
}

fn claims() -> Value {
    let now = SystemClock.now().unix_seconds();
    json!({"sub": "ann", "iat": now, "exp": now + 300})
}

#[test]
fn cve_2024_5798_audience_as_text_and_as_list() {
    let vault = TestVault::new();
    let root = vault.root();
    let signer = Signer::new("EdDSA", "k");
    root.post("sys/auth/jwt", json!({"type": "jwt"})).ok();
    root.post("auth/jwt/config", json!({"jwt_validation_pubkeys": [signer.pem()]})).ok();
    let claim = |aud: &Value| {
        let mut claims = claims();
        if !aud.is_null() {
            claims["aud"] = aud.clone();
        }
        signer.sign(&claims)
    };
    let good = [json!("mine"), json!(["mine"]), json!(["x", "mine"]), json!(["other", "mine"])];
    let bad = [
        json!("min"),
        json!("mine2"),
        json!("x mine"),
        json!("mine,x"),
        json!("MINE"),
        json!(["x"]),
        json!([]),
        json!([""]),
        json!(""),
        json!({"mine": true}),
        json!([["mine"]]),
        Value::Null,
    ];
    for bound in [json!("mine"), json!(["mine", "second"])] {
        let role = json!({"role_type": "jwt", "user_claim": "sub", "bound_audiences": bound});
        root.post("auth/jwt/role/bound", role).ok();
        for (list, status) in [(good.as_slice(), 200), (bad.as_slice(), 400)] {
            for aud in list {
                let answer = vault.anonymous().post("auth/jwt/login", json!({"role": "bound", "jwt": claim(aud)}));
                assert_eq!(answer.status, status, "{aud} for {bound}: {}", answer.text);
            }
        }
    }
    // A token that is for somebody is for nobody who did not say who they are.
    root.post("auth/jwt/role/unbound", json!({"role_type": "jwt", "user_claim": "sub", "bound_subject": "ann"})).ok();
    for aud in &good {
        vault.anonymous().post("auth/jwt/login", json!({"role": "unbound", "jwt": claim(aud)})).is(400);
    }
}

/// Nobody is logged in by a link that somebody else sent, and nothing that a provider says is shown as it is.
#[test]
fn cve_2026_33757_direct_callback() {
    let provider = Provider::start();
    let vault = TestVault::new();
    let root = vault.root();
    browser_logins(&vault, &provider, json!({}));
    let here = "http://localhost:8250/oidc/callback";
    let role = json!({
        "role_type": "oidc", "user_claim": "sub", "allowed_redirect_uris": [here], "callback_mode": "direct",
    });
    root.post("auth/oidc/role/web", role).ok();
    let client = vault.anonymous();
    let begin = || client.post("auth/oidc/oidc/auth_url", json!({"redirect_uri": here, "client_nonce": "mine"})).data();
    let begun = begin();
    let now = SystemClock.now().unix_seconds();
    let (state, code) = provider.visit(begun["auth_url"].as_str().unwrap(), &json!({}), now);
    let page = client.get(&format!("auth/oidc/oidc/callback?state={state}&code={}", encoded(&code))).is(200);
    assert!(page.text.contains("Is this login yours?"));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    client.post("auth/oidc/oidc/poll", json!({"state": state, "client_nonce": "mine"})).is(400);
    let state = id(&begin(), "state");
    let script = "%3Cscript%3Ealert(1)%3C%2Fscript%3E%3Cimg%20src%3Dx%20onerror%3D1%3E%22'%3E";
    for query in [
        format!("state={state}&error={script}&error_description={script}"),
        format!("state={script}&code={script}"),
        format!("state={state}&code={script}&error_description={script}&error_uri={script}"),
    ] {
        let page = client.get(&format!("auth/oidc/oidc/callback?{query}"));
        for marker in ["<script>alert", "<img src=x", "alert(1)"] {
            assert!(!page.text.contains(marker), "{query}: {}", page.text);
        }
    }
}

/// Where the provider has the browser post what it says, the code lies with the server. Whoever began the login knows its
/// state, and must not be able to say in the name of the browser that it is theirs.
#[test]
fn cve_2026_33757_callback_with_a_form() {
    let provider = Provider::start();
    let vault = TestVault::new();
    let root = vault.root();
    browser_logins(&vault, &provider, json!({"oidc_response_mode": "form_post"}));
    let here = "http://localhost:8250/oidc/callback";
    let client = vault.anonymous();
    let callback = |query: &str| client.get(&format!("auth/oidc/oidc/callback?{query}"));
    for mode in ["direct", "client"] {
        let role = json!({
            "role_type": "oidc", "user_claim": "sub", "allowed_redirect_uris": [here], "callback_mode": mode,
        });
        root.post("auth/oidc/role/web", role).ok();
        let asked = json!({"redirect_uri": here, "client_nonce": "mine"});
        let begun = client.post("auth/oidc/oidc/auth_url", asked).data();
        let now = SystemClock.now().unix_seconds();
        let (state, code) = provider.visit(begun["auth_url"].as_str().unwrap(), &json!({}), now);
        // The victim's browser posts what the provider gave it, and the victim closes the page.
        let page = client.post("auth/oidc/oidc/callback", json!({"state": state, "code": code})).is(200);
        assert!(page.text.contains("Is this login yours?") && !page.text.contains(&code), "{}", page.text);
        let fetch = || match mode {
            "direct" => client.post("auth/oidc/oidc/poll", json!({"state": state, "client_nonce": "mine"})),
            _ => callback(&format!("state={state}&client_nonce=mine")),
        };
        for tried in ["", "&confirmation=1", "&confirmation=", "&confirmation=1&code=x"] {
            let nonce = if mode == "client" { "&client_nonce=mine" } else { "" };
            let answer = callback(&format!("state={state}{tried}{nonce}")).is(400);
            assert!(!answer.text.contains("name=\"confirmation\""), "{mode}{tried}: {}", answer.text);
            fetch().is(400);
        }
        let shown = page.text.split("name=\"confirmation\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        callback(&format!("state={state}&confirmation={}", shown.unwrap())).is(200);
        assert_eq!(fetch().auth()["metadata"], json!({"role": "web"}), "{mode}");
    }
}

#[test]
fn cve_2021_32923_renewal_right_before_the_end() {
    let vault = Setup::manual_clock().start();
    let client = vault.with_token(json!({"policies": ["default"], "ttl": "10s", "explicit_max_ttl": "10s"}));
    for step in [9500, 400] {
        vault.advance(Duration::from_millis(step));
        let renewed = client.post("auth/token/renew-self", json!({"increment": 3600}));
        // What is left is less than a second: nothing, and not for ever.
        let granted = if renewed.status == 200 { renewed.auth()["lease_duration"].as_u64().unwrap() } else { 0 };
        assert!(granted <= 1, "{granted} seconds are granted");
    }
    vault.advance(Duration::from_millis(200));
    client.get("auth/token/lookup-self").is(403);
    client.post("auth/token/renew-self", json!({})).is(403);
    eventually("its lease is gone", || (vault.lease_count() == 0).then_some(()));
}

/// Mounts the engine over `server`, with the role `app`, whose credentials are good for ten hours unless something says less.
fn database(vault: &TestVault, server: &Postgres) {
    let root = vault.root();
    configure(&root, server, CREATE);
    let role = json!({"db_name": "pg", "creation_statements": CREATE, "default_ttl": "10h", "max_ttl": "20h"});
    root.post("database/roles/app", role).ok();
}

#[test]
fn cve_2020_25816_lease_of_a_batch_token() {
    let server = Postgres::start();
    let vault = Setup::manual_clock().start();
    database(&vault, &server);
    vault
        .root()
        .post("sys/policies/acl/app", json!({"policy": "path \"database/creds/app\" { capabilities = [\"read\"] }"}))
        .ok();
    let batch = vault.with_token(json!({"type": "batch", "policies": ["app"], "ttl": "60s"}));
    let made = batch.get("database/creds/app").ok().json();
    assert!(made["lease_duration"].as_u64().unwrap() <= 60, "{}", made["lease_duration"]);
    assert_eq!(users(&server), 1);
    let renewed = vault.root().post("sys/leases/renew", json!({"lease_id": made["lease_id"], "increment": 36000}));
    if renewed.status == 200 {
        assert!(renewed.json()["lease_duration"].as_u64().unwrap() <= 60);
    }
    vault.advance(Duration::from_secs(61));
    batch.get("database/creds/app").is(403);
    eventually("the user is gone", || (users(&server) == 0).then_some(()));
}

#[test]
fn vault_0_10_2_tokens_that_expire_while_it_is_down() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let vault = Setup { storage: storage.clone(), ..Setup::manual_clock() }.start();
    let made = vault.root().post("auth/token/create", json!({"policies": ["default"], "ttl": "60s"})).issued();
    let batch = json!({"policies": ["default"], "ttl": "60s", "type": "batch"});
    let batch = vault.root().post("auth/token/create", batch).issued();
    let (shares, token) = (vault.shares.clone(), vault.root().token().to_owned());
    vault.crash();
    let mut again = Setup { storage, ..Setup::manual_clock() }.start();
    again.adopt(&shares, &token);
    again.advance(Duration::from_mins(2));
    again.unseal();
    for token in [made, batch] {
        again.root().with_token(&token).get("auth/token/lookup-self").is(403);
        again.root().with_token(&token).post("auth/token/renew-self", json!({})).is(403);
    }
    eventually("its lease is gone", || (again.lease_count() == 0).then_some(()));
}

#[test]
fn vault_0_11_3_odd_characters_in_lease_ids() {
    let vault = TestVault::new();
    let root = vault.root();
    let log_in = |path: &str| vault.anonymous().post(path, json!({"password": PASSWORD})).issued();
    let make = |path: &str| root.post(path, json!({"policies": ["default"], "ttl": "1h"})).issued();
    for (mount, name) in [("a.b", "c.d"), ("up", "x..y")] {
        root.post(&format!("sys/auth/{mount}"), json!({"type": "userpass"})).ok();
        root.post(&format!("auth/{mount}/users/{name}"), json!({"password": PASSWORD})).ok();
    }
    for name in ["a%25b", "%C3%BC%E6%9D%B1", "a%20b"] {
        root.post(&format!("auth/token/roles/{name}"), json!({})).ok();
    }
    let paths = [
        "auth/a.b/login/c.d",
        "auth/up/login/x..y",
        "auth/token/create/a%25b",
        "auth/token/create/%C3%BC%E6%9D%B1",
        "auth/token/create/a%20b",
    ];
    for prefix in paths {
        let token = || root.with_token(&if prefix.contains("/login/") { log_in(prefix) } else { make(prefix) });
        let (first, second) = (token(), token());
        let keys = root.list(&format!("sys/leases/lookup/{prefix}")).data()["keys"].take();
        assert_eq!(keys.as_array().unwrap().len(), 2, "{prefix}");
        let spelt = percent_encoding::percent_decode_str(prefix).decode_utf8().unwrap().into_owned();
        let lease = format!("{spelt}/{}", keys[0].as_str().unwrap());
        root.post("sys/leases/lookup", json!({"lease_id": lease})).is(200);
        root.post("sys/leases/revoke", json!({"lease_id": lease, "sync": true})).ok();
        root.post(&format!("sys/leases/revoke-prefix/{prefix}"), json!({"sync": true})).ok();
        for client in [first, second] {
            client.get("auth/token/lookup-self").is(403);
        }
    }
    assert_eq!(vault.lease_count(), 0);
}

/// Whatever step fails: in the end the namespace's tokens are no good, its users of databases are gone, and so is all that
/// it had in the store.
#[test]
fn cve_2026_42186_removal_of_a_namespace_that_fails() {
    let server = Postgres::start();
    for step in 1..=6 {
        let store = Arc::new(FaultyStorage::new(Arc::new(MemoryStorage::new())));
        let vault = Setup { storage: store.clone(), audited: false, ..Setup::default() }.start();
        let root = vault.root();
        let namespace = id(&root.post("sys/namespaces/team", json!({})).data(), "id");
        let kept = format!("ns/{namespace}/");
        let team = within(&root, "team");
        team.post("sys/mounts/kv", json!({"type": "kv"})).ok();
        team.post("kv/a", json!({"x": 1})).ok();
        configure(&team, &server, CREATE);
        team.get("database/creds/app").ok();
        assert_eq!(users(&server), 1);
        assert!(!vault.run(store.list(&kept, Page::all())).unwrap().is_empty(), "nothing is kept at {kept}");
        let made = team.post("auth/token/create", json!({"policies": ["default"], "ttl": "1h"})).issued();
        store.fail_commit(store.commits() + step, Moment::Before, StorageError::Full);
        if step == 6 {
            server.stop();
        }
        root.delete("sys/namespaces/team");
        if step == 6 {
            server.resume();
        }
        // Asked again, by whoever saw it fail.
        eventually("it is gone", || {
            let answer = root.delete("sys/namespaces/team");
            (answer.status == 404 || root.get("sys/namespaces/team").status == 404).then_some(())
        });
        store.mend();
        for place in ["", "team"] {
            let answer = within(&root.with_token(&made), place).get("auth/token/lookup-self");
            assert!(matches!(answer.status, 403 | 404), "step {step}: {} {}", answer.status, answer.text);
        }
        eventually("its users are gone", || (users(&server) == 0).then_some(()));
        eventually("nothing of it is kept", || {
            vault.run(store.list(&kept, Page::all())).unwrap().is_empty().then_some(())
        });
        eventually("the name is free", || {
            let again = root.post("sys/namespaces/team", json!({}));
            (again.status == 200).then_some(())
        });
        within(&root, "team").get("kv/a").is(404);
    }
}

#[test]
fn cve_2023_24999_accessor_of_another_role() {
    let vault = TestVault::new();
    let root = vault.root();
    approle(&vault, "mine", &json!({}));
    let role_id = approle(&vault, "theirs", &json!({}));
    let theirs = secret_id(&vault, "theirs");
    let policy = "path \"auth/approle/role/mine/*\" { capabilities = [\"create\", \"update\", \"delete\"] }";
    let client = vault.with_policy("mine", policy);
    let accessor = json!({"secret_id_accessor": theirs["secret_id_accessor"]});
    let secret = json!({"secret_id": theirs["secret_id"]});
    for (path, body) in [
        ("secret-id-accessor/destroy", &accessor),
        ("secret-id-accessor/lookup", &accessor),
        ("secret-id/destroy", &secret),
        ("secret-id/lookup", &secret),
    ] {
        let answer = client.post(&format!("auth/approle/role/mine/{path}"), body.clone());
        assert!(!answer.text.contains("creation_time"), "{path}: {}", answer.text);
        client.post(&format!("auth/approle/role/theirs/{path}"), body.clone()).is(403);
    }
    let login = json!({"role_id": role_id, "secret_id": theirs["secret_id"]});
    vault.anonymous().post("auth/approle/login", login).is(200);
    root.get("auth/approle/role/theirs").is(200);
}
