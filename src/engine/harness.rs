//! For the unit tests of engines: one engine over a barrier in memory, called as the pipeline calls it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::api::{ApiPath, Operation, Ttl};
use crate::barrier::{Barrier, Scope, View};
use crate::entropy::{Entropy, SeededEntropy};
use crate::error::{Error, Result};
use crate::secret::{RootKey, SecretBytes, SecretJson, SecretText};
use crate::storage::MemoryStorage;
use crate::time::{ManualClock, Timestamp};

use super::{
    Answer, Body, Caller, Client, Content, Cx, CxParts, Deps, Engine, Existence, Intent, Intents, Mount,
    PasswordPolicies, Routes, Txn,
};

/// One opened engine and all that its handlers need.
pub(crate) struct Harness<E: Engine> {
    pub(crate) engine: E,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) caller: Caller,
    pub(crate) client: Client,
    pub(crate) mount: Mount,
    pub(crate) deps: Deps,
    pub(crate) view: View,
    routes: Routes<E>,
}

impl<E: Engine> Harness<E> {
    /// The engine with these mount options, mounted at `test/`, called by a token of policy `root`.
    pub(crate) async fn open(options: Value) -> Self {
        let start = Timestamp::from_unix_seconds(1_800_000_000);
        let clock = Arc::new(ManualClock::new(start));
        let entropy = Arc::new(SeededEntropy::new(1));
        let storage = Arc::new(MemoryStorage::new());
        let root = RootKey::generate(&*entropy).unwrap();
        let mut txn = Txn::new();
        let barrier = Barrier::create(storage.clone(), &root, entropy.clone(), start, &mut txn).unwrap();
        barrier.commit(txn).await.unwrap();
        let view = barrier.view(Scope::new("root", "mount/test"));
        let deps = Deps { clock: clock.clone(), entropy, passwords: Arc::new(TwentyCharacters) };
        let engine = E::open(view.clone(), &options, deps.clone()).await.unwrap();
        let caller = Caller {
            token_id: "token-id".to_owned(),
            policies: vec!["root".to_owned()],
            display_name: "token".to_owned(),
            ..Caller::default()
        };
        let mount = Mount {
            path: "test/".to_owned(),
            kind: E::KIND.to_owned(),
            accessor: format!("{}_12345678", E::KIND),
            uuid: "uuid".to_owned(),
            namespace_id: "root".to_owned(),
            default_ttl: Ttl::from_seconds(2_764_800),
            max_ttl: Ttl::from_seconds(2_764_800),
        };
        let client = Client::default();
        Self { engine, clock, caller, client, mount, deps, view, routes: E::routes() }
    }

    /// Calls `operation` on `path` (below the mount) with `body`, and commits what it changed.
    pub(crate) async fn call(&self, operation: Operation, path: &str, body: Value) -> Result<Answer> {
        let (answer, txn) = self.attempt(operation, path, body).await?;
        self.view.commit(txn).await?;
        Ok(answer)
    }

    /// The same, without the commit.
    pub(crate) async fn attempt(&self, operation: Operation, path: &str, body: Value) -> Result<(Answer, Txn)> {
        let hit = self.routes.resolve(operation, path.trim_end_matches('/')).found()?;
        let full = ApiPath::parse(&format!("{}{path}", self.mount.path)).map_err(|e| Error::invalid(e.to_string()))?;
        let text = if body.is_null() { Vec::new() } else { serde_json::to_vec(&body).unwrap() };
        let mut cx = Cx::new(CxParts {
            caller: Some(&self.caller),
            token: None,
            client: &self.client,
            mount: &self.mount,
            path: &full,
            deps: &self.deps,
            intents: &NoRecord,
        });
        let answer = self.routes.call(&self.engine, &hit, &Body::new(SecretBytes::new(text)), &mut cx).await;
        let (txn, warnings, _) = cx.into_parts();
        let mut answer = answer?;
        answer.warnings.extend(warnings);
        Ok((answer, txn))
    }

    /// The same as a call, and the data of the answer; null where there is none.
    pub(crate) async fn data(&self, operation: Operation, path: &str, body: Value) -> Result<Value> {
        match self.call(operation, path, body).await?.content {
            Content::Data { payload, .. } | Content::Raw { payload, .. } => {
                Ok(serde_json::from_slice(payload.json()).unwrap())
            }
            Content::Nothing => Ok(Value::Null),
            Content::Token(_) | Content::Renewed(_) | Content::Wrapped(_) | Content::Download { .. } => {
                Err(Error::internal("an engine gives no token"))
            }
            Content::Login(login) => Ok(json!({"identity": login.identity, "terms": login.terms})),
        }
    }

    /// Whether the target of a write is there already.
    pub(crate) async fn existence(&self, path: &str) -> Existence {
        let hit = self.routes.resolve(Operation::Write, path).found().unwrap();
        self.routes.existence(&self.engine, &hit, Some(&self.caller)).await.unwrap()
    }

    /// Lets time pass.
    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

#[derive(Debug)]
struct TwentyCharacters;

#[async_trait]
impl PasswordPolicies for TwentyCharacters {
    async fn generate(&self, _: &str) -> Result<SecretText> {
        let entropy: &dyn Entropy = &crate::entropy::SystemEntropy::new();
        Ok(SecretText::new(entropy.base62(20)?))
    }
}

struct NoRecord;

#[async_trait]
impl Intents for NoRecord {
    async fn record(&self, mount: &Mount, path: &ApiPath, _: SecretJson) -> Result<Intent> {
        let _ = mount;
        Ok(Intent { lease_id: format!("{path}/intended") })
    }
}
