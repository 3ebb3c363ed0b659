//! Ways to write a path so that it means another one.

use crate::support::{Client, TestVault};

const SECRET: &str = "the one that nobody else reads";

/// What comes back for a request line that is sent as it stands.
fn raw(vault: &TestVault, client: &Client, method: &str, target: &[u8]) -> (u16, String) {
    let mut wire = vault.wire();
    let head = [method.as_bytes(), b" ", target, b" HTTP/1.1\r\nhost: x\r\nx-vault-token: "].concat();
    let tail = format!("{}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", client.token());
    wire.say(&[head, tail.into_bytes()].concat()).unwrap();
    let heard = wire.hear().unwrap_or_default();
    let status = heard.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, heard)
}

/// Spellings of the secret's path, for someone who may read what is beside it, and everything but it.
#[test]
fn spellings_of_a_path() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/mounts/kv", serde_json::json!({"type": "kv"})).ok();
    root.post("kv/theirs/secret", serde_json::json!({"a": SECRET})).ok();
    root.post("kv/mine/own", serde_json::json!({"a": "mine"})).ok();
    let beside = vault.with_policy(
        "beside",
        "path \"kv/mine/*\" { capabilities = [\"read\", \"update\", \"create\", \"delete\", \"list\"] }",
    );
    let all_but = vault.with_policy(
        "all-but",
        "path \"*\" { capabilities = [\"read\", \"update\", \"create\", \"delete\", \"list\"] }\n\
         path \"kv/theirs/*\" { capabilities = [\"deny\"] }",
    );
    let spellings: Vec<&[u8]> = vec![
        b"/v1/kv/mine/../theirs/secret",
        b"/v1/kv/mine/%2e%2e/theirs/secret",
        b"/v1/kv/mine/.%2e/theirs/secret",
        b"/v1/kv/mine/%2e./theirs/secret",
        b"/v1/kv/mine/%2E%2E%2Ftheirs%2Fsecret",
        b"/v1/kv/mine/..%2ftheirs/secret",
        b"/v1/kv/mine//../theirs/secret",
        b"/v1/kv//theirs/secret",
        b"/v1//kv/theirs/secret",
        b"//v1/kv/theirs/secret",
        b"/v1/kv/%2ftheirs/secret",
        b"/v1/kv%2ftheirs%2fsecret",
        b"/v1/%6bv/theirs/secret",
        b"/v1/kv/%74heirs/secret",
        b"/v1/kv/theirs/secret/",
        b"/v1/kv/theirs/secret%2f",
        b"/v1/kv/theirs//secret",
        b"/v1/kv/theirs/./secret",
        b"/v1/kv/./theirs/secret",
        b"/v1/kv/theirs/secret/.",
        b"/v1/kv/theirs/secret/..",
        b"/v1/kv/theirs/x/../secret",
        b"/v1/kv/theirs/secret%00",
        b"/v1/kv/theirs%00/secret",
        b"/v1/kv/mine/%00/../../theirs/secret",
        b"/v1/kv/theirs/secret?x=1",
        b"/v1/kv/theirs/secret?list=false",
        b"/v1/kv/theirs/secret#x",
        b"/v1/kv/theirs/secret;x=1",
        b"/v1/kv/theirs;/secret",
        b"/v1/kv/..;/kv/theirs/secret",
        b"/v1/kv/mine\\..\\theirs\\secret",
        b"/v1/kv/mine/..%5ctheirs%5csecret",
        b"/v1/kv/mine/%252e%252e/theirs/secret",
        b"/v1/kv/mine/%252e%252e%252ftheirs/secret",
        b"/v1/kv/%c0%ae%c0%ae/kv/theirs/secret",
        b"/v1/kv%c0%aftheirs/secret",
        b"/v1/kv/theirs%e0%80%afsecret",
        b"/v1/kv/mine/%ef%bc%8e%ef%bc%8e/theirs/secret",
        b"/v1/kv/theirs%ef%bc%8fsecret",
        b"/v1/kv/theirs/\xc0\xae\xc0\xae/secret",
        b"/v1/kv/the\xc4\xb1rs/secret",
        b"/v1/kv/THEIRS/secret",
        b"/v1/KV/theirs/secret",
        b"/v1/kv/theirs/secret%20",
        b"/v1/kv/theirs/%20secret",
        b"/v1/kv/theirs/secret%0d%0ax:y",
        b"/v1/kv/theirs/sec%e2%80%8bret",
        b"/v1/kv/theirs/secr%cc%81et",
        b"/V1/kv/theirs/secret",
        b"/v1/root/kv/theirs/secret",
        b"/v1/../v1/kv/theirs/secret",
        b"/v1/sys/../kv/theirs/secret",
        b"/v1/kv/data/../theirs/secret",
        b"https://x/v1/kv/theirs/secret",
        b"http://127.0.0.1/v1/kv/theirs/secret",
        b"v1/kv/theirs/secret",
        b"*",
        b"/v1/kv/%",
        b"/v1/kv/theirs/secret%",
        b"/v1/kv/theirs/%zz",
        b"/v1/kv/+/secret",
        b"/v1/kv/*",
    ];
    let mut tried = 0;
    for target in &spellings {
        for client in [&beside, &all_but] {
            for method in ["GET", "DELETE", "LIST", "POST"] {
                let (status, heard) = raw(&vault, client, method, target);
                let shown = String::from_utf8_lossy(target);
                assert!(!heard.contains(SECRET), "{method} {shown}: {heard}");
                assert!(status < 500, "{method} {shown}: {heard}");
                tried += 1;
            }
        }
    }
    assert_eq!(root.get("kv/theirs/secret").data()["a"], SECRET);
    println!("spellings_of_a_path: {tried} requests in {} spellings, none got through", spellings.len());
    // Those that have one meaning get what they mean, where it is allowed.
    for target in [&b"/v1/kv/theirs/secret"[..], b"/v1/%6bv/theirs/secret", b"/v1/kv%2ftheirs%2fsecret"] {
        assert!(raw(&vault, &root, "GET", target).1.contains(SECRET));
    }
}

/// Methods and namespaces beside the path lead nowhere else either.
#[test]
fn paths_into_namespaces() {
    let vault = TestVault::new();
    let root = vault.root();
    for name in ["one", "two"] {
        root.post(&format!("sys/namespaces/{name}"), serde_json::json!({})).ok();
        let inside = root.with_header("x-vault-namespace", name);
        inside.post("sys/mounts/kv", serde_json::json!({"type": "kv"})).ok();
        inside.post("kv/a", serde_json::json!({"a": format!("{SECRET} in {name}")})).ok();
    }
    let one = root.with_header("x-vault-namespace", "one");
    one.post(
        "sys/policies/acl/all",
        serde_json::json!({"policy": "path \"*\" { capabilities = [\"read\", \"list\", \"update\", \"sudo\"] }"}),
    )
    .ok();
    let token = one.post("auth/token/create", serde_json::json!({"policies": ["all"]})).issued();
    let mut tried = 0;
    for header in
        ["", "two", "one/../two", "../two", "two/", "/two", "one/two", "root", "two\0", "one, two", "%74wo", "TWO"]
    {
        for path in ["kv/a", "two/kv/a", "../two/kv/a", "%2e%2e/two/kv/a", "one/../two/kv/a", "root/two/kv/a"] {
            let mut wire = vault.wire();
            let head = format!(
                "GET /v1/{path} HTTP/1.1\r\nhost: x\r\nx-vault-token: {token}\r\nx-vault-namespace: {header}\r\n"
            );
            wire.say(format!("{head}connection: close\r\n\r\n").as_bytes()).unwrap();
            let heard = wire.hear().unwrap_or_default();
            assert!(!heard.contains(&format!("{SECRET} in two")), "{header} {path}: {heard}");
            tried += 1;
        }
        // A header that is there twice is one that somebody added.
        let mut wire = vault.wire();
        let head = format!(
            "GET /v1/kv/a HTTP/1.1\r\nhost: x\r\nx-vault-token: {token}\r\nx-vault-namespace: one\r\nx-vault-namespace: {header}\r\n"
        );
        wire.say(format!("{head}connection: close\r\n\r\n").as_bytes()).unwrap();
        assert!(!wire.hear().unwrap_or_default().contains(&format!("{SECRET} in two")));
    }
    let inside = root.with_token(&token).with_header("x-vault-namespace", "one");
    assert!(inside.get("kv/a").is(200).text.contains(SECRET));
    println!("paths_into_namespaces: {tried} requests, none left its namespace");
}
