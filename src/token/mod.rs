//! Tokens: issue, hash, look up, spend, revoke trees.
//!
//! A token is at rest only as the id that it hashes to (HMAC-SHA-256 under a key of the vault). A service token has a
//! record; a batch token *is* its record, encrypted by the barrier.

mod batch;
mod hash;
mod record;
mod tidy;

#[doc(hidden)]
pub use batch::fuzz;
pub use hash::TokenHasher;
pub use record::{Issued, NewToken, TokenRecord, Uses};

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::api::{ROOT_NAMESPACE, namespace_of, namespace_suffix};
use crate::barrier::{Barrier, Cached, Record, Scope, Txn, View};
use crate::engine::{Caller, TokenType};
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::secret::{ClientToken, TokenKey};
use crate::storage::Page;
use crate::time::{Clock, Timestamp};

/// How many records of tokens are kept decoded: those that make requests now, at about half a kilobyte each.
const KEPT: usize = 10_000;

/// The tokens of all namespaces: a tree of tokens can reach from one into those below it.
pub struct TokenStore {
    barrier: Arc<Barrier>,
    records: Cached<TokenRecord>,
    accessors: View,
    children: View,
    hasher: TokenHasher,
    entropy: Arc<dyn Entropy>,
    clock: Arc<dyn Clock>,
}

/// A pointer from an accessor, or from a parent, to a token.
#[derive(Debug, Serialize, Deserialize)]
struct Pointer {
    id: String,
    accessor: String,
}

impl Record for Pointer {}

/// Whom a token proved to be, and what it is.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// The facts that the rest of the request goes by.
    pub caller: Caller,
    /// What is stored of the token.
    pub record: Arc<TokenRecord>,
}

impl TokenStore {
    /// The tokens in `barrier`, hashed under `key`.
    pub fn new(barrier: Arc<Barrier>, key: &TokenKey, entropy: Arc<dyn Entropy>, clock: Arc<dyn Clock>) -> Self {
        let view = barrier.view(Scope::new(ROOT_NAMESPACE, "token"));
        Self {
            records: Cached::new(view.within("id"), KEPT),
            accessors: view.within("accessor"),
            children: view.within("child"),
            hasher: TokenHasher::new(key),
            barrier,
            entropy,
            clock,
        }
    }

    /// The holder of `token`. A token of limited uses is spent here, in a commit of its own: a denied request spends it
    /// too. Anything wrong with the token is the same error.
    pub async fn authenticate(&self, token: &ClientToken, client: Option<IpAddr>) -> Result<Authenticated> {
        let id = self.hasher.token(token);
        let mut record = if batch::is_batch(token) {
            Arc::new(self.open_batch(token).await?)
        } else {
            self.kept(&id).await?.ok_or_else(Error::bad_token)?
        };
        if !record.allows(client) {
            return Err(Error::bad_token());
        }
        if record.uses != Uses::Unlimited {
            record = Arc::new(self.spend(&id).await?);
        }
        Ok(Authenticated { caller: self.caller(id, &record), record })
    }

    /// The record of the token `id`, if it has not ended.
    pub async fn live(&self, id: &str) -> Result<Option<TokenRecord>> {
        Ok(self.kept(id).await?.map(Arc::unwrap_or_clone))
    }

    /// The record of the token `id`, whether or not it has ended: for revoking it.
    pub async fn stored(&self, id: &str) -> Result<Option<TokenRecord>> {
        Ok(self.records.get(id).await?.map(Arc::unwrap_or_clone))
    }

    /// The id that `token` hashes to.
    pub fn id_of(&self, token: &ClientToken) -> String {
        self.hasher.token(token)
    }

    /// What is known of `token` without spending it: its id and its record.
    pub async fn look_up(&self, token: &ClientToken) -> Result<Option<(String, TokenRecord)>> {
        let id = self.hasher.token(token);
        if batch::is_batch(token) {
            return Ok(self.open_batch(token).await.ok().map(|record| (id, record)));
        }
        Ok(self.live(&id).await?.map(|record| (id, record)))
    }

    /// The id and record behind an accessor.
    pub async fn by_accessor(&self, accessor: &str) -> Result<Option<(String, TokenRecord)>> {
        let Some(pointer) = self.accessors.get::<Pointer>(&self.hasher.accessor(accessor)).await? else {
            return Ok(None);
        };
        Ok(self.live(&pointer.id).await?.map(|record| (pointer.id, record)))
    }

    /// The accessors of the tokens of a namespace.
    pub async fn accessors(&self, namespace_id: &str) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for name in self.accessors.list("", Page::all()).await? {
            found.extend(self.accessors.get::<Pointer>(&name).await?.map(|pointer| pointer.accessor));
        }
        found.retain(|accessor| namespace_of(accessor) == namespace_id);
        found.sort_unstable();
        Ok(found)
    }

    /// How many service tokens there are, ended ones that are not removed yet among them.
    pub async fn count(&self) -> Result<u64> {
        self.accessors.count().await
    }

    /// Makes a token: the only place where one comes from. Its record goes into `txn`.
    pub fn issue(&self, new: NewToken, txn: &mut Txn) -> Result<Issued> {
        let NewToken { token_type, custom_id, parent, record } = new;
        match token_type {
            TokenType::Batch => self.issue_batch(record),
            TokenType::Service => self.issue_service(custom_id, parent, record, txn),
        }
    }

    /// Writes a changed record; the token must be as `txn` fetched it.
    pub fn update(&self, id: &str, record: &TokenRecord, txn: &mut Txn) -> Result<()> {
        self.records.put(txn, id, record)
    }

    /// The record, which must be the same when `txn` is committed.
    pub async fn fetch(&self, id: &str, txn: &mut Txn) -> Result<Option<TokenRecord>> {
        self.records.fetch(txn, id).await
    }

    /// Makes the commit of `txn` fail unless the token `id` is good at that moment: what is made for a token that is revoked
    /// meanwhile would outlive it. One whose last use the request itself took is good.
    pub async fn require_good(&self, id: &str, txn: &mut Txn) -> Result<()> {
        let record = self.fetch(id, txn).await?.filter(|record| !record.has_ended(self.clock.now()));
        record.map(|_| ()).ok_or_else(Error::bad_token)
    }

    /// The ids of the children of the token `id`.
    pub async fn children(&self, id: &str) -> Result<Vec<String>> {
        self.children.list(&format!("{id}/"), Page::all()).await
    }

    /// Removes the token `id` itself. What depends on it (children, leases, cubbyhole) is the caller's to remove first.
    pub fn remove(&self, id: &str, record: &TokenRecord, txn: &mut Txn) -> Result<()> {
        self.records.delete(txn, id)?;
        self.accessors.delete(txn, &self.hasher.accessor(&record.accessor))?;
        if let Some(parent) = &record.parent {
            self.children.delete(txn, &format!("{parent}/{id}"))?;
        }
        Ok(())
    }

    /// Cuts the token `id` off its parent.
    pub fn make_orphan(&self, id: &str, mut record: TokenRecord, txn: &mut Txn) -> Result<()> {
        if let Some(parent) = record.parent.take() {
            self.children.delete(txn, &format!("{parent}/{id}"))?;
        }
        self.records.put(txn, id, &record)
    }

    async fn kept(&self, id: &str) -> Result<Option<Arc<TokenRecord>>> {
        let record = self.records.get(id).await?;
        let now = self.clock.now();
        Ok(record.filter(|record| !record.has_ended(now) && record.uses != Uses::Spent))
    }

    fn issue_service(
        &self,
        custom_id: Option<ClientToken>,
        parent: Option<String>,
        mut record: TokenRecord,
        txn: &mut Txn,
    ) -> Result<Issued> {
        let ending = namespace_suffix(&record.namespace_id);
        let token = match custom_id {
            Some(token) => token,
            None => ClientToken::new(format!("s.{}{ending}", self.entropy.base62(24)?)),
        };
        let id = self.hasher.token(&token);
        record.accessor = format!("{}{ending}", self.entropy.base62(24)?);
        record.parent = parent;
        self.records.insert(txn, &id, &record)?;
        let pointer = Pointer { id: id.clone(), accessor: record.accessor.clone() };
        self.accessors.put(txn, &self.hasher.accessor(&record.accessor), &pointer)?;
        if let Some(parent) = &record.parent {
            self.children.put(txn, &format!("{parent}/{id}"), &pointer)?;
        }
        Ok(Issued { token, id, record, token_type: TokenType::Service })
    }

    fn issue_batch(&self, record: TokenRecord) -> Result<Issued> {
        let token = batch::seal(&self.barrier, &record)?;
        let id = self.hasher.token(&token);
        Ok(Issued { token, id, record, token_type: TokenType::Batch })
    }

    async fn open_batch(&self, token: &ClientToken) -> Result<TokenRecord> {
        let record = batch::open(&self.barrier, token)?;
        if record.has_ended(self.clock.now()) {
            return Err(Error::bad_token());
        }
        // A batch token ends with its parent.
        if let Some(parent) = &record.parent {
            self.live(parent).await?.ok_or_else(Error::bad_token)?;
        }
        Ok(record)
    }

    /// Takes one use off, durably. Two requests with the last use are told apart by the expectation.
    async fn spend(&self, id: &str) -> Result<TokenRecord> {
        loop {
            let mut txn = Txn::new();
            let mut record = self.fetch(id, &mut txn).await?.ok_or_else(Error::bad_token)?;
            record.uses = record.uses.spent().ok_or_else(Error::bad_token)?;
            self.update(id, &record, &mut txn)?;
            match self.barrier.commit(txn).await {
                Ok(()) => return Ok(record),
                Err(error) if error.kind() == crate::error::Kind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The facts that a request by the token `id` goes by.
    pub fn caller(&self, id: String, record: &TokenRecord) -> Caller {
        Caller {
            token_id: id,
            accessor: record.accessor.clone(),
            namespace_id: record.namespace_id.clone(),
            display_name: record.display_name.clone(),
            entity_id: record.entity_id.clone(),
            policies: record.policies.clone(),
            identity_policies: Vec::new(),
            identity: Arc::default(),
            metadata: record.metadata.clone(),
            path: record.path.clone(),
            token_type: record.token_type(),
            issued: Some(record.created),
            expires: record.expires,
            uses_left: record.uses.left(),
        }
    }

    /// When the record of a token was made, and everything else, at this moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl fmt::Debug for TokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenStore").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
