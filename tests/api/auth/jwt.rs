//! Mounts of type `jwt` and `oidc`.

use std::time::{Duration, Instant};

use arca::time::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::support::signer::Signer;
use crate::support::{Answer, CLIENT, Client, Provider, SECRET, Setup, TestVault};

const HERE: &str = "http://localhost:8250/oidc/callback";

fn now() -> i64 {
    SystemClock.now().unix_seconds()
}

fn claims() -> Value {
    json!({"sub": "ann", "iat": now(), "exp": now() + 300})
}

/// A vault with a method of this configuration, and a role `dev` for tokens.
fn vault(config: Value) -> TestVault {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/auth/jwt", json!({"type": "jwt"})).ok();
    root.post("auth/jwt/config", config).ok();
    let role = json!({"role_type": "jwt", "user_claim": "sub", "token_bound_cidrs": "127.0.0.1", "token_ttl": "20m"});
    root.post("auth/jwt/role/dev", role).ok();
    vault
}

fn log_in(vault: &TestVault, token: &str) -> Answer {
    vault.anonymous().post("auth/jwt/login", json!({"role": "dev", "jwt": token}))
}

#[test]
fn a_token_is_proof() {
    let signer = Signer::new("EdDSA", "k");
    let vault = vault(json!({"jwt_validation_pubkeys": [signer.pem()]}));
    let token = signer.sign(&claims());
    let auth = log_in(&vault, &token).auth();
    assert_eq!((&auth["metadata"], &auth["lease_duration"]), (&json!({"role": "dev"}), &json!(1200)));
    let ann = vault.login("auth/jwt/login", json!({"role": "dev", "jwt": token}));
    assert_eq!(ann.get("auth/token/lookup-self").data()["display_name"], "jwt-ann");
    ann.post("auth/token/renew-self", json!({})).is(200);
    log_in(&vault, &Signer::new("EdDSA", "k").sign(&claims())).refuses(400, "no known key");
    let log = std::fs::read_to_string(vault.audit_path()).unwrap();
    assert!(!log.contains(&token), "tokens are hashed in the log");
    vault.root().delete("auth/jwt/role/dev").ok();
    ann.post("auth/token/renew-self", json!({})).is(400);
}

#[test]
fn keys_are_fetched_over_tls_from_whom_the_operator_trusts() {
    let vault = TestVault::new();
    let (certificate, key) = (&vault.pki.server.0, &vault.pki.server.1);
    let provider = Provider::over_tls((certificate, key));
    let root = vault.root();
    root.post("sys/auth/jwt", json!({"type": "jwt"})).ok();
    let config = |more: Value| {
        let mut body = json!({"oidc_discovery_url": provider.issuer});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        root.post("auth/jwt/config", body)
    };
    config(json!({})).refuses(400, "TLS handshake failed");
    let stranger = TestVault::new();
    config(json!({"oidc_discovery_ca_pem": stranger.pki.ca})).refuses(400, "TLS handshake failed");
    let ca = &vault.pki.ca;
    config(json!({"oidc_discovery_ca_pem": ca, "override_allowed_server_names": ["other"]})).refuses(400, "TLS");
    config(json!({"oidc_discovery_ca_pem": ca, "override_allowed_server_names": ["other", "localhost"]})).ok();
    config(json!({"oidc_discovery_ca_pem": ca})).ok();
    assert_eq!(root.get("auth/jwt/config").data()["status"], "valid");
    let role = json!({"role_type": "jwt", "user_claim": "sub", "token_bound_cidrs": "127.0.0.1"});
    root.post("auth/jwt/role/dev", role).ok();
    log_in(&vault, &provider.token(&claims())).is(200);
    let mut others = claims();
    others["iss"] = json!("https://other");
    log_in(&vault, &provider.token(&others)).refuses(400, "invalid issuer");
    others["iss"] = Value::Null;
    log_in(&vault, &provider.token(&others)).refuses(400, "invalid issuer");
}

#[test]
fn a_new_key_is_fetched_and_one_that_is_taken_back_is_dropped() {
    let provider = Provider::start();
    let vault = vault(json!({"jwks_url": format!("{}/keys", provider.issuer)}));
    let first = provider.token(&claims());
    log_in(&vault, &first).is(200);
    let asked = provider.requests("/keys");
    log_in(&vault, &first).is(200);
    assert_eq!(provider.requests("/keys"), asked, "a key that is known is not fetched again");
    provider.rotate("second");
    log_in(&vault, &provider.token(&claims())).is(200);
    assert_eq!(provider.requests("/keys"), asked + 1);
    log_in(&vault, &first).refuses(400, "no known key");
}

#[test]
fn a_key_that_is_for_something_else_verifies_nothing() {
    let provider = Provider::start();
    let vault = vault(json!({"jwks_url": format!("{}/keys", provider.issuer)}));
    let signer = Signer::new("ES256", "k");
    let mut useless = Vec::new();
    for (name, value) in [("use", json!("enc")), ("alg", json!("ES384")), ("alg", json!("HS256")), ("kid", json!("z"))]
    {
        let mut jwk = signer.jwk();
        jwk[name] = value;
        useless.push(jwk);
    }
    useless.push(json!({"kty": "oct", "k": "c2VjcmV0", "kid": "k"}));
    useless.push(json!({"kty": "unknown", "kid": "k"}));
    useless.push(json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "k"}));
    useless.push(json!("no key"));
    provider.publish(useless.clone());
    log_in(&vault, &signer.sign(&claims())).refuses(400, "no known key");
    useless.push(signer.jwk());
    provider.publish(useless);
    log_in(&vault, &signer.sign(&claims())).is(200);
}

#[test]
fn tokens_with_made_up_keys_do_not_become_requests_to_the_provider() {
    let provider = Provider::start();
    let vault = vault(json!({"jwks_url": format!("{}/keys", provider.issuer)}));
    let good = provider.token(&claims());
    log_in(&vault, &good).is(200);
    for number in 0..40 {
        log_in(&vault, &Signer::new("EdDSA", &number.to_string()).sign(&claims())).refuses(400, "no known key");
    }
    assert!(provider.requests("/keys") <= 8, "asked {} times", provider.requests("/keys"));
    log_in(&vault, &good).is(200);
}

#[test]
fn a_provider_that_hangs_costs_only_those_who_need_a_new_key() {
    let provider = Provider::start();
    let vault = vault(json!({"jwks_url": format!("{}/keys", provider.issuer)}));
    let good = provider.token(&claims());
    log_in(&vault, &good).is(200);
    provider.hang(true);
    let unknown = Signer::new("EdDSA", "unknown").sign(&claims());
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..3).map(|_| scope.spawn(|| log_in(&vault, &unknown).status)).collect();
        crate::support::eventually("a request that hangs", || (provider.requests("/keys") > 2).then_some(()));
        for _ in 0..10 {
            let start = Instant::now();
            log_in(&vault, &good).is(200);
            assert!(start.elapsed() < Duration::from_secs(5), "a login waited for a provider that it has no need of");
        }
        provider.hang(false);
        assert!(waiting.into_iter().all(|waiting| waiting.join().unwrap() == 400));
    });
}

#[test]
fn answers_of_a_provider_are_bounded_and_redirects_stay_with_it() {
    let (provider, other) = (Provider::start(), Provider::start());
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/auth/jwt", json!({"type": "jwt"})).ok();
    let config = |path: &str| root.post("auth/jwt/config", json!({"jwks_url": format!("{}{path}", provider.issuer)}));
    config("/large").refuses(400, "larger than 1 MiB");
    config("/nothing").refuses(400, "the status 404");
    provider.redirect("/other-keys");
    config("/keys").ok();
    provider.redirect(&format!("{}/keys", other.issuer));
    config("/keys").refuses(400, "redirect that is not followed");
    provider.redirect("/keys");
    config("/keys").refuses(400, "redirect that is not followed");
    assert_eq!(other.requests("/keys"), 0);
}

/// A vault that sends callers to `provider`, and a role `web` that has these settings beside the usual ones.
fn with_browser(provider: &Provider, role: &Value) -> TestVault {
    let vault = Setup::manual_clock().start();
    let root = vault.root();
    root.post("sys/auth/oidc", json!({"type": "oidc"})).ok();
    let config = json!({
        "oidc_discovery_url": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET,
        "default_role": "web",
    });
    root.post("auth/oidc/config", config).ok();
    set_role(&root, role);
    vault
}

fn set_role(root: &Client, role: &Value) {
    root.delete("auth/oidc/role/web").ok();
    let mut body = json!({"role_type": "oidc", "user_claim": "sub", "allowed_redirect_uris": [HERE]});
    body.as_object_mut().unwrap().extend(role.as_object().unwrap().clone());
    root.post("auth/oidc/role/web", body).ok();
}

fn begin(vault: &TestVault, body: &Value) -> String {
    let begun = vault.anonymous().post("auth/oidc/oidc/auth_url", body.clone()).data();
    begun["auth_url"].as_str().unwrap().to_owned()
}

fn callback(vault: &TestVault, fields: &[(&str, &str)]) -> Answer {
    let encoded =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    vault.anonymous().get(&format!("auth/oidc/oidc/callback?{}", fields.join("&")))
}

/// What comes of a login whose token has these claims beside the usual ones.
fn attempt(vault: &TestVault, provider: &Provider, claims: &Value) -> Answer {
    let (state, code) = provider.visit(&begin(vault, &json!({"redirect_uri": HERE})), claims, now());
    callback(vault, &[("state", &state), ("code", &code)])
}

#[test]
fn a_browser_logs_in_with_a_code() {
    let provider = Provider::start();
    let role = json!({"claim_mappings": {"email": "mail"}, "groups_claim": "groups", "oidc_scopes": "email,openid"});
    let vault = with_browser(&provider, &role);
    provider.say_about(json!({"sub": "ann", "email": "ann@example.com", "groups": ["a"], "aud": "evil"}));
    let url = begin(&vault, &json!({"role": "web", "redirect_uri": HERE, "client_nonce": "mine"}));
    assert!(url.contains("scope=openid%20email&"), "{url}");
    let (state, code) = provider.visit(&url, &json!({}), now());
    let auth = callback(&vault, &[("state", &state), ("code", &code), ("client_nonce", "mine")]).auth();
    assert_eq!(auth["metadata"], json!({"role": "web", "mail": "ann@example.com"}));
    callback(&vault, &[("state", &state), ("code", &code), ("client_nonce", "mine")])
        .refuses(400, "missing OAuth state");
    let log = std::fs::read_to_string(vault.audit_path()).unwrap();
    assert!(!log.contains(&code) && !log.contains(SECRET) && !log.contains("the access token"));
    assert!(!vault.root().get("auth/oidc/config").ok().text.contains(SECRET));
}

#[test]
fn a_login_is_for_whoever_began_it() {
    let provider = Provider::start();
    let vault = with_browser(&provider, &json!({}));
    for (nonce, code) in [(Some("theirs"), None), (None, None), (Some("mine"), Some("made up"))] {
        let url = begin(&vault, &json!({"redirect_uri": HERE, "client_nonce": "mine"}));
        let (state, good) = provider.visit(&url, &json!({}), now());
        let mut fields = vec![("state", state.as_str()), ("code", code.unwrap_or(&good))];
        fields.extend(nonce.map(|nonce| ("client_nonce", nonce)));
        callback(&vault, &fields).is(400);
        callback(&vault, &[("state", &state), ("code", &good), ("client_nonce", "mine")]).refuses(400, "missing OAuth");
    }
    let (state, code) = provider.visit(&begin(&vault, &json!({"redirect_uri": HERE})), &json!({}), now());
    vault.advance(Duration::from_mins(10));
    callback(&vault, &[("state", &state), ("code", &code)]).refuses(400, "missing OAuth state");
    callback(&vault, &[("state", "st_made_up"), ("code", &code)]).refuses(400, "missing OAuth state");
    let (state, _) = provider.visit(&begin(&vault, &json!({"redirect_uri": HERE})), &json!({}), now());
    callback(&vault, &[("state", &state), ("error", "access_denied")]).refuses(400, "access_denied");
    let (state, _) = provider.visit(&begin(&vault, &json!({"redirect_uri": HERE})), &json!({}), now());
    let answer = callback(&vault, &[("state", &state), ("error", "<b>call 555</b>")]).is(400);
    assert!(!answer.text.contains("555"));
}

#[test]
fn a_redirect_that_the_role_does_not_allow_goes_nowhere() {
    let provider = Provider::start();
    let vault = with_browser(&provider, &json!({}));
    let client = vault.anonymous();
    let url =
        |uri: &str| client.post("auth/oidc/oidc/auth_url", json!({"redirect_uri": uri})).data()["auth_url"].clone();
    assert_ne!(url("http://localhost:1234/oidc/callback"), "");
    for uri in ["https://evil.example/", "http://localhost:8250/other", "http://localhost:8250@evil/oidc/callback"] {
        assert_eq!(url(uri), "", "{uri}");
    }
    client.post("auth/oidc/oidc/auth_url", json!({})).refuses(400, "missing redirect_uri");
    client.post("auth/oidc/oidc/auth_url", json!({"role": "x", "redirect_uri": HERE})).refuses(400, "role");
}

#[test]
fn the_token_at_the_end_of_a_flow_is_checked_as_openid_connect_asks() {
    let provider = Provider::start();
    let vault = with_browser(&provider, &json!({}));
    for (claims, text) in [
        (json!({"nonce": "other"}), "nonce"),
        (json!({"nonce": null}), "nonce"),
        (json!({"aud": "other"}), "audience"),
        (json!({"aud": ["other", CLIENT]}), "authorized party"),
        (json!({"aud": ["other", CLIENT], "azp": "other"}), "authorized party"),
        (json!({"azp": "other"}), "authorized party"),
        (json!({"iss": "http://x"}), "issuer"),
        (json!({"exp": now() - 1}), "expired"),
        (json!({"exp": null}), "expired"),
        (json!({"iat": now() + 3600}), "not yet valid"),
        (json!({"sub": null}), "subject"),
        (json!({"sub": ""}), "subject"),
        (json!({"at_hash": "AAAA"}), "access_token hash"),
    ] {
        attempt(&vault, &provider, &claims).refuses(400, text);
    }
    attempt(&vault, &provider, &json!({"aud": ["other", CLIENT], "azp": CLIENT})).is(200);
    let root = vault.root();
    for (role, good, bad) in [
        (json!({"bound_claims": {"team": "x"}}), json!({"team": "x"}), json!({})),
        (json!({"bound_subject": "ann"}), json!({}), json!({"sub": "bob"})),
        (json!({"bound_audiences": [CLIENT]}), json!({}), json!({"aud": []})),
        (json!({"max_age": 60}), json!({"auth_time": now() - 70}), json!({"auth_time": now() - 500})),
        (json!({"max_age": 60}), json!({"auth_time": now()}), json!({})),
    ] {
        set_role(&root, &role);
        attempt(&vault, &provider, &good).is(200);
        attempt(&vault, &provider, &bad).is(400);
    }
    provider.publish(Vec::new());
    provider.rotate("second");
    set_role(&root, &json!({}));
    attempt(&vault, &provider, &json!({})).is(200);
}

#[test]
fn what_the_provider_says_of_somebody_else_is_not_taken() {
    let provider = Provider::start();
    let vault = with_browser(&provider, &json!({"claim_mappings": {"email": "mail"}}));
    provider.say_about(json!({"sub": "evil", "email": "evil@example.com"}));
    assert_eq!(attempt(&vault, &provider, &json!({})).auth()["metadata"], json!({"role": "web"}));
    provider.say_about(json!({"email": "evil@example.com"}));
    assert_eq!(attempt(&vault, &provider, &json!({})).auth()["metadata"], json!({"role": "web"}));
}

/// CVE-2026-33757: whoever sends somebody a link to the provider must not be logged in as them.
#[test]
fn a_direct_login_asks_for_consent_first() {
    let provider = Provider::start();
    let vault = with_browser(&provider, &json!({"callback_mode": "direct"}));
    let client = vault.anonymous();
    client.post("auth/oidc/oidc/auth_url", json!({"redirect_uri": HERE})).refuses(400, "missing client_nonce");
    let asked = json!({"redirect_uri": HERE, "client_nonce": "mine"});
    let begun = client.post("auth/oidc/oidc/auth_url", asked).data();
    assert_eq!(begun["poll_interval"], "5");
    let (state, code) = provider.visit(begun["auth_url"].as_str().unwrap(), &json!({}), now());
    assert_eq!(begun["state"], state);
    let poll = |nonce: &str| client.post("auth/oidc/oidc/poll", json!({"state": state, "client_nonce": nonce}));
    poll("mine").refuses(400, "authorization_pending");
    let page = callback(&vault, &[("state", &state), ("code", &code)]).is(200);
    assert!(page.text.contains("Is this login yours?") && page.text.contains("127.0.0.1"));
    for (name, value) in [("content-security-policy", "frame-ancestors 'none'"), ("referrer-policy", "no-referrer")] {
        assert!(page.headers[name].to_str().unwrap().contains(value), "{name}");
    }
    poll("mine").refuses(400, "authorization_pending");
    let page = callback(&vault, &[("state", &state), ("code", &code), ("confirmation", "1")]).is(200);
    assert!(page.text.contains("You are logged in") && !page.text.contains("client_token"));
    assert_eq!(poll("mine").auth()["metadata"], json!({"role": "web"}));
    poll("mine").refuses(400, "missing OAuth state");
}

#[test]
fn a_poll_without_the_nonce_ends_the_login() {
    let provider = Provider::start();
    let vault = with_browser(&provider, &json!({"callback_mode": "direct", "oidc_disable_confirmation": true}));
    let url = begin(&vault, &json!({"redirect_uri": HERE, "client_nonce": "mine"}));
    let (state, code) = provider.visit(&url, &json!({}), now());
    assert!(callback(&vault, &[("state", &state), ("code", &code)]).is(200).text.contains("You are logged in"));
    let client = vault.anonymous();
    client.post("auth/oidc/oidc/poll", json!({"state": state})).refuses(400, "invalid client_nonce");
    client.post("auth/oidc/oidc/poll", json!({"state": state, "client_nonce": "mine"})).refuses(400, "OAuth state");
}

#[test]
fn a_provider_may_answer_with_a_form() {
    let provider = Provider::start();
    let vault = with_browser(&provider, &json!({}));
    let client = vault.anonymous();
    client.post("auth/oidc/oidc/callback", json!({"state": "x"})).is(405);
    let config = json!({
        "oidc_discovery_url": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET,
        "default_role": "web", "oidc_response_mode": "form_post",
    });
    vault.root().post("auth/oidc/config", config).ok();
    let mine = json!({"redirect_uri": HERE, "client_nonce": "mine"});
    let url = begin(&vault, &mine);
    assert!(url.contains("response_mode=form_post"), "{url}");
    // A client that listens for the form hands it on, with its nonce.
    let (state, code) = provider.visit(&url, &json!({}), now());
    let form = json!({"state": state, "code": code, "client_nonce": "mine"});
    assert!(client.post("auth/oidc/oidc/callback", form).is(200).text.contains("Almost there"));
    callback(&vault, &[("state", &state), ("code", &code), ("client_nonce", "mine")]).is(200);
    // A role may do without the question.
    set_role(&vault.root(), &json!({"oidc_disable_confirmation": true}));
    let (state, code) = provider.visit(&begin(&vault, &mine), &json!({}), now());
    let page = client.post("auth/oidc/oidc/callback", json!({"state": state, "code": code})).is(200);
    assert!(page.text.contains("Almost there"), "{}", page.text);
    callback(&vault, &[("state", &state), ("client_nonce", "mine")]).is(200);
}
