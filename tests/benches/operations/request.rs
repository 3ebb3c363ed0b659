//! A whole request, from behind HTTP to before it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arca::api::{ApiPath, Operation as Asks};
use arca::engine::{Body, Client};
use arca::metrics::Metrics;
use arca::mount::Registry;
use arca::pipeline::{Pipeline, Request};
use arca::seal::Threshold;
use arca::secret::ClientToken;
use arca::storage::MemoryStorage;
use arca::time::{Clock, SystemClock};
use arca::trace::Tracer;
use arca::vault::{DeclaredAudit, Parts, Settings, Vault};
use serde_json::{Value, json};

use super::{Failure, Operation, clock, entropy, runtime};

const PATH: &str = "secret/data/team/database";

/// Reads a secret of 300 bytes with a token of one policy, through the whole line: audited twice, to a device that keeps
/// nothing.
pub(super) fn read(name: &'static str) -> Result<Operation, Failure> {
    let runtime = runtime()?;
    let line = runtime.block_on(Line::open())?;
    let work = Box::new(move || {
        let audited = runtime.block_on(line.pipeline.handle(line.request(Asks::Read, PATH, None)?));
        if audited.status == 200 { Ok(1) } else { Err("the read failed".into()) }
    });
    Ok(Operation { name, work })
}

/// An unsealed vault with a secret, and a token.
struct Line {
    pipeline: Arc<Pipeline>,
    token: String,
}

impl Line {
    async fn open() -> Result<Self, Failure> {
        let vault = Vault::open(parts()).await?;
        let initialised = vault.initialise(Threshold::new(1, 1)?, &[], None).await?;
        vault.give_share(initialised.keys_base64.first().ok_or("there is no share")?).await?;
        let token = initialised.root_token.expose().to_owned();
        let line = Self { pipeline: Pipeline::new(vault), token };
        let (policy, chosen) = ("path \"secret/*\" { capabilities = [\"read\"] }", "chosen-by-the-benchmark");
        for (path, body) in [
            ("sys/mounts/secret", json!({"type": "kv", "options": {"version": "2"}})),
            (PATH, json!({"data": {"value": "v".repeat(300)}})),
            ("sys/policies/acl/load", json!({"policy": policy})),
            ("auth/token/create", json!({"id": chosen, "policies": ["load"], "ttl": "24h"})),
        ] {
            let audited = line.pipeline.handle(line.request(Asks::Write, path, Some(&body))?).await;
            if !(200..300).contains(&audited.status) {
                return Err(format!("{path} was answered with {}", audited.status).into());
            }
        }
        Ok(Self { token: chosen.to_owned(), ..line })
    }

    fn request(&self, operation: Asks, path: &str, body: Option<&Value>) -> Result<Request, Failure> {
        Ok(Request {
            id: "0b8c3a52-4f53-4a57-8d4e-3b1f8b0f7a10".to_owned(),
            operation,
            namespace: String::new(),
            path: ApiPath::parse(path)?,
            token: Some(ClientToken::new(self.token.clone())),
            body: body.map_or_else(|| Ok(Body::default()), Body::of)?,
            client: Client::default(),
            wrap_ttl: None,
            headers: Vec::new(),
            fault: None,
            counted: None,
        })
    }
}

fn parts() -> Parts {
    let audit = DeclaredAudit {
        kind: "file".to_owned(),
        path: "file/".to_owned(),
        description: String::new(),
        options: BTreeMap::from([("file_path".to_owned(), "discard".to_owned())]),
    };
    let kinds = arca::engines::kinds().into_iter().chain(arca::auth::kinds()).collect();
    Parts {
        storage: Arc::new(MemoryStorage::new()),
        clock: clock(),
        entropy: entropy(),
        registry: Registry::new(kinds),
        settings: Arc::new(Settings { audit: vec![audit], ..Settings::default() }),
        metrics: Metrics::new(SystemClock.now()),
        tracer: Tracer::default(),
    }
}
