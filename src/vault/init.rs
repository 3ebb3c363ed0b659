//! Initialisation: the keys, the first mounts, the first policy and the root token, in one commit.

use std::sync::Arc;

use data_encoding::BASE64;

use crate::api::ROOT_NAMESPACE;
use crate::barrier::{Barrier, Scope, Txn};
use crate::engine::{Role, TokenType};
use crate::error::{Error, Result};
use crate::mount::{MountConfig, MountEntry, MountState, MountTable};
use crate::policy::DEFAULT_POLICY;
use crate::seal::{PublicKey, SealConfig, Shares, Threshold, share_base64, share_hex, split};
use crate::secret::{ClientToken, RootKey, SealKey, SecretText};
use crate::token::{NewToken, TokenRecord, TokenStore, Uses};

use super::cluster::Cluster;
use super::policies::PolicyStore;
use super::sealing::SealRecord;
use super::{Parts, Vault};

/// What initialisation gives out, once.
#[derive(Debug)]
pub struct Initialised {
    /// The shares in hexadecimal, or encrypted.
    pub keys: Vec<SecretText>,
    /// The same in base64.
    pub keys_base64: Vec<SecretText>,
    /// The root token, or what it is encrypted to, in base64.
    pub root_token: ClientToken,
}

/// What is mounted from the start and cannot be taken away.
pub(super) const BUILT_IN: [(&str, Role, &str, &str); 4] = [
    ("cubbyhole/", Role::Secret, "cubbyhole", "per-token private secret storage"),
    ("identity/", Role::Secret, "identity", "identity store"),
    ("sys/", Role::Secret, "system", "system endpoints used for control, policy and debugging"),
    ("auth/token/", Role::Auth, "token", "token based credentials"),
];

impl Vault {
    /// Initialises the vault. It is sealed afterwards.
    pub async fn initialise(
        &self,
        threshold: Threshold,
        pgp_keys: &[PublicKey],
        root_token_key: Option<&PublicKey>,
    ) -> Result<Initialised> {
        let _turning = self.turning.lock().await;
        if self.standing().initialised {
            return Err(Error::invalid("Vault is already initialized"));
        }
        let parts = &self.parts;
        let seal_key = SealKey::generate(&*parts.entropy)?;
        let root = RootKey::generate(&*parts.entropy)?;
        let config = SealConfig::new(threshold, pgp_keys, String::new(), 1)?;
        let record = SealRecord::new(config, &seal_key, &root, parts)?;
        let shares = split(&seal_key, threshold, &*parts.entropy)?;

        let mut txn = Txn::new();
        record.store(&mut txn)?;
        let barrier =
            Barrier::create(parts.storage.clone(), &root, parts.entropy.clone(), parts.clock.now(), &mut txn)?;
        let token = furnish(parts, &barrier, &mut txn)?;
        let (keys, keys_base64) = delivered(&shares, pgp_keys, parts)?;
        let root_token = match root_token_key {
            None => token,
            Some(key) => ClientToken::new(key.encrypt_base64(token.expose().as_bytes(), &*parts.entropy)?),
        };
        barrier.commit(txn).await?;
        barrier.wipe();
        let progress = crate::seal::UnsealProgress::new(threshold);
        *self.phase_mut() = super::Phase::Sealed(record, progress);
        Ok(Initialised { keys, keys_base64, root_token })
    }
}

/// Puts the first records of a vault into `txn`, and gives the root token.
fn furnish(parts: &Parts, barrier: &Arc<Barrier>, txn: &mut Txn) -> Result<ClientToken> {
    let now = parts.clock.now();
    let cluster = Cluster::generate(parts.settings.cluster_name.clone(), &*parts.entropy, now)?;
    barrier.view(Scope::new(ROOT_NAMESPACE, "core")).put(txn, Cluster::KEY, &cluster)?;
    furnish_namespace(ROOT_NAMESPACE, parts, barrier, txn)?;
    let tokens = TokenStore::new(barrier.clone(), &cluster.token_key()?, parts.entropy.clone(), parts.clock.clone());
    let record = TokenRecord { policies: vec!["root".to_owned()], ..root_record(ROOT_NAMESPACE, now) };
    let new = NewToken { token_type: TokenType::Service, custom_id: None, parent: None, record };
    Ok(tokens.issue(new, txn)?.token)
}

/// Puts the first records of a namespace into `txn`: its built-in mounts and its policy `default`.
pub(super) fn furnish_namespace(id: &str, parts: &Parts, barrier: &Arc<Barrier>, txn: &mut Txn) -> Result<()> {
    let mounts = MountTable::new(barrier.view(Scope::new(id, "mounts")), id, parts.settings.ttl);
    for (path, role, kind, description) in BUILT_IN {
        mounts.store(&built_in(path, role, kind, description, parts)?, txn)?;
    }
    let policies = PolicyStore::new(barrier.view(Scope::new(id, "policy")), id, parts.metrics.clone());
    policies.write_new("default", DEFAULT_POLICY, parts.clock.now(), txn)
}

/// A mount that is there from the start.
pub(super) fn built_in(path: &str, role: Role, kind: &str, description: &str, parts: &Parts) -> Result<MountEntry> {
    let passthrough = match kind {
        "system" => Some("Accept"),
        "identity" => Some("Authorization"),
        _ => None,
    };
    Ok(MountEntry {
        uuid: parts.entropy.uuid()?,
        accessor: accessor(role, kind, parts)?,
        path: path.to_owned(),
        role,
        kind: kind.to_owned(),
        description: description.to_owned(),
        options: std::collections::BTreeMap::new(),
        config: MountConfig {
            passthrough_request_headers: passthrough.map(str::to_owned).into_iter().collect(),
            ..MountConfig::default()
        },
        local: kind == "cubbyhole",
        seal_wrap: false,
        state: MountState::Active,
    })
}

/// The record of a token that never ends.
pub(super) fn root_record(namespace_id: &str, now: crate::time::Timestamp) -> TokenRecord {
    TokenRecord {
        accessor: String::new(),
        parent: None,
        policies: vec!["root".to_owned()],
        path: "auth/token/root".to_owned(),
        metadata: std::collections::BTreeMap::new(),
        display_name: "root".to_owned(),
        uses: Uses::Unlimited,
        created: now,
        ttl: crate::api::Ttl::default(),
        creation_ttl: crate::api::Ttl::default(),
        expires: None,
        last_renewal: None,
        renewable: false,
        period: crate::api::Ttl::default(),
        explicit_max_ttl: crate::api::Ttl::default(),
        entity_id: String::new(),
        bound_cidrs: Vec::new(),
        role: String::new(),
        identity: None,
        batch: false,
        namespace_id: namespace_id.to_owned(),
    }
}

/// A new accessor for a mount of this kind.
pub(super) fn accessor(role: Role, kind: &str, parts: &Parts) -> Result<String> {
    let random: [u8; 4] = parts.entropy.bytes()?;
    let role = match role {
        Role::Secret => "",
        Role::Auth => "auth_",
    };
    Ok(format!("{role}{kind}_{:08x}", u32::from_be_bytes(random)))
}

/// The shares as their holders get them: in hexadecimal and in base64, encrypted where there are keys.
pub(super) fn delivered(
    shares: &Shares,
    keys: &[PublicKey],
    parts: &Parts,
) -> Result<(Vec<SecretText>, Vec<SecretText>)> {
    if keys.is_empty() {
        return Ok((shares.iter().map(share_hex).collect(), shares.iter().map(share_base64).collect()));
    }
    let mut hex = Vec::new();
    let mut base64 = Vec::new();
    for (share, key) in shares.iter().zip(keys) {
        let encrypted = key.encrypt_share(share, &*parts.entropy)?;
        hex.push(SecretText::new(data_encoding::HEXLOWER.encode(&encrypted)));
        base64.push(SecretText::new(BASE64.encode(&encrypted)));
    }
    Ok((hex, base64))
}
