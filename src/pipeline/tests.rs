use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::api::{ApiPath, Operation};
use crate::engine::{Body, Client, Role};
use crate::entropy::SeededEntropy;
use crate::mount::{MountConfig, Registry};
use crate::seal::Threshold;
use crate::secret::{ClientToken, SecretBytes, SecretText};
use crate::storage::{MemoryStorage, Storage};
use crate::time::{ManualClock, Timestamp};
use crate::vault::{NewMount, Parts, Settings};

struct Fixture {
    line: Arc<Pipeline>,
    storage: Arc<MemoryStorage>,
    clock: Arc<ManualClock>,
    share: String,
    root: String,
}

/// What a caller reads: the status, and the body (null where there is none).
#[derive(Debug)]
struct Read(u16, Value);

impl Read {
    fn text(&self, pointer: &str) -> String {
        self.1.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

async fn fixture() -> Fixture {
    let storage = Arc::new(MemoryStorage::new());
    let clock = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(1_000_000)));
    let mut kinds = crate::engines::kinds();
    kinds.extend(crate::auth::kinds());
    let vault = Vault::open(Parts {
        storage: storage.clone(),
        clock: clock.clone(),
        entropy: Arc::new(SeededEntropy::new(3)),
        registry: Registry::new(kinds),
        settings: Arc::new(Settings::default()),
        metrics: crate::metrics::Metrics::new(Timestamp::from_unix_seconds(1_000_000)),
        tracer: crate::trace::Tracer::off(),
    })
    .await
    .unwrap();
    let made = vault.initialise(Threshold::new(1, 1).unwrap(), &[], None).await.unwrap();
    let f = Fixture {
        line: Pipeline::new(vault),
        storage,
        clock,
        share: made.keys[0].expose().to_owned(),
        root: made.root_token.expose().to_owned(),
    };
    f.unseal().await;
    f.mount(Role::Secret, "kv").await;
    f
}

impl Fixture {
    fn unsealed(&self) -> Arc<Unsealed> {
        self.line.vault().unsealed().unwrap()
    }

    async fn unseal(&self) {
        self.line.vault().give_share(&SecretText::new(self.share.clone())).await.unwrap();
    }

    async fn mount(&self, role: Role, kind: &str) {
        let new = NewMount {
            role,
            path: kind.to_owned(),
            kind: kind.to_owned(),
            description: String::new(),
            options: std::collections::BTreeMap::new(),
            config: MountConfig::default(),
            local: false,
            seal_wrap: false,
        };
        self.unsealed().enable(new).await.unwrap();
    }

    async fn ask(&self, token: &str, operation: Operation, path: &str, body: Value) -> Read {
        let body = if body.is_null() { Body::default() } else { Body::of(&body).unwrap() };
        self.send(token, operation, path, body).await
    }

    async fn send(&self, token: &str, operation: Operation, path: &str, body: Body) -> Read {
        let request = Request {
            namespace: String::new(),
            id: "test".to_owned(),
            operation,
            path: ApiPath::parse(path).unwrap(),
            token: (!token.is_empty()).then(|| ClientToken::new(token.to_owned())),
            body,
            client: Client::default(),
            wrap_ttl: None,
            headers: Vec::new(),
            fault: None,
            counted: None,
        };
        let answer = self.line.handle(request).await;
        Read(answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
    }

    async fn create(&self, token: &str, body: Value) -> Read {
        let made = self.ask(token, Operation::Write, "auth/token/create", body).await;
        assert_eq!(made.0, 200, "{made:?}");
        made
    }

    /// Waits for background work to bring `ready` about.
    async fn until(&self, mut ready: impl AsyncFnMut(&Self) -> bool) {
        for _ in 0..200 {
            if ready(self).await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it did not come about");
    }
}

#[tokio::test]
async fn sealing_does_not_wait_for_the_request_that_asks_for_it() {
    let f = fixture().await;
    let begun = Instant::now();
    assert_eq!(f.ask(&f.root, Operation::Write, "sys/seal", Value::Null).await.0, 204);
    assert!(f.line.vault().standing().sealed, "once it is answered the vault is sealed");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    f.unseal().await;
    assert_eq!(f.ask(&f.root, Operation::Read, "auth/token/lookup-self", Value::Null).await.0, 200);
}

#[tokio::test]
async fn an_initialisation_is_done_although_the_client_goes_away() {
    let mut f = fixture().await;
    f.storage = Arc::new(MemoryStorage::new());
    let parts = Parts { storage: f.storage.clone(), ..f.line.vault().parts().clone() };
    let line = Pipeline::new(Vault::open(parts).await.unwrap());
    let body = Body::of(&json!({"secret_shares": 1, "secret_threshold": 1})).unwrap();
    let request = Request {
        namespace: String::new(),
        id: "test".to_owned(),
        operation: Operation::Write,
        path: ApiPath::parse("sys/init").unwrap(),
        token: None,
        body,
        client: Client::default(),
        wrap_ttl: None,
        headers: Vec::new(),
        fault: None,
        counted: None,
    };
    {
        // Asked once whether it is ready, and dropped.
        let mut asked = std::pin::pin!(line.handle(request));
        let _ = std::future::poll_fn(|context| std::task::Poll::Ready(asked.as_mut().poll(context))).await;
    }
    f.until(async |_| line.vault().standing().initialised).await;
    assert!(f.storage.get(&crate::storage::Key::new("core/seal").unwrap()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_deep_tree_of_tokens_is_revoked() {
    let f = fixture().await;
    let mut tokens = vec![f.create(&f.root, json!({"policies": ["root"]})).await.text("/auth/client_token")];
    for _ in 0..300 {
        let parent = tokens.last().unwrap().clone();
        tokens.push(f.create(&parent, json!({"policies": ["root"]})).await.text("/auth/client_token"));
    }
    let before = f.unsealed().tokens.accessors("root").await.unwrap().len();
    assert_eq!(f.ask(&tokens[0], Operation::Write, "auth/token/revoke-self", Value::Null).await.0, 204);
    assert_eq!(f.unsealed().tokens.accessors("root").await.unwrap().len(), before - tokens.len());
    assert_eq!(f.unsealed().leases.below("auth/token").await.unwrap(), Vec::<String>::new());
    assert_eq!(f.ask(&tokens[300], Operation::Read, "auth/token/lookup-self", Value::Null).await.0, 403);
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Probe;

impl crate::barrier::Record for Probe {}

#[tokio::test]
async fn nothing_is_made_for_a_token_or_a_mount_that_ended_meanwhile() {
    let f = fixture().await;
    f.mount(Role::Auth, "userpass").await;
    let unsealed = f.unsealed();
    let made = f.create(&f.root, json!({"policies": ["default"]})).await;
    let id = unsealed.tokens.id_of(&ClientToken::new(made.text("/auth/client_token")));
    let mut early = crate::barrier::Txn::new();
    unsealed.tokens.require_good(&id, &mut early).await.unwrap();
    let mut login = crate::barrier::Txn::new();
    let uuid = unsealed.mount_at(Role::Auth, "userpass").unwrap().entry.uuid.clone();
    unsealed.mounts.require_serving(&uuid, &mut login).await.unwrap();
    let probe = unsealed.view("probe");
    for (name, txn) in [("token", &mut early), ("mount", &mut login)] {
        probe.put(txn, name, &Probe).unwrap();
    }
    unsealed.revoke_token(&id).await.unwrap();
    unsealed.disable(Role::Auth, "userpass").await.unwrap();
    assert_eq!(unsealed.commit(early).await.unwrap_err().kind(), Kind::Conflict);
    assert_eq!(unsealed.commit(login).await.unwrap_err().kind(), Kind::Conflict);
    let mut late = crate::barrier::Txn::new();
    assert_eq!(unsealed.tokens.require_good(&id, &mut late).await.unwrap_err().kind(), Kind::Forbidden);
    assert_eq!(unsealed.mounts.require_serving(&uuid, &mut late).await.unwrap_err().kind(), Kind::NotFound);
}

#[tokio::test]
async fn tokens_of_a_mount_that_was_enabled_again_are_not_those_of_the_old_one() {
    let f = fixture().await;
    f.mount(Role::Auth, "userpass").await;
    let write = async |path: &str, body: Value| f.ask(&f.root, Operation::Write, path, body).await;
    let log_in = async || {
        write("auth/userpass/users/ann", json!({"password": "a-long-password"})).await;
        let made = f.ask("", Operation::Write, "auth/userpass/login/ann", json!({"password": "a-long-password"})).await;
        made.text("/auth/client_token")
    };
    let old = log_in().await;
    f.unsealed().disable(Role::Auth, "userpass").await.unwrap();
    f.mount(Role::Auth, "userpass").await;
    let new = log_in().await;
    f.until(async |f| f.unsealed().mounts.removing().is_empty()).await;
    assert_eq!(f.ask(&new, Operation::Read, "auth/token/lookup-self", Value::Null).await.0, 200);
    f.until(async |f| f.ask(&old, Operation::Read, "auth/token/lookup-self", Value::Null).await.0 == 403).await;
}

#[tokio::test]
async fn a_spent_token_is_revoked_although_the_server_stops() {
    let f = fixture().await;
    let made = f.create(&f.root, json!({"policies": ["root"], "num_uses": 1})).await;
    let token = ClientToken::new(made.text("/auth/client_token"));
    let unsealed = f.unsealed();
    let known = unsealed.tokens.authenticate(&token, None).await.unwrap();
    unsealed.revoke_after_this(&known.caller.token_id).await.unwrap();
    f.line.vault().seal().await;
    f.unseal().await;
    assert!(f.unsealed().tokens.stored(&known.caller.token_id).await.unwrap().is_some());
    f.clock.advance(Duration::from_secs(301));
    f.until(async |f| f.unsealed().tokens.stored(&known.caller.token_id).await.unwrap().is_none()).await;
}

#[tokio::test]
async fn a_removal_waits_for_what_the_mount_is_answering() {
    let f = fixture().await;
    f.mount(Role::Auth, "userpass").await;
    let unsealed = f.unsealed();
    let point = unsealed.mount_at(Role::Auth, "userpass").unwrap();
    let stay = point.gate.let_in().unwrap();
    let disabling = unsealed.clone();
    let mut disabled = tokio::task::JoinSet::new();
    disabled.spawn(async move { disabling.disable(Role::Auth, "userpass").await });
    f.until(async |_| point.gate.let_in().is_none()).await;
    assert_eq!(unsealed.mounts.removing().len(), 1);
    drop(stay);
    disabled.join_next().await.unwrap().unwrap().unwrap();
    f.until(async |f| f.unsealed().mounts.removing().is_empty()).await;
}

#[tokio::test]
async fn a_mount_that_cannot_be_opened_keeps_no_other_sealed() {
    let f = fixture().await;
    f.mount(Role::Auth, "userpass").await;
    let unsealed = f.unsealed();
    let mut broken = unsealed.mount_at(Role::Auth, "userpass").unwrap().entry.clone();
    "of-the-past".clone_into(&mut broken.kind);
    "auth/broken/".clone_into(&mut broken.path);
    broken.uuid.push_str("-broken");
    let mut txn = crate::barrier::Txn::new();
    unsealed.mounts.store(&broken, &mut txn).unwrap();
    unsealed.commit(txn).await.unwrap();
    f.line.vault().seal().await;
    f.unseal().await;
    assert_eq!(f.ask(&f.root, Operation::Read, "auth/broken/users/ann", Value::Null).await.0, 500);
    assert_eq!(f.ask("", Operation::Read, "auth/broken/users/ann", Value::Null).await.0, 403);
    assert_eq!(f.ask(&f.root, Operation::List, "auth/userpass/users/", Value::Null).await.0, 404);
    assert!(f.unsealed().mount_at(Role::Auth, "broken").is_some(), "it is listed all the same");
}

#[tokio::test]
async fn a_limited_token_is_spent_by_refused_requests_too() {
    let f = fixture().await;
    let made = f.create(&f.root, json!({"policies": ["default"], "num_uses": 2})).await;
    let token = made.text("/auth/client_token");
    assert_eq!(f.ask(&token, Operation::Read, "kv/a", Value::Null).await.0, 403);
    let last = f.ask(&token, Operation::Read, "auth/token/lookup-self", Value::Null).await;
    assert_eq!((last.0, last.1.pointer("/data/num_uses").and_then(Value::as_i64)), (200, Some(-1)));
    assert_eq!(f.ask(&token, Operation::Read, "auth/token/lookup-self", Value::Null).await.0, 403);
}

#[tokio::test]
async fn a_policy_counts_as_it_is_now() {
    let f = fixture().await;
    let write =
        async |rules: &str| f.ask(&f.root, Operation::Write, "sys/policies/acl/p", json!({"policy": rules})).await;
    write("path \"kv/a\" { capabilities = [\"update\", \"create\"] }").await;
    let token = f.create(&f.root, json!({"policies": ["p"]})).await.text("/auth/client_token");
    assert_eq!(f.ask(&token, Operation::Write, "kv/a", json!({"x": 1})).await.0, 204);
    write("path \"kv/b\" { capabilities = [\"update\", \"create\"] }").await;
    assert_eq!(f.ask(&token, Operation::Write, "kv/a", json!({"x": 1})).await.0, 403);
    f.ask(&f.root, Operation::Delete, "sys/policies/acl/p", Value::Null).await;
    assert_eq!(f.ask(&token, Operation::Write, "kv/b", json!({"x": 1})).await.0, 403);
}

#[tokio::test]
async fn a_deep_body_is_refused_or_kept_but_never_a_failure() {
    let f = fixture().await;
    f.ask(
        &f.root,
        Operation::Write,
        "sys/policies/acl/p",
        json!({"policy":
        "path \"kv/*\" { capabilities = [\"update\", \"create\", \"read\"] denied_parameters = { \"z\" = [] } }"}),
    )
    .await;
    let bound = f.create(&f.root, json!({"policies": ["p"]})).await.text("/auth/client_token");
    for depth in [100_usize, 127, 128, 129, 500, 999] {
        let text = format!("{{\"a\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
        for token in [&f.root, &bound] {
            for path in ["kv/deep", "sys/policies/acl/deep", "auth/token/create"] {
                let body = Body::new(SecretBytes::new(text.clone().into_bytes()));
                let answer = f.send(token, Operation::Write, path, body).await;
                assert!(answer.0 < 500, "{depth} {path}: {answer:?}");
            }
        }
        let read = f.ask(&f.root, Operation::Read, "kv/deep", Value::Null).await;
        assert!(read.0 < 500, "{depth}: {read:?}");
    }
}

#[tokio::test]
async fn who_may_not_know_cannot_tell_what_is_there() {
    let f = fixture().await;
    f.ask(&f.root, Operation::Write, "kv/a", json!({"x": 1})).await;
    let token = f.create(&f.root, json!({"policies": ["default"]})).await.text("/auth/client_token");
    for path in ["kv/a", "kv/none", "nowhere/a", "sys/mounts/x", "sys/nothing", "auth/nowhere/login", "secret"] {
        for operation in [Operation::Read, Operation::Write, Operation::Delete, Operation::Patch] {
            for holder in ["", "s.made-up", &token] {
                let answer = f.ask(holder, operation, path, json!({"x": 1})).await;
                assert_eq!(answer.0, 403, "{holder:?} {operation:?} {path}");
            }
        }
    }
}
