//! The roles and users of auth methods: their names, their lists, and what is said when they are written.

use serde_json::{Value, json};

use crate::support::{Client, TestVault, issuer};

/// A method, where its roles are, and the least that one needs.
type Method = (&'static str, &'static str, Value);

/// Every method, mounted with a maximum of ten minutes.
fn enabled(root: &Client) -> [Method; 4] {
    let methods = [
        ("userpass", "users", json!({"password": "wide river"})),
        ("approle", "role", json!({})),
        ("cert", "certs", json!({"certificate": issuer("services").pem()})),
        ("jwt", "role", json!({"role_type": "jwt", "user_claim": "sub", "bound_subject": "ann"})),
    ];
    for (method, _, _) in &methods {
        let config = json!({"default_lease_ttl": "5m", "max_lease_ttl": "10m"});
        root.post(&format!("sys/auth/{method}"), json!({"type": method, "config": config})).ok();
    }
    methods
}

fn with(least: &Value, more: &Value) -> Value {
    let mut body = least.clone();
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[test]
fn names_are_words_with_hyphens_and_dots_within() {
    let vault = TestVault::new();
    let root = vault.root();
    for (method, roles, least) in enabled(&root) {
        for name in ["a", "B", "a-b", "a..b", "_", "1", "a_"] {
            root.post(&format!("auth/{method}/{roles}/{name}"), least.clone()).ok();
            root.get(&format!("auth/{method}/{roles}/{name}")).is(200);
        }
        for name in ["a%20b", "a@b", "a@b.de", "-a", "a-", ".a", "a.", "%C3%A9", "a%C3%A9", "a+b", "-", "a:b"] {
            let path = format!("auth/{method}/{roles}/{name}");
            root.post(&path, least.clone()).refuses(404, "unsupported path");
            root.get(&path).refuses(404, "unsupported path");
            root.delete(&path).refuses(404, "unsupported path");
        }
        let names = root.list(&format!("auth/{method}/{roles}")).data()["keys"].take();
        assert_eq!(names, json!(["1", "_", "a", "a-b", "a..b", "a_", "b"]), "{method}");
    }
    root.post("auth/approle/role/a@b/secret-id", json!({})).refuses(404, "unsupported path");
    vault.anonymous().post("auth/userpass/login/a@b", json!({"password": "x"})).refuses(404, "unsupported path");
}

#[test]
fn lists_come_in_parts() {
    let vault = TestVault::new();
    let root = vault.root();
    for (method, roles, least) in enabled(&root) {
        for name in ["a", "b", "c", "d"] {
            root.post(&format!("auth/{method}/{roles}/{name}"), least.clone()).ok();
        }
        let list = |query: &str| root.get(&format!("auth/{method}/{roles}?list=true&{query}"));
        for (query, names) in [
            ("limit=1", json!(["a"])),
            ("after=b", json!(["c", "d"])),
            ("after=b&limit=1", json!(["c"])),
            ("after=bb&limit=1", json!(["c"])),
            ("limit=-1", json!(["a", "b", "c", "d"])),
            ("limit=0&after=", json!(["a", "b", "c", "d"])),
        ] {
            assert_eq!(list(query).data()["keys"], names, "{method}, {query}");
        }
        list("after=z").is(404);
        list("limit=x").is(400);
    }
}

#[test]
fn lengths_beyond_the_mount_are_a_warning() {
    let vault = TestVault::new();
    let root = vault.root();
    let [_, approle, cert, jwt] = enabled(&root);
    let said = |(method, roles, least): &Method, more: Value| {
        let answer = root.post(&format!("auth/{method}/{roles}/r"), with(least, &more)).ok();
        if answer.text.is_empty() { Value::Null } else { answer.json()["warnings"].take() }
    };
    let ends = "greater than the backend mount's maximum TTL value; issued tokens' max TTL value will be truncated";
    assert_eq!(said(&approle, json!({"token_max_ttl": "10m", "token_period": "24h"})), Value::Null);
    assert_eq!(said(&approle, json!({"token_max_ttl": "24h"})), json!([format!("token_max_ttl is {ends}")]));
    root.post("auth/approle/role/r", json!({"period": "24h"})).refuses(400, "maximum lease TTL of 600 seconds");
    root.post("auth/approle/role/r/period", json!({"token_period": "24h"})).refuses(400, "maximum lease TTL");
    root.post("auth/approle/role/r/period", json!({"token_period": "10m"})).ok();

    let of_mount = |what: &str, given: u64, bound: u64| {
        format!("Given {what} of {given} seconds is greater than current mount/system default of {bound} seconds")
    };
    let period = "Given period of 86400 seconds is greater than the backend's maximum TTL of 600 seconds";
    assert_eq!(said(&cert, json!({"token_ttl": "5m", "token_max_ttl": "10m", "token_period": "10m"})), Value::Null);
    assert_eq!(said(&cert, json!({"period": "24h"})), json!([period]));
    assert_eq!(
        said(&cert, json!({"token_ttl": "20h", "token_max_ttl": "24h", "token_period": 0})),
        json!([of_mount("ttl", 72000, 300), of_mount("max_ttl", 86400, 600)])
    );

    root.post("auth/jwt/role/r", with(&jwt.2, &json!({"token_period": "24h"}))).refuses(400, "maximum lease TTL");
    let answer = said(&jwt, json!({"token_max_ttl": "24h", "verbose_oidc_logging": true}));
    assert!(answer[0].as_str().unwrap().ends_with(&ends.replace("the backend", "the system or backend")), "{answer}");
    assert!(answer[1].as_str().unwrap().starts_with("verbose_oidc_logging has been enabled"), "{answer}");
}

/// Lists that have a blank item, as a variable that is not set leaves them.
fn blank_lists() -> [Value; 7] {
    [json!([""]), json!([" "]), json!(" "), json!(","), json!([null]), json!(["10.0.0.0/8", ""]), json!("10.0.0.0/8,")]
}

#[test]
fn a_blank_address_does_not_lift_the_bounds() {
    let vault = TestVault::new();
    let root = vault.root();
    let mut places: Vec<(String, &str, Value)> = Vec::new();
    for (method, roles, least) in enabled(&root) {
        places.push((format!("auth/{method}/{roles}/r"), "token_bound_cidrs", least));
    }
    places.push(("auth/token/roles/r".to_owned(), "token_bound_cidrs", json!({})));
    places.push(("auth/approle/role/s".to_owned(), "secret_id_bound_cidrs", json!({})));
    for (path, field, least) in &places {
        root.post(path, with(least, &json!({ *field: "10.0.0.0/8" }))).ok();
        for blank in blank_lists() {
            root.post(path, with(least, &json!({ *field: blank }))).is(400);
            assert_eq!(root.get(path).data()[*field], json!(["10.0.0.0/8"]), "{path} {field} {blank}");
        }
        for nothing in [json!(""), json!([])] {
            root.post(path, with(least, &json!({ *field: nothing }))).ok();
            let bounds = root.get(path).data()[*field].take();
            assert!(bounds.is_null() || bounds == json!([]), "{path} {field} {nothing}");
        }
    }
    for field in ["cidr_list", "token_bound_cidrs"] {
        for blank in blank_lists() {
            root.post("auth/approle/role/r/secret-id", json!({ field: blank })).is(400);
        }
    }
    for field in ["secret-id-bound-cidrs", "bound-cidr-list", "token-bound-cidrs"] {
        for blank in blank_lists() {
            root.post(&format!("auth/approle/role/r/{field}"), json!({ field.replace('-', "_"): blank })).is(400);
        }
    }
}

#[test]
fn blank_policies_of_roles_are_none() {
    let vault = TestVault::new();
    let root = vault.root();
    enabled(&root);
    for blank in [json!([""]), json!([" "]), json!(",")] {
        for field in ["token_policies", "policies"] {
            root.post("auth/userpass/users/ann", json!({"password": "wide river", field: blank})).ok();
            let login = vault.anonymous().post("auth/userpass/login/ann", json!({"password": "wide river"})).auth();
            assert_eq!(login["token_policies"], json!(["default"]), "{field} {blank}");
        }
        root.post("auth/token/roles/r", json!({"allowed_policies": blank})).ok();
        assert_eq!(root.get("auth/token/roles/r").data()["allowed_policies"], json!([]), "{blank}");
        root.post("identity/group/name/g", json!({"policies": blank})).ok();
        assert_eq!(root.get("identity/group/name/g").data()["policies"], Value::Null, "{blank}");
        root.post("identity/entity/name/e", json!({"policies": blank})).ok();
        assert_eq!(root.get("identity/entity/name/e").data()["policies"], json!([]), "{blank}");
    }
}

#[test]
fn what_makes_a_jwt_login_strict_is_back_where_a_write_leaves_it_out() {
    let vault = TestVault::new();
    let root = vault.root();
    enabled(&root);
    let role = json!({
        "user_claim": "sub", "allowed_redirect_uris": "https://a/b", "bound_claims": {"team": "x*"}, "max_age": 60,
    });
    let lax = json!({"oidc_disable_confirmation": true, "callback_mode": "direct", "bound_claims_type": "glob"});
    let settings = || {
        let shown = root.get("auth/jwt/role/r").data();
        json!([
            shown["oidc_disable_confirmation"],
            shown["callback_mode"],
            shown["bound_claims_type"],
            shown["max_age"]
        ])
    };
    root.post("auth/jwt/role/r", with(&role, &lax)).ok();
    assert_eq!(settings(), json!([true, "direct", "glob", 60]));
    root.post("auth/jwt/role/r", json!({"user_claim": "sub"})).ok();
    assert_eq!(settings(), json!([false, "client", "string", 60]), "what is not strict stays as it is");
    // What a glob could not be compared with is good again.
    root.post("auth/jwt/role/r", with(&role, &json!({"bound_claims_type": "glob"}))).ok();
    root.post("auth/jwt/role/r", json!({"user_claim": "sub", "bound_claims": {"n": 1}})).ok();
}

#[test]
fn blank_items_do_not_open_what_is_said_about_json_web_tokens() {
    let vault = TestVault::new();
    let root = vault.root();
    enabled(&root);
    let role = json!({"role_type": "jwt", "user_claim": "sub", "bound_subject": "ann", "bound_audiences": [""]});
    root.post("auth/jwt/role/r", role).ok();
    assert_eq!(root.get("auth/jwt/role/r").data()["bound_audiences"], json!([""]));
    let config = json!({"jwks_url": "https://127.0.0.1:1/keys", "skip_jwks_validation": true});
    for blank in [json!([""]), json!(" "), json!(["RS256", ""])] {
        root.post("auth/jwt/config", with(&config, &json!({"jwt_supported_algs": blank})))
            .refuses(400, "unsupported signing algorithm");
    }
    root.post("auth/jwt/config", with(&config, &json!({"oidc_response_types": [""]})))
        .refuses(400, "invalid response_types");
}
