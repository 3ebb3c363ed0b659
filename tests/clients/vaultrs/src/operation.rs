//! What operators set up and the client has no functions for: tuning, quotas, namespaces, password policies, tools.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest;
use serde_json::json;
use vaultrs::sys::{auth, mount, policy, wrapping};
use vaultrs::{kv1, token};

use crate::raw;
use crate::site::{Outcome, Site, code, unique};

pub async fn health_tells_of_audit_devices(site: Rc<Site>) -> Outcome {
    // An endpoint without an envelope, which the client's own type reads as well, whatever else is in it.
    let health = vaultrs::sys::health(&site.root).await.unwrap();
    assert!(!health.performance_standby);
    assert_eq!(
        (health.replication_performance_mode.as_str(), health.replication_dr_mode.as_str()),
        ("disabled", "disabled")
    );
    let devices = raw::read(&site.root, "sys/audit").await.unwrap().as_object().unwrap().len();
    let told = raw::plain(&site.root, "sys/health").await.unwrap();
    assert_eq!(told["audit"], json!({"enabled": devices, "failing": 0}));
    let status = raw::plain(&site.root, "sys/seal-status").await.unwrap();
    assert_eq!((&status["sealed"], &status["type"]), (&json!(false), &json!("shamir")));
    assert_eq!((&status["version"], &status["cluster_id"]), (&told["version"], &told["cluster_id"]));
    Ok(())
}

pub async fn audit_devices(site: Rc<Site>) -> Outcome {
    let options = json!({"type": "file", "options": {"file_path": "discard"}});
    assert_eq!(code(raw::tell(&site.root, &format!("sys/audit/{}", unique("file")), options).await), 400);
    for (path, device) in raw::read(&site.root, "sys/audit").await.unwrap().as_object().unwrap() {
        assert_eq!(device["path"], **path);
        let hash =
            raw::write(&site.root, &format!("sys/audit-hash/{}", path.trim_end_matches('/')), json!({"input": "a"}))
                .await
                .unwrap();
        assert!(hash["hash"].as_str().unwrap().starts_with("hmac-sha256:"));
    }
    Ok(())
}

pub async fn mounts_are_tuned(site: Rc<Site>) -> Outcome {
    let (root, engine) = (&site.root, unique("kv"));
    mount::enable(root, &engine, "kv", None).await.unwrap();
    let path = format!("sys/mounts/{engine}/tune");
    raw::tell(root, &path, json!({"default_lease_ttl": "1h", "max_lease_ttl": 7200})).await.unwrap();
    let tuned = raw::read(root, &path).await.unwrap();
    assert_eq!((&tuned["default_lease_ttl"], &tuned["max_lease_ttl"]), (&json!(3600), &json!(7200)));
    assert_eq!(code(raw::tell(root, &path, json!({"default_lease_ttl": "3h"})).await), 400);
    mount::disable(root, &engine).await.unwrap();
    Ok(())
}

pub async fn hashes(site: Rc<Site>) -> Outcome {
    let input = json!({"input": STANDARD.encode("of the suite")});
    let made = raw::write(&site.root, "sys/tools/hash/sha2-256", input.clone()).await.unwrap();
    let expected: String =
        digest::digest(&digest::SHA256, b"of the suite").as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(made["sum"], *expected);
    assert_eq!(code(raw::write(&site.root, "sys/tools/hash/md4", input).await), 400);
    Ok(())
}

pub async fn password_policies(site: Rc<Site>) -> Outcome {
    let (root, name) = (&site.root, unique("letters"));
    let path = format!("sys/policies/password/{name}");
    let rules = "length = 20\nrule \"charset\" {\n  charset = \"ab\"\n}\nrule \"charset\" {\n  charset = \"01\"\n  min-chars = 2\n}\n";
    raw::tell(root, &path, json!({"policy": rules})).await.unwrap();
    assert_eq!(raw::read(root, &path).await.unwrap()["policy"], rules);
    assert!(raw::keys(root, "sys/policies/password").await.unwrap().contains(&name));
    let made = raw::read(root, &format!("{path}/generate")).await.unwrap();
    let password = made["password"].as_str().unwrap();
    assert!(password.len() == 20 && password.chars().all(|letter| "ab01".contains(letter)));
    assert!(password.chars().filter(char::is_ascii_digit).count() >= 2);
    raw::delete(root, &path).await.unwrap();
    assert_eq!(code(raw::read(root, &path).await), 404);
    Ok(())
}

pub async fn quotas(site: Rc<Site>) -> Outcome {
    let (root, engine, name) = (&site.root, unique("kv"), unique("quota"));
    mount::enable(root, &engine, "kv", None).await.unwrap();
    let path = format!("sys/quotas/rate-limit/{name}");
    raw::tell(root, &path, json!({"rate": 2, "interval": "30s", "path": format!("{engine}/")})).await.unwrap();
    let read = raw::read(root, &path).await.unwrap();
    assert_eq!((&read["rate"], &read["interval"], &read["type"]), (&json!(2), &json!(30), &json!("rate-limit")));
    assert!(raw::keys(root, "sys/quotas/rate-limit").await.unwrap().contains(&name));
    for number in ["1", "2"] {
        kv1::set(root, &engine, "a", &HashMap::from([("x", number)])).await.unwrap();
    }
    assert_eq!(code(kv1::set(root, &engine, "a", &HashMap::from([("x", "3")])).await), 429);
    raw::delete(root, &path).await.unwrap();
    let read: HashMap<String, String> = kv1::get(root, &engine, "a").await.unwrap();
    assert_eq!(read["x"], "2");
    mount::disable(root, &engine).await.unwrap();
    Ok(())
}

pub async fn namespaces(site: Rc<Site>) -> Outcome {
    let (root, name, reader) = (&site.root, unique("team"), unique("reader"));
    raw::tell(root, &format!("sys/namespaces/{name}"), json!({})).await.unwrap();
    assert!(raw::keys(root, "sys/namespaces").await.unwrap().contains(&format!("{name}/")));
    let there = site.within(&name, &site.root_token());
    mount::enable(&there, "secret", "kv", None).await.unwrap();
    kv1::set(&there, "secret", "a", &HashMap::from([("x", "1")])).await.unwrap();
    let read: HashMap<String, String> = kv1::get(root, &format!("{name}/secret"), "a").await.unwrap();
    assert_eq!(read["x"], "1");
    policy::set(&there, &reader, "path \"secret/*\" { capabilities = [\"read\"] }").await.unwrap();
    assert!(!policy::list(root).await.unwrap().policies.contains(&reader));
    let made = raw::auth(&there, "auth/token/create", json!({"policies": [reader]})).await.unwrap();
    let held = site.within(&name, &made.client_token);
    let read: HashMap<String, String> = kv1::get(&held, "secret", "a").await.unwrap();
    assert_eq!(read["x"], "1");
    assert_eq!(code(kv1::get_raw(&site.with_token(&made.client_token), "secret", "a").await), 403);
    raw::delete(root, &format!("sys/namespaces/{name}")).await.unwrap();
    for turn in 0.. {
        if code(kv1::get_raw(&held, "secret", "a").await) == 404 {
            break;
        }
        assert!(turn < 100, "it is still there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

pub async fn batch_tokens(site: Rc<Site>) -> Outcome {
    let fields = json!({"policies": ["default"], "type": "batch", "ttl": "5m"});
    let made = raw::auth(&site.root, "auth/token/create", fields).await.unwrap();
    assert_eq!((made.token_type.as_str(), made.accessor.as_str(), made.renewable), ("batch", "", false));
    let held = site.with_token(&made.client_token);
    let own = token::lookup_self(&held).await.unwrap();
    assert_eq!((own.policies, own.accessor.as_str(), own.renewable), (vec!["default".to_owned()], "", Some(false)));
    assert!((1..=300).contains(&own.ttl));
    assert_eq!(code(token::renew_self(&held, None).await), 400);
    assert_eq!(code(token::revoke_self(&held).await), 400);
    Ok(())
}

pub async fn wrapped_secrets_of_roles(site: Rc<Site>) -> Outcome {
    let (root, engine) = (&site.root, unique("approle"));
    auth::enable(root, &engine, "approle", None).await.unwrap();
    raw::tell(root, &format!("auth/{engine}/role/web"), json!({"token_policies": "default"})).await.unwrap();
    let role_id = vaultrs::auth::approle::role::read_id(root, &engine, "web").await.unwrap().role_id;
    let path = format!("auth/{engine}/role/web/secret-id");
    let wrapped = raw::wrapped(root, &path, json!({})).await.unwrap();
    assert_eq!((wrapped.creation_path.as_str(), wrapped.ttl), (&*path, 600));
    let again = raw::answer(root, "sys/wrapping/rewrap", json!({"token": wrapped.token})).await.unwrap();
    let again = again["wrap_info"]["token"].as_str().unwrap().to_owned();
    assert_eq!(code(wrapping::lookup(root, &wrapped.token).await), 400);
    assert_eq!(wrapping::lookup(root, &again).await.unwrap().creation_path, path);
    let holder = site.with_token(&again);
    let data: HashMap<String, serde_json::Value> = wrapping::unwrap(&holder, None).await.unwrap();
    let secret_id = data["secret_id"].as_str().unwrap();
    let made = vaultrs::auth::approle::login(&site.with_token(""), &engine, &role_id, secret_id).await.unwrap();
    assert_eq!(made.metadata.unwrap()["role_name"], "web");
    auth::disable(root, &engine).await.unwrap();
    Ok(())
}
