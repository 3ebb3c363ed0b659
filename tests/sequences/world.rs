//! The whole pipeline over a store in memory, with its time in hand; it can be killed and started again.

use std::sync::Arc;
use std::time::Duration;

use arca::api::{ApiPath, Operation};
use arca::engine::{Body, Client};
use arca::entropy::SeededEntropy;
use arca::lease::Target;
use arca::metrics::Metrics;
use arca::mount::Registry;
use arca::pipeline::{Pipeline, Request};
use arca::secret::ClientToken;
use arca::storage::{MemoryStorage, Storage};
use arca::time::{Clock, ManualClock, Timestamp};
use arca::trace::Tracer;
use arca::vault::{Parts, Settings, Vault};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

/// A vault, initialised with one share.
pub struct World {
    storage: Arc<dyn Storage>,
    clock: Arc<ManualClock>,
    entropy: Arc<SeededEntropy>,
    life: Life,
    share: String,
    /// The root token.
    pub root: String,
}

/// From a start of the server to its end.
struct Life {
    runtime: Runtime,
    pipeline: Arc<Pipeline>,
}

/// What came of a request.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body as text.
    pub text: String,
}

impl Reply {
    /// The body.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }
}

/// One request.
#[derive(Debug)]
pub struct Ask<'a> {
    /// What is to be done.
    pub operation: Operation,
    /// Where.
    pub path: &'a str,
    /// By whom.
    pub token: Option<&'a str>,
    /// With what.
    pub body: Value,
    /// For how many seconds the answer is to be wrapped; 0 for not at all.
    pub wrap: u64,
}

impl World {
    /// A new vault, unsealed.
    pub fn new() -> Self {
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(1_800_000_000)));
        let entropy = Arc::new(SeededEntropy::new(1));
        let life = Life::start(&storage, &clock, &entropy);
        let mut world = Self { storage, clock, entropy, life, share: String::new(), root: String::new() };
        let made = world.ask(&Ask {
            operation: Operation::Write,
            path: "sys/init",
            token: None,
            body: json!({"secret_shares": 1, "secret_threshold": 1}),
            wrap: 0,
        });
        world.share = text(&made.json()["keys_base64"][0]);
        world.root = text(&made.json()["root_token"]);
        world.unseal();
        world
    }

    /// Sends a request, and lets what it began in the background go on for a while.
    pub fn ask(&self, ask: &Ask<'_>) -> Reply {
        let Ask { operation, path, token, body, wrap } = ask;
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let path = ApiPath::parse(path).expect("a path");
        let request = Request {
            id: "sequence".to_owned(),
            operation: *operation,
            namespace: String::new(),
            path: if operation.is_listing() { path.into_folder() } else { path },
            token: token.map(|token| ClientToken::new(token.to_owned())),
            body: Body::new(bytes.into()),
            client: Client::default(),
            wrap_ttl: (*wrap > 0).then(|| Duration::from_secs(*wrap)),
            headers: Vec::new(),
            fault: None,
            counted: None,
        };
        let audited = self.life.runtime.block_on(self.life.pipeline.handle(request));
        self.breathe();
        Reply { status: audited.status, text: String::from_utf8_lossy(&audited.body).into_owned() }
    }

    /// Lets work in the background go on.
    pub fn breathe(&self) {
        self.life.runtime.block_on(async {
            for _ in 0..64 {
                tokio::task::yield_now().await;
            }
        });
    }

    /// Gives the share.
    pub fn unseal(&self) {
        let reply = self.ask(&Ask {
            operation: Operation::Write,
            path: "sys/unseal",
            token: None,
            body: json!({"key": self.share}),
            wrap: 0,
        });
        assert_eq!(reply.json()["sealed"], false, "{reply:?}");
    }

    /// Whether it is sealed.
    pub fn is_sealed(&self) -> bool {
        self.life.pipeline.vault().unsealed().is_err()
    }

    /// Ends as a killed process does, and starts again over the same store: sealed.
    pub fn crash(&mut self) {
        let next = Life::start(&self.storage, &self.clock, &self.entropy);
        std::mem::replace(&mut self.life, next).runtime.shutdown_background();
    }

    /// Lets time pass.
    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The lease that ends a token, if it has one: its id, and the seconds that are left of it.
    pub fn lease_of(&self, token: &str) -> Option<(String, u64)> {
        let unsealed = self.life.pipeline.vault().unsealed().ok()?;
        let wanted = unsealed.tokens.id_of(&ClientToken::new(token.to_owned()));
        self.life.runtime.block_on(async {
            for id in unsealed.leases.below("").await.expect("the leases") {
                let Some(lease) = unsealed.leases.lease(&id).await.expect("a lease") else { continue };
                if matches!(&lease.target, Target::Token { id } if *id == wanted) {
                    return Some((id, lease.remaining(self.clock.now())));
                }
            }
            None
        })
    }

    /// How many leases there are.
    pub fn leases(&self) -> usize {
        let Ok(unsealed) = self.life.pipeline.vault().unsealed() else { return 0 };
        self.life.runtime.block_on(async { unsealed.leases.below("").await.expect("the leases").len() })
    }
}

impl Life {
    fn start(storage: &Arc<dyn Storage>, clock: &Arc<ManualClock>, entropy: &Arc<SeededEntropy>) -> Self {
        let mut kinds = arca::engines::kinds();
        kinds.extend(arca::auth::kinds());
        let parts = Parts {
            storage: storage.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            registry: Registry::new(kinds),
            settings: Arc::new(Settings::default()),
            metrics: Metrics::new(clock.now()),
            tracer: Tracer::default(),
        };
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let pipeline = runtime.block_on(async { Pipeline::new(Vault::open(parts).await.expect("a vault")) });
        Self { runtime, pipeline }
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
