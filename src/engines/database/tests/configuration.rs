use serde_json::{Value, json};

use super::{ADMIN, ADMIN_PASSWORD, Bench, everything};
use crate::api::Operation;
use crate::engine::Existence;
use crate::error::Kind;

#[tokio::test]
async fn a_connection_is_written_read_listed_and_deleted() {
    let bench = Bench::start().await;
    assert_eq!(bench.harness.existence("config/pg").await, Existence::Absent);
    let fields = json!({"allowed_roles": "one,two", "max_open_connections": 3, "max_connection_lifetime": "5m"});
    assert_eq!(bench.connect("pg", fields).await.unwrap(), Value::Null);
    assert_eq!(bench.harness.existence("config/pg").await, Existence::Exists);
    let expected = json!({
        "plugin_name": "postgresql-database-plugin",
        "plugin_version": "",
        "allowed_roles": ["one", "two"],
        "root_credentials_rotate_statements": [],
        "password_policy": "",
        "connection_details": {
            "connection_url": bench.url("sslmode=disable"),
            "username": ADMIN,
            "max_open_connections": 3,
            "max_connection_lifetime": "5m",
        },
    });
    assert_eq!(bench.read("config/pg").await.unwrap(), expected);
    bench.write("config/pg", json!({"allowed_roles": ["x"], "root_rotation_statements": "a, b"})).await.unwrap();
    let changed = bench.read("config/pg").await.unwrap();
    assert_eq!(changed["allowed_roles"], json!(["x"]));
    assert_eq!(changed["root_credentials_rotate_statements"], json!(["a, b"]));
    assert_eq!(changed["connection_details"], expected["connection_details"]);
    assert_eq!(bench.list("config").await.unwrap(), json!(["pg"]));
    bench.write("reset/pg", Value::Null).await.unwrap();
    bench.harness.call(Operation::Delete, "config/pg", Value::Null).await.unwrap();
    assert_eq!(bench.read("config/pg").await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(bench.list("config").await.unwrap_err().kind(), Kind::NotFound);
    for path in ["reset/pg", "rotate-root/pg"] {
        assert_eq!(bench.write(path, Value::Null).await.unwrap_err().kind(), Kind::InvalidRequest);
    }
}

#[tokio::test]
async fn a_connection_that_cannot_work_is_refused_without_telling_secrets() {
    let bench = Bench::start().await;
    let nowhere = bench.url("sslmode=disable").replace(&bench.server.port.to_string(), "1");
    let cases = [
        (json!({"password": "hunter2"}), "username and password"),
        (json!({"password": ""}), "username and password"),
        (json!({"username": "nobody"}), "username and password"),
        (json!({"connection_url": nowhere}), "cannot be reached"),
        (json!({"connection_url": "garbage hunter2"}), "cannot parse connection url"),
        (json!({"connection_url": ""}), "connection_url cannot be empty"),
        (json!({"connection_url": bench.url("sslmode=disable").replace("/postgres?", "/nosuch?")}), "3D000"),
        (json!({"plugin_name": "nosuch-database-plugin"}), "postgresql-database-plugin"),
        (json!({"plugin_name": ""}), "empty plugin name"),
        (json!({"password_authentication": "hunter2"}), "scram-sha-256"),
        (json!({"username_template": "{{ hunter2 }}"}), "invalid username template"),
        (json!({"max_connection_lifetime": "hunter2"}), "max_connection_lifetime"),
        (json!({"tls_ca": "hunter2", "connection_url": bench.url("")}), "tls_ca"),
        (json!({"private_key": "hunter2", "connection_url": bench.url("")}), "tls_certificate"),
    ];
    for (changes, reason) in cases {
        let error = bench.connect("pg", changes.clone()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidRequest, "{changes}");
        assert!(error.to_string().contains(reason), "{changes}: {error}");
        let text = everything(&error);
        assert!(!text.contains(ADMIN_PASSWORD) && !text.contains("hunter2"), "{text}");
    }
    assert_eq!(bench.write("config/pg", Value::Null).await.unwrap_err().to_string(), "empty plugin name");
    assert!(bench.list("config").await.is_err(), "nothing was stored");
    bench.connect("pg", json!({"password": "wrong", "verify_connection": false})).await.unwrap();
    assert_eq!(bench.list("config").await.unwrap(), json!(["pg"]));
}

#[tokio::test]
async fn names_are_names() {
    let bench = Bench::start().await;
    for name in ["a b", "a\"b", "a'b", "a;b", "-a", "a-", "ä"] {
        for path in ["config", "roles", "static-roles", "creds", "static-creds", "rotate-root"] {
            let operation = if path.ends_with("creds") { Operation::Read } else { Operation::Write };
            let error = bench.harness.call(operation, &format!("{path}/{name}"), Value::Null).await.unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidRequest, "{path}/{name}");
        }
    }
}

#[tokio::test]
async fn a_password_in_the_url_is_never_shown() {
    let bench = Bench::start().await;
    bench.server.query("create role simple with login superuser password 'hunter2'");
    for (name, url) in [
        ("url", format!("postgresql://simple:hunter2@localhost:{}/postgres?sslmode=disable", bench.server.port)),
        (
            "keywords",
            format!(
                "host=localhost port={} user=simple password='hunter2' dbname=postgres sslmode=disable",
                bench.server.port
            ),
        ),
    ] {
        let body = json!({"plugin_name": "postgresql-database-plugin", "connection_url": url, "allowed_roles": "*"});
        let answer = bench.harness.call(Operation::Write, &format!("config/{name}"), body).await.unwrap();
        assert!(answer.warnings[0].contains("Password found in connection_url"));
        let shown = bench.read(&format!("config/{name}")).await.unwrap().to_string();
        assert!(!shown.contains("hunter2") && shown.contains("xxxxx"), "{shown}");
        bench.role("r", json!({"db_name": name})).await;
        bench.user("r").await.unwrap();
        let error = bench.write(&format!("rotate-root/{name}"), Value::Null).await.unwrap_err();
        assert!(error.to_string().contains("no username in configuration"));
    }
}

#[tokio::test]
async fn tls_trusts_whom_it_is_told_to_trust() {
    let bench = Bench::start().await;
    let (right, wrong) = (bench.server.certificates.authority.as_str(), bench.server.other_authority.as_str());
    let itself = bench.server.certificates.server.as_str();
    let cases = [
        ("sslmode=verify-full", "localhost", right, true),
        ("sslmode=verify-ca", "localhost", right, true),
        ("sslmode=require", "localhost", right, true),
        ("", "localhost", right, true),
        // The certificate is for the name only.
        ("sslmode=verify-ca", "127.0.0.1", right, true),
        ("sslmode=verify-full", "127.0.0.1", right, false),
        ("sslmode=verify-full", "localhost", wrong, false),
        ("sslmode=verify-ca", "localhost", wrong, false),
        ("sslmode=require", "localhost", wrong, false),
        ("sslmode=prefer", "localhost", wrong, false),
        // Its own certificate is trusted as it is, for its own name.
        ("sslmode=verify-full", "localhost", itself, true),
        ("sslmode=verify-full", "127.0.0.1", itself, false),
        ("sslmode=disable", "localhost", right, false),
        ("sslmode=verify-full", "localhost", "", false),
        ("sslmode=verify-ca", "localhost", "", false),
        ("sslmode=require", "localhost", "", true),
        ("sslmode=prefer", "localhost", "", true),
    ];
    for (options, host, authority, works) in cases {
        let url = bench.url(options).replace("localhost", host);
        let outcome = bench.connect("pg", json!({"connection_url": url, "tls_ca": authority})).await;
        match outcome {
            Ok(_) => assert!(works, "{options} {host}"),
            Err(error) => {
                assert!(!works, "{options} {host}: {}", everything(&error));
                assert_eq!(error.kind(), Kind::InvalidRequest);
                assert!(error.to_string().contains("tls_ca"), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn the_database_can_ask_who_connects() {
    let bench = Bench::start().await;
    let certificates = &bench.server.certificates;
    let settings = json!({
        "connection_url": bench.url("sslmode=verify-full"),
        "tls_ca": certificates.authority,
        "tls_certificate": certificates.client,
        "private_key": certificates.client_key,
    });
    bench.connect("pg", settings).await.unwrap();
    let shown = bench.read("config/pg").await.unwrap();
    assert_eq!(shown["connection_details"]["tls_certificate"], json!(certificates.client));
    assert!(!shown.to_string().contains("PRIVATE KEY"));
    bench.role("r", json!({})).await;
    let user = bench.user("r").await.unwrap();
    assert!(bench.admits(&user.name, &user.password));
    let sessions = "select distinct client_dn from pg_stat_ssl join pg_stat_activity using (pid) \
                    where application_name = 'arca' and ssl";
    assert_eq!(bench.server.query(sessions), "/CN=client");
    let foreign = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let error = bench.write("config/pg", json!({"private_key": foreign})).await.unwrap_err();
    assert!(error.to_string().contains("belong together"), "{error}");
}
