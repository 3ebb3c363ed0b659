//! What goes on record.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use arca::api::ApiPath;
use arca::audit::{
    AuditBroker, AuditedMount, AuthFacts, DeviceConfig, Hasher, Identity, MountFacts, NamespaceFacts, RequestFacts,
    ResponseFacts,
};
use arca::chain::{NodeId, SigningKey};
use arca::policy::{Access, Permit};
use arca::secret::{AuditKey, ClientToken};

use super::{Failure, Operation, clock, entropy, runtime};

/// An answer of the KV engine with a value of 300 bytes.
fn answer() -> Vec<u8> {
    let value = "v".repeat(300);
    let time = "2026-01-02T03:04:05.678901234Z";
    format!(
        r#"{{"data":{{"value":"{value}"}},"metadata":{{"created_time":"{time}","custom_metadata":null,"deletion_time":"","destroyed":false,"version":1}}}}"#
    )
    .into_bytes()
}

/// Hashes the strings of an answer.
pub(super) fn redact(name: &'static str) -> Result<Operation, Failure> {
    let hasher = Hasher::new(&AuditKey::generate(&*entropy())?);
    let (answer, mut line) = (answer(), Vec::new());
    let work = Box::new(move || {
        line.clear();
        hasher.redact(&answer, &[], &mut line);
        Ok(line.len())
    });
    Ok(Operation { name, work })
}

/// Writes the line before a read and the line behind it, to a device that keeps nothing.
pub(super) fn lines(name: &'static str) -> Result<Operation, Failure> {
    let runtime = runtime()?;
    let key = SigningKey::from_pkcs8(&SigningKey::generate(&*entropy())?)?;
    let identity =
        Identity { node: NodeId::new("bench")?, key: Arc::new(key), clock: clock(), entropy: entropy(), spools: None };
    let broker = AuditBroker::new(identity);
    let device = DeviceConfig {
        path: "file/".to_owned(),
        kind: "file".to_owned(),
        description: String::new(),
        options: BTreeMap::from([("file_path".to_owned(), "discard".to_owned())]),
        local: false,
    };
    runtime.block_on(broker.enable(device, &AuditKey::generate(&*entropy())?, None, &*entropy()))?;
    let read = Read {
        path: ApiPath::parse("secret/data/team/database")?,
        token: ClientToken::new("s.not-a-token-of-any-vault".to_owned()),
        mount: Arc::new(mount()),
        policies: vec!["default".to_owned(), "load".to_owned()],
        answer: answer(),
    };
    let work = Box::new(move || runtime.block_on(read.recorded(&broker)));
    Ok(Operation { name, work })
}

/// A read, as the log is told of it.
struct Read {
    path: ApiPath,
    token: ClientToken,
    mount: Arc<AuditedMount>,
    policies: Vec<String>,
    answer: Vec<u8>,
}

impl Read {
    async fn recorded(&self, broker: &AuditBroker) -> Result<usize, Failure> {
        let mut entry = broker.open(&self.request());
        entry.identify(&self.auth());
        entry.route(&self.mount);
        let permit = Permit::public(Access::Public).ok_or("there is no permit")?;
        let admitted = entry.admit(permit).await?;
        entry.close(&ResponseFacts { data: Some(&self.answer), ..ResponseFacts::default() }).await?;
        Ok(admitted.permit().granting().len())
    }

    fn request(&self) -> RequestFacts<'_> {
        RequestFacts {
            id: "0b8c3a52-4f53-4a57-8d4e-3b1f8b0f7a10",
            operation: "read",
            path: &self.path,
            namespace: NamespaceFacts { id: "root", path: "" },
            client_token: Some(&self.token),
            data: None,
            remote_address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            remote_port: 40_000,
            client_certificate_serial_number: None,
            wrap_ttl: None,
            headers: &[],
        }
    }

    fn auth(&self) -> AuthFacts<'_> {
        AuthFacts {
            client_token: Some(&self.token),
            accessor: "an-accessor-of-a-token",
            client_id: "a-client",
            display_name: "token",
            policies: &self.policies,
            token_policies: &self.policies,
            identity_policies: &[],
            metadata: None,
            entity_id: "",
            entity_created: false,
            token_type: "service",
            token_ttl: None,
            token_issue_time: None,
            remaining_uses: None,
        }
    }
}

fn mount() -> AuditedMount {
    AuditedMount::new(MountFacts {
        point: "secret/".to_owned(),
        kind: "kv".to_owned(),
        accessor: "kv_00000000".to_owned(),
        running_version: "v1".to_owned(),
        class: "secret",
        non_hmac_request_keys: Vec::new(),
        non_hmac_response_keys: Vec::new(),
    })
}
