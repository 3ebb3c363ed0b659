//! `TestVault`: the whole server in the test's own process, over mutual TLS, with its time and its store at hand.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use arca::config::{ClientAuth, ForwardedFor, Limits, Listener, Timeouts, Tls, TlsVersion, Unauthenticated};
use arca::entropy::SystemEntropy;
use arca::http::Server;
use arca::lease::LeaseState;
use arca::metrics::Metrics;
use arca::mount::Registry;
use arca::pipeline::Pipeline;
use arca::storage::{MemoryStorage, Opening, Storage};
use arca::time::{Clock, ManualClock, SystemClock};
use arca::trace::{self, Tracer};
use arca::vault::{DeclaredAudit, Parts, Settings, Unsealed, Vault};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::certificates::Pki;
use super::client::{Client, text_at};
use super::wire::Wire;

/// How a [`TestVault`] is to be.
pub(crate) struct Setup {
    /// Its store; one in memory unless said otherwise.
    pub(crate) storage: Arc<dyn Storage>,
    /// Whether time stands until the test moves it.
    pub(crate) manual_clock: bool,
    /// Whether there is an audit device.
    pub(crate) audited: bool,
    /// Whether it is initialised and unsealed.
    pub(crate) unsealed: bool,
    /// What the operator configured besides.
    pub(crate) settings: Settings,
    /// The authorities of client certificates; the vault's own unless said otherwise.
    pub(crate) clients: Clients,
    /// Whether clients are believed where they say they are, as a proxy is.
    pub(crate) proxied: bool,
    /// Whether everyone may read the metrics.
    pub(crate) metrics_for_all: bool,
    /// Where its traces go, if anywhere.
    pub(crate) traced: Option<trace::Settings>,
    /// The bounds of a request.
    pub(crate) limits: Limits,
    /// How long it may take.
    pub(crate) timeouts: Timeouts,
}

/// What is asked of clients.
#[derive(Clone, Copy)]
pub(crate) enum Clients {
    /// A certificate of the vault's own authority.
    Ours,
    /// A certificate of any authority, or none.
    Any,
}

/// A server for one test. When it goes it is sealed, and the test fails if anything is left behind: an intent without
/// an outcome, or work in the background that did not end.
pub(crate) struct TestVault {
    runtime: Option<Runtime>,
    pipeline: Arc<Pipeline>,
    shutdown: CancellationToken,
    serving: Option<JoinHandle<()>>,
    clock: Option<Arc<ManualClock>>,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Its certificates.
    pub(crate) pki: Pki,
    /// Its files: certificates and the audit log.
    pub(crate) folder: TempDir,
    /// The shares of its seal key.
    pub(crate) shares: Vec<String>,
    root_token: String,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            storage: Arc::new(MemoryStorage::new()),
            manual_clock: false,
            audited: true,
            unsealed: true,
            settings: Settings::default(),
            clients: Clients::Ours,
            proxied: false,
            metrics_for_all: false,
            traced: None,
            limits: Limits {
                request_size: 32 << 20,
                json_strings: 1000,
                json_memory: 34_078_720,
                json_depth: 1000,
                header_bytes: 65_536,
                connections: 10_000,
            },
            timeouts: Timeouts {
                request: Some(Duration::from_secs(90)),
                read_header: Some(Duration::from_secs(10)),
                read: Some(Duration::from_secs(30)),
                write: Some(Duration::from_mins(1)),
                idle: Some(Duration::from_mins(5)),
            },
        }
    }
}

impl Setup {
    /// Over redb in this folder.
    pub(crate) fn redb(folder: &Path) -> Self {
        let storage =
            arca::storage::open("redb", folder, Opening::default(), &SystemEntropy::new(), &metrics()).unwrap();
        Self { storage, ..Self::default() }
    }

    /// With time in the test's hands.
    pub(crate) fn manual_clock() -> Self {
        Self { manual_clock: true, ..Self::default() }
    }

    /// Starts it.
    pub(crate) fn start(self) -> TestVault {
        let mut vault = self.start_sealed();
        let initialised = vault.anonymous().get("sys/init").ok().json()["initialized"] == true;
        if !initialised && vault.wants_unsealing {
            vault.inner.initialise(2, 2);
            vault.inner.unseal();
        }
        vault.inner
    }

    fn start_sealed(self) -> Started {
        let Self {
            storage,
            manual_clock,
            audited,
            unsealed,
            mut settings,
            clients,
            proxied,
            metrics_for_all,
            traced,
            limits,
            timeouts,
        } = self;
        let folder = TempDir::new().unwrap();
        let pki = Pki::new();
        write_certificates(folder.path(), &pki);
        settings.audit.extend(audited.then(|| audit_file(&folder.path().join("audit.log"))));
        let clock = manual_clock.then(|| Arc::new(ManualClock::new(SystemClock.now())));
        let listener = Listener {
            forwarded_for: forwarded_for(proxied),
            unauthenticated: Unauthenticated { rekey: false, generate_root: false, metrics: metrics_for_all },
            ..listener(folder.path(), clients, limits, timeouts)
        };
        let metrics = metrics();
        let traced = traced.map(|settings| Tracer::new(settings, Arc::new(SystemEntropy::new()), metrics.clone()));
        let (tracer, exporter) = traced.unzip();
        let parts = Parts {
            storage,
            clock: clock_of(clock.as_ref()),
            entropy: Arc::new(SystemEntropy::new()),
            registry: registry(),
            settings: Arc::new(settings),
            metrics,
            tracer: tracer.unwrap_or_default(),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let shutdown = CancellationToken::new();
        let (pipeline, address, serving) = runtime.block_on(async {
            let pipeline = Pipeline::new(Vault::open(parts).await.unwrap());
            if let Some(exporter) = exporter {
                runtime.spawn(exporter.run(shutdown.clone()));
            }
            let server = Server::bind(listener, pipeline.clone()).await.unwrap();
            let address = server.address().unwrap();
            (pipeline, address, runtime.spawn(server.serve(shutdown.clone())))
        });
        let inner = TestVault {
            runtime: Some(runtime),
            pipeline,
            shutdown,
            serving: Some(serving),
            clock,
            address,
            pki,
            folder,
            shares: Vec::new(),
            root_token: String::new(),
        };
        Started { inner, wants_unsealing: unsealed }
    }
}

fn clock_of(manual: Option<&Arc<ManualClock>>) -> Arc<dyn Clock> {
    match manual {
        Some(clock) => clock.clone(),
        None => Arc::new(SystemClock),
    }
}

fn registry() -> Registry {
    let mut kinds = arca::engines::kinds();
    kinds.extend(arca::auth::kinds());
    Registry::new(kinds)
}

fn write_certificates(folder: &Path, pki: &Pki) {
    let files = [("ca.pem", &pki.ca), ("server.pem", &pki.server.0), ("server-key.pem", &pki.server.1)];
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
}

fn audit_file(path: &Path) -> DeclaredAudit {
    DeclaredAudit {
        kind: "file".to_owned(),
        path: "file/".to_owned(),
        description: String::new(),
        options: BTreeMap::from([("file_path".to_owned(), path.display().to_string())]),
    }
}

/// A listener on a port that the system chooses, with the certificates in `folder`.
fn listener(folder: &Path, clients: Clients, limits: Limits, timeouts: Timeouts) -> Listener {
    Listener {
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        tls: Some(Tls {
            cert_file: folder.join("server.pem"),
            key_file: folder.join("server-key.pem"),
            client_auth: match clients {
                Clients::Ours => ClientAuth::Required(folder.join("ca.pem")),
                Clients::Any => ClientAuth::Optional(None),
            },
            client_crl_file: None,
            min_version: TlsVersion::Tls12,
            max_version: TlsVersion::Tls13,
        }),
        limits,
        timeouts,
        forwarded_for: forwarded_for(false),
        unauthenticated: Unauthenticated { rekey: false, generate_root: false, metrics: false },
    }
}

fn metrics() -> Arc<Metrics> {
    Metrics::new(SystemClock.now())
}

/// Whose word about a client's address counts: nobody's, or that of all on this machine.
fn forwarded_for(proxied: bool) -> ForwardedFor {
    ForwardedFor {
        authorized: proxied.then(|| "127.0.0.0/8".parse().unwrap()).into_iter().collect(),
        hop_skips: 0,
        reject_not_authorized: true,
        reject_not_present: !proxied,
    }
}

struct Started {
    inner: TestVault,
    wants_unsealing: bool,
}

impl Started {
    fn anonymous(&mut self) -> Client {
        self.inner.anonymous()
    }
}

impl TestVault {
    /// Initialised and unsealed, in memory, audited.
    pub(crate) fn new() -> Self {
        Setup::default().start()
    }

    /// A client without a token.
    pub(crate) fn anonymous(&self) -> Client {
        Client::new(self.address, &self.pki.ca, Some(self.operator()))
    }

    /// A client with the root token.
    pub(crate) fn root(&self) -> Client {
        self.anonymous().with_token(&self.root_token)
    }

    /// A client with a token that `policy` alone says about what it may do.
    #[track_caller]
    pub(crate) fn with_policy(&self, name: &str, policy: &str) -> Client {
        let root = self.root();
        root.post(&format!("sys/policies/acl/{name}"), json!({ "policy": policy })).ok();
        self.with_token(json!({ "policies": [name], "no_default_policy": true }))
    }

    /// A client with a new token.
    #[track_caller]
    pub(crate) fn with_token(&self, body: Value) -> Client {
        let root = self.root();
        root.with_token(&root.post("auth/token/create", body).issued())
    }

    /// A client with the token of a login.
    #[track_caller]
    pub(crate) fn login(&self, path: &str, body: Value) -> Client {
        let client = self.anonymous();
        client.with_token(&client.post(path, body).issued())
    }

    /// A connection for raw bytes, with the operator's certificate.
    pub(crate) fn wire(&self) -> Wire {
        Wire::connect(self.address, &self.pki.ca, Some(self.operator()))
    }

    /// The same for another protocol, by its name in ALPN.
    pub(crate) fn wire_for(&self, protocol: &[u8]) -> Wire {
        Wire::connect_for(self.address, &self.pki.ca, Some(self.operator()), protocol)
    }

    /// The operator's certificate and key.
    pub(crate) fn operator(&self) -> (&str, &str) {
        (&self.pki.client.0, &self.pki.client.1)
    }

    /// Initialises it.
    #[track_caller]
    pub(crate) fn initialise(&mut self, shares: u8, threshold: u8) {
        let body = json!({ "secret_shares": shares, "secret_threshold": threshold });
        let made = self.anonymous().post("sys/init", body).ok().json();
        let keys = made["keys_base64"].as_array().unwrap();
        self.shares = keys.iter().map(|key| key.as_str().unwrap().to_owned()).collect();
        self.root_token = text_at(&made, "root_token");
    }

    /// Takes the keys of a vault that was initialised before over the same store.
    pub(crate) fn adopt(&mut self, shares: &[String], root_token: &str) {
        self.shares = shares.to_vec();
        root_token.clone_into(&mut self.root_token);
    }

    /// Unseals it with all shares.
    #[track_caller]
    pub(crate) fn unseal(&self) {
        let client = self.anonymous();
        for share in &self.shares {
            client.post("sys/unseal", json!({ "key": share })).ok();
        }
        assert_eq!(client.get("sys/seal-status").ok().json()["sealed"], false);
    }

    /// Seals it as a stop does: without a request.
    pub(crate) fn seal(&self) {
        let vault = self.pipeline.vault().clone();
        self.run(async move { vault.seal().await });
    }

    /// Moves its time on.
    #[track_caller]
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.as_ref().expect("a vault with a manual clock").advance(by);
    }

    /// Everything that is behind its keys.
    #[track_caller]
    pub(crate) fn unsealed(&self) -> Arc<Unsealed> {
        self.pipeline.vault().unsealed().unwrap()
    }

    /// What `work` gives, on the server's own threads.
    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.as_ref().expect("a runtime").block_on(work)
    }

    /// Where the audit log is.
    pub(crate) fn audit_path(&self) -> PathBuf {
        self.folder.path().join("audit.log")
    }

    /// The entries of the audit log.
    pub(crate) fn audit_log(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.audit_path()).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// How many leases there are.
    pub(crate) fn lease_count(&self) -> usize {
        let unsealed = self.unsealed();
        self.run(async { unsealed.leases.below("").await.unwrap().len() })
    }

    /// Goes, as it would at its end, and leaves its files.
    pub(crate) fn finish(mut self) -> TempDir {
        self.check_and_stop();
        std::mem::replace(&mut self.folder, TempDir::new().unwrap())
    }

    /// Goes at once, as if its process were killed: nothing is sealed, nothing is written.
    pub(crate) fn crash(mut self) {
        self.shutdown.cancel();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    fn check_and_stop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        let vault = self.pipeline.vault().clone();
        let (shutdown, serving) = (self.shutdown.clone(), self.serving.take());
        let (intents, unsealed) = runtime.block_on(async move {
            let unsealed = vault.unsealed().ok();
            let mut intents = Vec::new();
            if let Some(unsealed) = &unsealed {
                for id in unsealed.leases.below("").await.unwrap() {
                    let lease = unsealed.leases.lease(&id).await.unwrap();
                    intents.extend(lease.filter(|lease| lease.state == LeaseState::Intended));
                }
            }
            let unsealed: Option<Weak<Unsealed>> = unsealed.as_ref().map(Arc::downgrade);
            shutdown.cancel();
            if let Some(serving) = serving {
                serving.await.unwrap();
            }
            vault.seal().await;
            (intents, unsealed)
        });
        let left = unsealed.as_ref().map_or(0, Weak::strong_count);
        runtime.shutdown_timeout(Duration::from_secs(10));
        if !std::thread::panicking() {
            assert!(intents.is_empty(), "intents without an outcome are left: {intents:?}");
            assert_eq!(left, 0, "something still holds the keys of a sealed vault: work that did not end");
        }
    }
}

impl Drop for TestVault {
    fn drop(&mut self) {
        self.check_and_stop();
    }
}
